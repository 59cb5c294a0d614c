<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → DokuMa 6 (JSON): one object with a list of properties, as document stores keep it. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns="http://www.w3.org/2005/xpath-functions"
    exclude-result-prefixes="v">
  <xsl:import href="../../../../lib/1/json.xsl"/>
  <xsl:import href="../../../../lib/1/pfad.xsl"/>
  <xsl:output method="xml" encoding="UTF-8" indent="no"/>

  <xsl:template match="/v:vorgang">
    <map>
      <string key="objectType">dokuma:vorgang</string>
      <!-- DokuMa keeps one object per externalKey. -->
      <string key="externalKey"><xsl:value-of select="v:sendung/@zustellung"/></string>
      <string key="objectName"><xsl:value-of select="v:kopf/v:betreff"/></string>
      <string key="folder">/<xsl:value-of select="v:sendung/v:behoerde/@kennung"/>/<xsl:value-of select="@verfahren"/></string>
      <array key="properties"><xsl:apply-templates select="." mode="flat"/></array>
      <array key="contents"><xsl:apply-templates select="v:sendung/v:anlage"/></array>
    </map>
  </xsl:template>

  <xsl:template name="entry">
    <xsl:param name="path"/>
    <xsl:param name="value"/>
    <map>
      <string key="id"><xsl:value-of select="$path"/></string>
      <xsl:choose>
        <xsl:when test="self::v:abschnitt">
          <string key="dataType">heading</string>
          <string key="value"><xsl:value-of select="$value"/></string>
        </xsl:when>
        <xsl:when test="self::v:angabe">
          <string key="displayName"><xsl:value-of select="@titel"/></string>
          <string key="dataType"><xsl:value-of select="@typ"/></string>
          <xsl:apply-templates select="@einheit" mode="member"><xsl:with-param name="key" select="'unit'"/></xsl:apply-templates>
          <xsl:apply-templates select="@liste" mode="member"><xsl:with-param name="key" select="'vocabulary'"/></xsl:apply-templates>
          <xsl:apply-templates select="." mode="value"><xsl:with-param name="key" select="'value'"/></xsl:apply-templates>
        </xsl:when>
        <xsl:otherwise>
          <string key="value"><xsl:value-of select="$value"/></string>
        </xsl:otherwise>
      </xsl:choose>
    </map>
  </xsl:template>

  <!-- The files are described once, as contents. -->
  <xsl:template match="v:sendung/v:anlage" mode="flat"/>

  <xsl:template match="v:sendung/v:anlage">
    <map>
      <string key="fileName"><xsl:value-of select="@name"/></string>
      <string key="mimeType"><xsl:value-of select="@medientyp"/></string>
      <number key="length"><xsl:value-of select="@bytes"/></number>
      <map key="digest"><string key="sha-256"><xsl:value-of select="@sha256"/></string></map>
    </map>
  </xsl:template>
</xsl:stylesheet>
