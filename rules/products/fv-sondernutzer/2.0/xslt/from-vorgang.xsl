<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → SonderNutzer 2 (XML in a folder per case): numbered records, as the product once had them on
     punched cards. A record says by its number (3.2.1) under which other one (3.2) it stands. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns="urn:erfunden:sondernutzer:2"
    exclude-result-prefixes="v">
  <xsl:output method="xml" encoding="UTF-8" indent="no"/>

  <!-- SonderNutzer reads a lieferschein once. -->
  <xsl:template match="/v:vorgang">
    <Uebergabe stand="2.0" lieferschein="{v:sendung/@zustellung}">
      <Satz art="100" nr="0"><xsl:apply-templates select="@verfahren|@art|v:kopf/*" mode="field"/></Satz>
      <xsl:apply-templates select="*"/>
    </Uebergabe>
  </xsl:template>

  <xsl:template match="v:kopf"/>

  <!-- 110 way of the message, 111 authority, 112 municipality, 200 person, 210 address, 220 bank account,
       300 subject matter, 310 section, 800 list of attachments, 810 attachment. -->
  <xsl:template match="*">
    <xsl:param name="parent"/>
    <xsl:variable name="number" select="concat($parent, position())"/>
    <Satz nr="{$number}">
      <xsl:attribute name="art">
        <xsl:choose>
          <xsl:when test="self::v:sendung">110</xsl:when>
          <xsl:when test="self::v:behoerde">111</xsl:when>
          <xsl:when test="self::v:kommune">112</xsl:when>
          <xsl:when test="self::v:beteiligter">200</xsl:when>
          <xsl:when test="self::v:anschrift">210</xsl:when>
          <xsl:when test="self::v:bank">220</xsl:when>
          <xsl:when test="self::v:gegenstand">300</xsl:when>
          <xsl:when test="self::v:abschnitt">310</xsl:when>
          <xsl:when test="self::v:anlagenverzeichnis">800</xsl:when>
          <xsl:when test="self::v:anlage">810</xsl:when>
          <xsl:otherwise>999</xsl:otherwise>
        </xsl:choose>
      </xsl:attribute>
      <xsl:apply-templates select="@*|*[not(*) and string()]" mode="field"/>
    </Satz>
    <xsl:apply-templates select="*[* or not(string())]">
      <xsl:with-param name="parent" select="concat($number, '.')"/>
    </xsl:apply-templates>
  </xsl:template>

  <xsl:template match="@*|*" mode="field">
    <F n="{local-name()}"><xsl:value-of select="."/></F>
  </xsl:template>

  <!-- Fields of the form: b is their title, t the type, e the unit, l the code list. -->
  <xsl:template match="v:angabe" mode="field">
    <F n="{@schluessel}" b="{@titel}" t="{@typ}">
      <xsl:if test="@einheit"><xsl:attribute name="e"><xsl:value-of select="@einheit"/></xsl:attribute></xsl:if>
      <xsl:if test="@liste"><xsl:attribute name="l"><xsl:value-of select="@liste"/></xsl:attribute></xsl:if>
      <xsl:value-of select="."/>
    </F>
  </xsl:template>
</xsl:stylesheet>
