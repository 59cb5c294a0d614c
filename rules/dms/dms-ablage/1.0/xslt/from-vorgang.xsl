<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → Ablage 1 (index of the container): CSV as in RFC 4180 with semicolons, every field quoted. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns:str="http://exslt.org/strings">
  <xsl:import href="../../../../lib/1/pfad.xsl"/>
  <xsl:output method="text" encoding="UTF-8"/>

  <xsl:template match="/v:vorgang">
    <xsl:text>"Feld";"Bezeichnung";"Typ";"Einheit";"Codeliste";"Wert"&#13;&#10;</xsl:text>
    <xsl:apply-templates select="." mode="flat"/>
  </xsl:template>

  <!-- Neither a path nor a type holds a quote. -->
  <xsl:template name="entry">
    <xsl:param name="path"/>
    <xsl:param name="value"/>
    <xsl:value-of select="concat('&quot;', $path, '&quot;;')"/>
    <xsl:choose>
      <xsl:when test="self::v:angabe">
        <xsl:call-template name="cell"><xsl:with-param name="text" select="string(@titel)"/></xsl:call-template>
        <xsl:value-of select="concat(';&quot;', @typ, '&quot;;')"/>
        <xsl:call-template name="cell"><xsl:with-param name="text" select="string(@einheit)"/></xsl:call-template>;<xsl:text/>
        <xsl:call-template name="cell"><xsl:with-param name="text" select="string(@liste)"/></xsl:call-template>;<xsl:text/>
      </xsl:when>
      <xsl:otherwise>"";"";"";"";</xsl:otherwise>
    </xsl:choose>
    <xsl:call-template name="cell"><xsl:with-param name="text" select="string($value)"/></xsl:call-template>
    <xsl:text>&#13;&#10;</xsl:text>
  </xsl:template>

  <!-- A quote inside is written twice (RFC 4180, section 2, rule 7). -->
  <xsl:template name="cell">
    <xsl:param name="text"/>
    <xsl:text>"</xsl:text>
    <xsl:choose>
      <xsl:when test="contains($text, '&quot;')"><xsl:value-of select="str:replace($text, '&quot;', '&quot;&quot;')"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="$text"/></xsl:otherwise>
    </xsl:choose>
    <xsl:text>"</xsl:text>
  </xsl:template>
</xsl:stylesheet>
