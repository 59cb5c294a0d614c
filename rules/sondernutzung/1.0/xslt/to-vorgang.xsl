<?xml version="1.0" encoding="UTF-8"?>
<!-- Sondernutzung 1.0 in die gemeinsame Form. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:s="urn:datendrehscheibe:sondernutzung:1" exclude-result-prefixes="s">

  <xsl:import href="../../../lib/1/vorgang.xsl"/>
  <xsl:include href="felder.xsl"/>

  <xsl:variable name="beteiligte" select="//s:person | //s:organisation"/>

  <xsl:template match="/s:antrag">
    <vorgang verfahren="sondernutzung" art="antrag" version="1">
      <xsl:apply-templates select="s:kopf" mode="kopf">
        <xsl:with-param name="betreff">
          <xsl:text>Sondernutzung: </xsl:text>
          <xsl:for-each select="s:nutzung">
            <xsl:if test="position() &gt; 1">, </xsl:if>
            <xsl:value-of select="s:zweck"/>
          </xsl:for-each>
        </xsl:with-param>
      </xsl:apply-templates>
      <xsl:apply-templates select="$beteiligte" mode="beteiligter"/>
      <gegenstand>
        <xsl:apply-templates select="s:nutzung | s:gebuehrenbefreiung | s:erklaerungen | s:bemerkung" mode="gegenstand"/>
      </gegenstand>
      <xsl:apply-templates select="s:anlagen" mode="anlagen"/>
    </vorgang>
  </xsl:template>
</xsl:stylesheet>
