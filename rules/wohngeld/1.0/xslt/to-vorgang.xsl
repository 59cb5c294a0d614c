<?xml version="1.0" encoding="UTF-8"?>
<!-- Wohngeld 1.0 in die gemeinsame Form: das Gerüst. Die Felder stehen in felder.xsl. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:w="urn:datendrehscheibe:wohngeld:1" exclude-result-prefixes="w">

  <xsl:import href="../../../lib/1/vorgang.xsl"/>
  <xsl:include href="felder.xsl"/>

  <xsl:template match="/w:antrag">
    <vorgang verfahren="wohngeld" art="antrag" version="1">
      <xsl:apply-templates select="w:kopf" mode="kopf">
        <xsl:with-param name="betreff">
          <xsl:value-of select="concat('Wohngeld: Mietzuschuss, Personen im Haushalt: ', count(w:haushaltsmitglied))"/>
        </xsl:with-param>
      </xsl:apply-templates>
      <xsl:apply-templates select="w:haushaltsmitglied[w:antragsteller = 'true' or w:antragsteller = '1']/w:person" mode="beteiligter">
        <xsl:with-param name="rolle">antragsteller</xsl:with-param>
        <xsl:with-param name="bank" select="w:auszahlung[w:an = 'antragsteller']/w:bank"/>
      </xsl:apply-templates>
      <xsl:apply-templates select="w:haushaltsmitglied[w:antragsteller = 'false' or w:antragsteller = '0']/w:person" mode="beteiligter"/>
      <xsl:apply-templates select="w:wohnung/w:vermieter/*" mode="beteiligter">
        <xsl:with-param name="bank" select="w:auszahlung[w:an = 'vermieter']/w:bank"/>
      </xsl:apply-templates>
      <gegenstand>
        <abschnitt schluessel="antrag" titel="Antrag">
          <xsl:apply-templates select="w:antragsart | w:bewilligungAb | w:wohngeldnummer | w:auszahlung/w:an" mode="gegenstand"/>
        </abschnitt>
        <xsl:apply-templates select="w:haushaltsmitglied | w:wohnung | w:miete | w:erklaerungen | w:bemerkung" mode="gegenstand"/>
      </gegenstand>
      <xsl:apply-templates select="w:anlagen" mode="anlagen"/>
    </vorgang>
  </xsl:template>
</xsl:stylesheet>
