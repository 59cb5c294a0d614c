<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → OrdnungsAmt 1 (XML in the mailbox): a flat list of keys and values, nothing nested. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns="urn:erfunden:ordnungsamt:1"
    exclude-result-prefixes="v">
  <xsl:import href="../../../../lib/1/pfad.xsl"/>
  <xsl:output method="xml" encoding="UTF-8" indent="no"/>

  <!-- OrdnungsAmt knows a repeated message by lieferung. -->
  <xsl:template match="/v:vorgang">
    <meldung format="1.4" lieferung="{v:sendung/@zustellung}">
      <xsl:apply-templates select="." mode="flat"/>
    </meldung>
  </xsl:template>

  <xsl:template name="entry">
    <xsl:param name="path"/>
    <xsl:param name="value"/>
    <eintrag schluessel="{$path}">
      <xsl:copy-of select="self::v:angabe/@*[name() != 'schluessel']"/>
      <xsl:value-of select="$value"/>
    </eintrag>
  </xsl:template>
</xsl:stylesheet>
