<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → Registratur 1 (XML in a folder per case): the manner of xdomea (Schriftgutobjekt, Metadaten,
     Version, Primaerdokument), but a format of its own. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns:f="urn:datendrehscheibe:lib:text:1"
    xmlns:rg="urn:erfunden:registratur:1"
    exclude-result-prefixes="v f">
  <xsl:import href="../../../../lib/1/text.xsl"/>
  <xsl:output method="xml" encoding="UTF-8" indent="no"/>

  <xsl:variable name="small" select="'abcdefghijklmnopqrstuvwxyz'"/>
  <xsl:variable name="capital" select="'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"/>

  <xsl:key name="listed" match="v:anlagenverzeichnis/v:anlage" use="@name"/>
  <xsl:key name="received" match="v:sendung/v:anlage" use="@name"/>

  <xsl:template match="/v:vorgang">
    <rg:Uebergabe>
      <xsl:apply-templates select="v:sendung"/>
      <rg:Schriftgutobjekt>
        <rg:Vorgang>
          <rg:Identifikation>
            <rg:ID><xsl:value-of select="v:kopf/v:kennung"/></rg:ID>
          </rg:Identifikation>
          <rg:AllgemeineMetadaten>
            <rg:Betreff><xsl:value-of select="v:kopf/v:betreff"/></rg:Betreff>
            <xsl:for-each select="v:kopf/v:aktenzeichen"><rg:Kennzeichen><xsl:value-of select="."/></rg:Kennzeichen></xsl:for-each>
            <rg:Verfahren><rg:Name><xsl:value-of select="@verfahren"/></rg:Name><rg:Anliegen><xsl:value-of select="@art"/></rg:Anliegen></rg:Verfahren>
            <xsl:for-each select="v:kopf/v:leistung"><rg:Leistung><xsl:value-of select="."/></rg:Leistung></xsl:for-each>
            <xsl:for-each select="v:kopf/v:kommune"><rg:Gebiet><xsl:value-of select="."/></rg:Gebiet></xsl:for-each>
            <rg:Laufzeit><rg:Beginn><xsl:value-of select="v:kopf/v:erstellt"/></rg:Beginn></rg:Laufzeit>
          </rg:AllgemeineMetadaten>
          <xsl:apply-templates select="v:beteiligter"/>
          <xsl:apply-templates select="v:sendung/v:anlage"/>
          <xsl:apply-templates select="v:anlagenverzeichnis/v:anlage[not(key('received', @name))]"/>
          <rg:AnwendungsspezifischeDaten><xsl:apply-templates select="v:gegenstand/v:abschnitt"/></rg:AnwendungsspezifischeDaten>
        </rg:Vorgang>
      </rg:Schriftgutobjekt>
    </rg:Uebergabe>
  </xsl:template>

  <!-- Registratur takes a ProzessID once. -->
  <xsl:template match="v:sendung">
    <rg:Kopf>
      <rg:ProzessID><xsl:value-of select="@zustellung"/></rg:ProzessID>
      <rg:NachrichtenID><xsl:value-of select="@nachricht"/></rg:NachrichtenID>
      <rg:Annahme><xsl:value-of select="@angenommen"/></rg:Annahme>
      <rg:Absender><rg:System><xsl:value-of select="@quelle"/></rg:System></rg:Absender>
      <rg:Empfaenger>
        <rg:Behoerdenkennung><xsl:value-of select="v:behoerde/@kennung"/></rg:Behoerdenkennung>
        <rg:Behoerdenname><xsl:value-of select="v:behoerde/@name"/></rg:Behoerdenname>
        <xsl:for-each select="v:kommune">
          <rg:Kommune><rg:ARS><xsl:value-of select="@ars"/></rg:ARS><rg:Name><xsl:value-of select="@name"/></rg:Name></rg:Kommune>
        </xsl:for-each>
      </rg:Empfaenger>
      <rg:Nachweis><rg:Regel><xsl:value-of select="@regel"/></rg:Regel><rg:Depotstand><xsl:value-of select="@release"/></rg:Depotstand></rg:Nachweis>
    </rg:Kopf>
  </xsl:template>

  <!-- Anzeigename is for the list in the registry; the parts follow. -->
  <xsl:template match="v:beteiligter">
    <rg:Kontakt ID="{@id}">
      <rg:Anzeigename><xsl:value-of select="f:name(.)"/></rg:Anzeigename>
      <rg:Rolle><xsl:value-of select="@rolle"/></rg:Rolle>
      <rg:Kontaktart><xsl:value-of select="@art"/></rg:Kontaktart>
      <xsl:apply-templates select="*" mode="element"/>
    </rg:Kontakt>
  </xsl:template>

  <xsl:template match="*" mode="element">
    <xsl:element name="rg:{translate(substring(local-name(), 1, 1), $small, $capital)}{substring(local-name(), 2)}"><xsl:value-of select="."/></xsl:element>
  </xsl:template>
  <xsl:template match="v:anschrift|v:bank" mode="element">
    <xsl:element name="rg:{translate(substring(local-name(), 1, 1), $small, $capital)}{substring(local-name(), 2)}">
      <xsl:copy-of select="@art"/>
      <xsl:apply-templates select="*" mode="element"/>
    </xsl:element>
  </xsl:template>

  <xsl:template match="v:sendung/v:anlage">
    <rg:Dokument>
      <xsl:apply-templates select="key('listed', @name)" mode="description"/>
      <rg:Version>
        <rg:Format><xsl:value-of select="@medientyp"/></rg:Format>
        <rg:Primaerdokument>
          <rg:Dateiname><xsl:value-of select="@name"/></rg:Dateiname>
          <rg:Dateigroesse><xsl:value-of select="@bytes"/></rg:Dateigroesse>
          <rg:Hashwert Verfahren="SHA-256"><xsl:value-of select="@sha256"/></rg:Hashwert>
        </rg:Primaerdokument>
      </rg:Version>
    </rg:Dokument>
  </xsl:template>

  <!-- Announced, not received: a Dokument without Version. -->
  <xsl:template match="v:anlagenverzeichnis/v:anlage">
    <rg:Dokument>
      <xsl:apply-templates select="." mode="description"/>
      <rg:FehlendeDatei><xsl:value-of select="@name"/></rg:FehlendeDatei>
    </rg:Dokument>
  </xsl:template>

  <xsl:template match="v:anlage" mode="description">
    <xsl:for-each select="@titel"><rg:Betreff><xsl:value-of select="."/></rg:Betreff></xsl:for-each>
    <xsl:for-each select="@art"><rg:Typ><xsl:value-of select="."/></rg:Typ></xsl:for-each>
  </xsl:template>

  <xsl:template match="v:abschnitt">
    <rg:Feldgruppe Name="{@schluessel}">
      <rg:Titel><xsl:value-of select="@titel"/></rg:Titel>
      <xsl:apply-templates select="*"/>
    </rg:Feldgruppe>
  </xsl:template>

  <xsl:template match="v:angabe">
    <rg:Feld Name="{@schluessel}" Typ="{@typ}">
      <rg:Titel><xsl:value-of select="@titel"/></rg:Titel>
      <rg:Wert><xsl:value-of select="."/></rg:Wert>
      <xsl:for-each select="@einheit"><rg:Einheit><xsl:value-of select="."/></rg:Einheit></xsl:for-each>
      <xsl:for-each select="@liste"><rg:Codeliste><xsl:value-of select="."/></rg:Codeliste></xsl:for-each>
    </rg:Feld>
  </xsl:template>
</xsl:stylesheet>
