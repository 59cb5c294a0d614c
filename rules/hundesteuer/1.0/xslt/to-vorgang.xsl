<?xml version="1.0" encoding="UTF-8"?>
<!-- Hundesteuer 1.0: An- und Abmeldung in die gemeinsame Form. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:h="urn:datendrehscheibe:hundesteuer:1" exclude-result-prefixes="h">

  <xsl:import href="../../../lib/1/vorgang.xsl"/>
  <xsl:include href="felder.xsl"/>

  <xsl:template match="/h:anmeldung">
    <vorgang verfahren="hundesteuer" art="anmeldung" version="1">
      <xsl:apply-templates select="h:kopf" mode="kopf">
        <xsl:with-param name="betreff">
          <xsl:text>Hundesteuer: Anmeldung</xsl:text>
          <xsl:call-template name="hunde"/>
        </xsl:with-param>
      </xsl:apply-templates>
      <xsl:apply-templates select="h:halter/*" mode="beteiligter">
        <xsl:with-param name="rolle">antragsteller</xsl:with-param>
        <xsl:with-param name="bank" select="h:zahlung/h:lastschrift/h:bank"/>
      </xsl:apply-templates>
      <xsl:apply-templates select="h:hund/h:vorbesitzer/*" mode="beteiligter"/>
      <gegenstand>
        <xsl:apply-templates select="h:hund | h:haltungsort | h:haftpflicht" mode="gegenstand"/>
        <abschnitt schluessel="zahlung" titel="Zahlung">
          <xsl:apply-templates select="h:zahlung/h:rhythmus | h:zahlung/h:lastschrift/h:mandatErteiltAm" mode="gegenstand"/>
        </abschnitt>
        <xsl:apply-templates select="h:bemerkung" mode="gegenstand"/>
      </gegenstand>
      <xsl:apply-templates select="h:anlagen" mode="anlagen"/>
    </vorgang>
  </xsl:template>

  <xsl:template match="/h:abmeldung">
    <vorgang verfahren="hundesteuer" art="abmeldung" version="1">
      <xsl:apply-templates select="h:kopf" mode="kopf">
        <xsl:with-param name="betreff">
          <xsl:text>Hundesteuer: Abmeldung</xsl:text>
          <xsl:call-template name="hunde"/>
        </xsl:with-param>
      </xsl:apply-templates>
      <xsl:apply-templates select="h:halter/*" mode="beteiligter">
        <xsl:with-param name="rolle">antragsteller</xsl:with-param>
        <xsl:with-param name="bank" select="h:erstattung"/>
      </xsl:apply-templates>
      <xsl:apply-templates select="h:hund/h:neuerHalter/*" mode="beteiligter">
        <xsl:with-param name="rolle">neuer-halter</xsl:with-param>
      </xsl:apply-templates>
      <gegenstand>
        <xsl:apply-templates select="h:hund | h:bemerkung" mode="gegenstand"/>
      </gegenstand>
      <xsl:apply-templates select="h:anlagen" mode="anlagen"/>
    </vorgang>
  </xsl:template>

  <!-- Ohne Namen: ein Betreff steht auch dort, wo nichts Persönliches stehen darf, etwa über einer E-Mail. -->
  <xsl:template name="hunde">
    <xsl:choose>
      <xsl:when test="count(h:hund) = 1"> eines Hundes</xsl:when>
      <xsl:otherwise><xsl:value-of select="concat(' von ', count(h:hund), ' Hunden')"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
