<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → StandesRegister 4 (SOAP 1.1 body): one generic operation "execute" with a list of parameters,
     in the old RPC manner: only the operation has a namespace. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns:dds="urn:datendrehscheibe:anlage:1"
    xmlns:sr="urn:erfunden:standesregister:4"
    exclude-result-prefixes="v dds">
  <xsl:output method="xml" encoding="UTF-8" omit-xml-declaration="yes" indent="no"/>

  <xsl:variable name="small" select="'abcdefghijklmnopqrstuvwxyz'"/>
  <xsl:variable name="capital" select="'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"/>

  <xsl:template match="/v:vorgang">
    <sr:execute>
      <command>VORGANG_ANLEGEN</command>
      <!-- StandesRegister executes a transactionId once. -->
      <transactionId><xsl:value-of select="v:sendung/@zustellung"/></transactionId>
      <parameters>
        <xsl:apply-templates select="@verfahren|@art" mode="scalar"/>
        <xsl:apply-templates select="*"/>
      </parameters>
    </sr:execute>
  </xsl:template>

  <!-- What has parts is a STRUCT of its attributes and parts. -->
  <xsl:template match="*">
    <parameter name="{translate(local-name(), $small, $capital)}" type="STRUCT">
      <xsl:apply-templates select="@*" mode="scalar"/>
      <xsl:apply-templates select="*"/>
    </parameter>
  </xsl:template>

  <xsl:template match="v:kopf/*|v:anschrift/*|v:bank/*|v:beteiligter/*[not(self::v:anschrift or self::v:bank)]">
    <xsl:apply-templates select="." mode="scalar"/>
  </xsl:template>

  <xsl:template match="v:abschnitt">
    <parameter name="{@schluessel}" label="{@titel}" type="STRUCT">
      <xsl:apply-templates select="*"/>
    </parameter>
  </xsl:template>

  <xsl:template match="v:angabe">
    <parameter name="{@schluessel}" label="{@titel}">
      <xsl:attribute name="type">
        <xsl:choose>
          <xsl:when test="@typ = 'datum'">DATE</xsl:when>
          <xsl:when test="@typ = 'zahl'">DECIMAL</xsl:when>
          <xsl:when test="@typ = 'betrag'">MONEY</xsl:when>
          <xsl:when test="@typ = 'ja-nein'">BOOLEAN</xsl:when>
          <xsl:when test="@typ = 'code'">CODE</xsl:when>
          <xsl:otherwise>STRING</xsl:otherwise>
        </xsl:choose>
      </xsl:attribute>
      <xsl:if test="@einheit"><xsl:attribute name="unit"><xsl:value-of select="@einheit"/></xsl:attribute></xsl:if>
      <xsl:if test="@liste"><xsl:attribute name="codelist"><xsl:value-of select="@liste"/></xsl:attribute></xsl:if>
      <value><xsl:value-of select="."/></value>
    </parameter>
  </xsl:template>

  <!-- The adapter puts the base64 of the file in the place of dds:inhalt. -->
  <xsl:template match="v:sendung/v:anlage">
    <parameter name="ANLAGE" type="STRUCT">
      <xsl:apply-templates select="@*" mode="scalar"/>
      <parameter name="INHALT" type="BASE64">
        <value><dds:inhalt name="{@name}"/></value>
      </parameter>
    </parameter>
  </xsl:template>

  <xsl:template match="@*|*" mode="scalar">
    <parameter name="{translate(local-name(), $small, $capital)}" type="STRING">
      <value><xsl:value-of select="."/></value>
    </parameter>
  </xsl:template>
</xsl:stylesheet>
