<?xml version="1.0" encoding="UTF-8"?>
<!-- Personenstandsurkunde 1.0 in die gemeinsame Form. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:p="urn:datendrehscheibe:personenstandsurkunde:1" exclude-result-prefixes="p">

  <xsl:import href="../../../lib/1/vorgang.xsl"/>
  <xsl:include href="felder.xsl"/>

  <xsl:template match="/p:anforderung">
    <vorgang verfahren="personenstandsurkunde" art="anforderung" version="1">
      <xsl:apply-templates select="p:kopf" mode="kopf">
        <xsl:with-param name="betreff">
          <xsl:text>Personenstandsurkunde: </xsl:text>
          <xsl:for-each select="p:urkunde">
            <xsl:if test="position() &gt; 1">, </xsl:if>
            <xsl:value-of select="concat(p:anzahl, ' × ', p:art)"/>
          </xsl:for-each>
        </xsl:with-param>
      </xsl:apply-templates>
      <xsl:apply-templates select="p:antragsteller/*" mode="beteiligter">
        <xsl:with-param name="zustellung" select="p:lieferung/p:anschrift"/>
      </xsl:apply-templates>
      <xsl:apply-templates select="p:urkunde/*/p:person" mode="beteiligter"/>
      <gegenstand>
        <xsl:apply-templates select="p:ausweis | p:urkunde | p:verwendung | p:gebuehr | p:lieferung | p:bemerkung" mode="gegenstand"/>
      </gegenstand>
      <xsl:apply-templates select="p:anlagen" mode="anlagen"/>
    </vorgang>
  </xsl:template>
</xsl:stylesheet>
