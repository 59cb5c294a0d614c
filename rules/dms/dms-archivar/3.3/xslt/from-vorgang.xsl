<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → Archivar 3 (SOAP 1.1 body): a package for long-term keeping; description, content model,
     retention, and each file as an object with its checksum. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns:dds="urn:datendrehscheibe:anlage:1"
    xmlns:exsl="http://exslt.org/common"
    xmlns="urn:erfunden:archivar:3"
    exclude-result-prefixes="v exsl dds">
  <xsl:output method="xml" encoding="UTF-8" omit-xml-declaration="yes" indent="no"/>

  <!-- How long to keep (invented) by procedure; the last line takes what is not listed. -->
  <xsl:variable name="retention">
    <keep of="bauantrag">dauernd</keep>
    <keep of="personenstandsurkunde">P5Y</keep>
    <keep of="beteiligung">P30Y</keep>
    <keep of="*">P10Y</keep>
  </xsl:variable>

  <xsl:template match="/v:vorgang">
    <archiviere paketId="{v:sendung/@zustellung}">
      <beschreibung>
        <titel><xsl:value-of select="v:kopf/v:betreff"/></titel>
        <bezeichner><xsl:value-of select="v:kopf/v:kennung"/></bezeichner>
        <datum><xsl:value-of select="v:kopf/v:erstellt"/></datum>
        <xsl:for-each select="v:kopf/v:aktenzeichen"><signatur><xsl:value-of select="."/></signatur></xsl:for-each>
        <xsl:for-each select="v:kopf/v:leistung"><leistung><xsl:value-of select="."/></leistung></xsl:for-each>
        <xsl:for-each select="v:kopf/v:kommune"><geltungsbereich><xsl:value-of select="."/></geltungsbereich></xsl:for-each>
        <klasse anliegen="{@art}"><xsl:value-of select="@verfahren"/></klasse>
        <aufbewahrung frist="{exsl:node-set($retention)/*[@of = current()/@verfahren or @of = '*'][1]}"/>
      </beschreibung>
      <xsl:apply-templates select="v:sendung"/>
      <inhalt>
        <xsl:apply-templates select="v:beteiligter|v:gegenstand|v:anlagenverzeichnis"/>
      </inhalt>
      <objekte><xsl:apply-templates select="v:sendung/v:anlage"/></objekte>
    </archiviere>
  </xsl:template>

  <xsl:template match="v:sendung">
    <provenienz nachricht="{@nachricht}" quelle="{@quelle}" zeit="{@angenommen}" regel="{@regel}" depotstand="{@release}">
      <stelle id="{v:behoerde/@kennung}"><xsl:value-of select="v:behoerde/@name"/></stelle>
      <xsl:for-each select="v:kommune">
        <kommune id="{@ars}"><xsl:value-of select="@name"/></kommune>
      </xsl:for-each>
    </provenienz>
  </xsl:template>

  <!-- Content: nodes with values and nodes, whatever the procedure will be called in thirty years. -->
  <xsl:template match="*">
    <knoten typ="{local-name()}">
      <xsl:apply-templates select="@*" mode="value"/>
      <xsl:apply-templates select="*"/>
    </knoten>
  </xsl:template>

  <xsl:template match="*[not(*) and string()]">
    <xsl:apply-templates select="." mode="value"/>
  </xsl:template>

  <xsl:template match="@*|*" mode="value">
    <wert name="{local-name()}"><xsl:value-of select="."/></wert>
  </xsl:template>

  <xsl:template match="v:abschnitt" priority="1">
    <knoten typ="abschnitt" name="{@schluessel}" bezeichnung="{@titel}"><xsl:apply-templates select="*"/></knoten>
  </xsl:template>

  <xsl:template match="v:angabe" mode="value">
    <wert name="{@schluessel}" bezeichnung="{@titel}">
      <xsl:copy-of select="@typ|@einheit|@liste"/>
      <xsl:value-of select="."/>
    </wert>
  </xsl:template>

  <!-- The adapter puts the base64 of the file in the place of dds:inhalt. -->
  <xsl:template match="v:sendung/v:anlage" priority="1">
    <objekt>
      <dateiname><xsl:value-of select="@name"/></dateiname>
      <format><xsl:value-of select="@medientyp"/></format>
      <umfang einheit="Byte"><xsl:value-of select="@bytes"/></umfang>
      <pruefsumme algorithmus="SHA-256"><xsl:value-of select="@sha256"/></pruefsumme>
      <daten><dds:inhalt name="{@name}"/></daten>
    </objekt>
  </xsl:template>
</xsl:stylesheet>
