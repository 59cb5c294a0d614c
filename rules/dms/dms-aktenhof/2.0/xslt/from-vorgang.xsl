<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → AktenHof 2 (XML): Akte by Aktenplan, in it the Vorgang, in it a Dokument per file. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns:exsl="http://exslt.org/common"
    xmlns="urn:erfunden:aktenhof:2"
    exclude-result-prefixes="v exsl">
  <xsl:output method="xml" encoding="UTF-8" indent="no"/>

  <xsl:key name="listed" match="v:anlagenverzeichnis/v:anlage" use="@name"/>
  <xsl:key name="received" match="v:sendung/v:anlage" use="@name"/>

  <!-- Aktenplan (invented) by procedure; the last line takes what is not listed. -->
  <xsl:variable name="aktenplan">
    <plan of="hundesteuer" number="22.31">Hundesteuer</plan>
    <plan of="gewerbeanzeige" number="32.10">Gewerbeanzeigen</plan>
    <plan of="sondernutzung" number="32.45">Sondernutzung öffentlicher Straßen</plan>
    <plan of="personenstandsurkunde" number="34.20">Personenstandsurkunden</plan>
    <plan of="wohngeld" number="50.60">Wohngeld</plan>
    <plan of="beteiligung" number="61.25">Beteiligung an Planungen</plan>
    <plan of="bauantrag" number="63.10">Bauanträge</plan>
    <plan of="*" number="10.99">Eingänge ohne eigene Aktenplannummer</plan>
  </xsl:variable>

  <xsl:template match="/v:vorgang">
    <xsl:variable name="plan" select="exsl:node-set($aktenplan)/*[@of = current()/@verfahren or @of = '*'][1]"/>
    <Ablage Fassung="2.0">
      <!-- AktenHof files an Ablagenummer once. -->
      <Ablagenummer><xsl:value-of select="v:sendung/@zustellung"/></Ablagenummer>
      <Akte>
        <Aktenplannummer><xsl:value-of select="$plan/@number"/></Aktenplannummer>
        <Bezeichnung><xsl:value-of select="$plan"/></Bezeichnung>
        <Jahrgang><xsl:value-of select="substring(concat(v:sendung/@angenommen, v:kopf/v:erstellt), 1, 4)"/></Jahrgang>
        <xsl:for-each select="v:sendung/v:behoerde">
          <AktenfuehrendeStelle Kennung="{@kennung}"><xsl:value-of select="@name"/></AktenfuehrendeStelle>
        </xsl:for-each>
        <xsl:for-each select="v:sendung/v:kommune">
          <Mandant ARS="{@ars}"><xsl:value-of select="@name"/></Mandant>
        </xsl:for-each>
        <Vorgang>
          <Betreff><xsl:value-of select="v:kopf/v:betreff"/></Betreff>
          <Verfahren><xsl:value-of select="@verfahren"/></Verfahren>
          <Anliegen><xsl:value-of select="@art"/></Anliegen>
          <Fremdkennung><xsl:value-of select="v:kopf/v:kennung"/></Fremdkennung>
          <Erstellt><xsl:value-of select="v:kopf/v:erstellt"/></Erstellt>
          <xsl:for-each select="v:kopf/v:aktenzeichen"><Aktenzeichen><xsl:value-of select="."/></Aktenzeichen></xsl:for-each>
          <xsl:for-each select="v:kopf/v:leistung"><Leistung><xsl:value-of select="."/></Leistung></xsl:for-each>
          <xsl:for-each select="v:kopf/v:kommune"><Gemeinde><xsl:value-of select="."/></Gemeinde></xsl:for-each>
          <xsl:for-each select="v:sendung">
            <Eingang Nachricht="{@nachricht}" Zeitpunkt="{@angenommen}" Quelle="{@quelle}" Regel="{@regel}" Depotstand="{@release}"/>
          </xsl:for-each>
          <xsl:apply-templates select="v:beteiligter"/>
          <Fachdaten><xsl:apply-templates select="v:gegenstand/v:abschnitt"/></Fachdaten>
          <xsl:apply-templates select="v:sendung/v:anlage"/>
          <xsl:apply-templates select="v:anlagenverzeichnis/v:anlage[not(key('received', @name))]"/>
        </Vorgang>
      </Akte>
    </Ablage>
  </xsl:template>

  <xsl:template match="v:beteiligter">
    <Kontakt Nummer="{@id}" Rolle="{@rolle}" Art="{@art}">
      <xsl:apply-templates select="*" mode="metadata"/>
    </Kontakt>
  </xsl:template>

  <!-- Metadata have a name; an address or an account groups some. -->
  <xsl:template match="*" mode="metadata">
    <Metadatum Name="{local-name()}"><xsl:value-of select="."/></Metadatum>
  </xsl:template>
  <xsl:template match="v:anschrift|v:bank" mode="metadata">
    <Metadatengruppe Name="{local-name()}">
      <xsl:for-each select="@art"><xsl:attribute name="Art"><xsl:value-of select="."/></xsl:attribute></xsl:for-each>
      <xsl:apply-templates select="*" mode="metadata"/>
    </Metadatengruppe>
  </xsl:template>

  <xsl:template match="v:abschnitt">
    <Metadatengruppe Name="{@schluessel}" Titel="{@titel}"><xsl:apply-templates select="*"/></Metadatengruppe>
  </xsl:template>

  <xsl:template match="v:angabe">
    <Metadatum Name="{@schluessel}" Titel="{@titel}" Typ="{@typ}">
      <xsl:for-each select="@einheit"><xsl:attribute name="Einheit"><xsl:value-of select="."/></xsl:attribute></xsl:for-each>
      <xsl:for-each select="@liste"><xsl:attribute name="Codeliste"><xsl:value-of select="."/></xsl:attribute></xsl:for-each>
      <xsl:value-of select="."/>
    </Metadatum>
  </xsl:template>

  <xsl:template match="v:sendung/v:anlage">
    <Dokument Datei="{@name}" Format="{@medientyp}" Bytes="{@bytes}" SHA256="{@sha256}">
      <xsl:apply-templates select="key('listed', @name)" mode="description"/>
    </Dokument>
  </xsl:template>

  <!-- Announced, not received: AktenHof keeps an empty Dokument to be filled. -->
  <xsl:template match="v:anlagenverzeichnis/v:anlage">
    <Dokument Datei="{@name}" Platzhalter="ja"><xsl:apply-templates select="." mode="description"/></Dokument>
  </xsl:template>

  <xsl:template match="v:anlage" mode="description">
    <xsl:for-each select="@titel"><Titel><xsl:value-of select="."/></Titel></xsl:for-each>
    <xsl:for-each select="@art"><Dokumentart><xsl:value-of select="."/></Dokumentart></xsl:for-each>
  </xsl:template>
</xsl:stylesheet>
