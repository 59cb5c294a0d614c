<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → BauAkte 2 (SOAP 1.1 body): typed blocks; each file travels inside its block. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns:dds="urn:datendrehscheibe:anlage:1"
    xmlns:ba="urn:erfunden:bauakte:2"
    exclude-result-prefixes="v dds">
  <xsl:output method="xml" encoding="UTF-8" omit-xml-declaration="yes" indent="no"/>

  <xsl:variable name="small" select="'abcdefghijklmnopqrstuvwxyz'"/>
  <xsl:variable name="capital" select="'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"/>

  <xsl:key name="listed" match="v:anlagenverzeichnis/v:anlage" use="@name"/>
  <xsl:key name="received" match="v:sendung/v:anlage" use="@name"/>

  <xsl:template match="/v:vorgang">
    <ba:uebernehmeVorgang version="2.1">
      <xsl:apply-templates select="v:sendung"/>
      <ba:block art="VORGANG">
        <ba:text feld="verfahren"><xsl:value-of select="@verfahren"/></ba:text>
        <ba:text feld="anliegen"><xsl:value-of select="@art"/></ba:text>
        <xsl:apply-templates select="v:kopf/*" mode="field"/>
      </ba:block>
      <xsl:apply-templates select="v:beteiligter"/>
      <xsl:apply-templates select="v:gegenstand/v:abschnitt"/>
      <xsl:apply-templates select="v:sendung/v:anlage"/>
      <xsl:apply-templates select="v:anlagenverzeichnis/v:anlage[not(key('received', @name))]"/>
    </ba:uebernehmeVorgang>
  </xsl:template>

  <!-- BauAkte knows a repeated call by auftragsId. -->
  <xsl:template match="v:sendung">
    <ba:auftragsId><xsl:value-of select="@zustellung"/></ba:auftragsId>
    <ba:block art="HERKUNFT">
      <ba:text feld="nachricht"><xsl:value-of select="@nachricht"/></ba:text>
      <ba:zeitpunkt feld="angenommen"><xsl:value-of select="@angenommen"/></ba:zeitpunkt>
      <xsl:apply-templates select="@quelle|@regel|@release" mode="field"/>
      <ba:block art="BEHOERDE"><xsl:apply-templates select="v:behoerde/@*" mode="field"/></ba:block>
      <xsl:for-each select="v:kommune">
        <ba:block art="KOMMUNE"><xsl:apply-templates select="@*" mode="field"/></ba:block>
      </xsl:for-each>
    </ba:block>
  </xsl:template>

  <xsl:template match="v:beteiligter">
    <ba:block art="BETEILIGTER" kennung="{@id}">
      <xsl:apply-templates select="@rolle|@art|*" mode="field"/>
    </ba:block>
  </xsl:template>

  <xsl:template match="v:anschrift|v:bank" mode="field">
    <ba:block art="{translate(local-name(), $small, $capital)}">
      <xsl:apply-templates select="@*|*" mode="field"/>
    </ba:block>
  </xsl:template>

  <xsl:template match="@*|*" mode="field">
    <ba:text feld="{local-name()}"><xsl:value-of select="."/></ba:text>
  </xsl:template>
  <xsl:template match="v:geburtsdatum" mode="field">
    <ba:datum feld="geburtsdatum"><xsl:value-of select="."/></ba:datum>
  </xsl:template>
  <xsl:template match="v:erstellt" mode="field">
    <ba:zeitpunkt feld="erstellt"><xsl:value-of select="."/></ba:zeitpunkt>
  </xsl:template>

  <xsl:template match="v:abschnitt">
    <ba:block art="SACHVERHALT" kennung="{@schluessel}" titel="{@titel}">
      <xsl:apply-templates select="*"/>
    </ba:block>
  </xsl:template>

  <!-- One element per type, so that BauAkte checks each value by its schema. -->
  <xsl:template match="v:angabe">
    <ba:text feld="{@schluessel}" titel="{@titel}"><xsl:call-template name="content"/></ba:text>
  </xsl:template>
  <xsl:template match="v:angabe[@typ = 'datum']">
    <ba:datum feld="{@schluessel}" titel="{@titel}"><xsl:call-template name="content"/></ba:datum>
  </xsl:template>
  <xsl:template match="v:angabe[@typ = 'datum' and contains(., 'T')]" priority="1">
    <ba:zeitpunkt feld="{@schluessel}" titel="{@titel}"><xsl:call-template name="content"/></ba:zeitpunkt>
  </xsl:template>
  <xsl:template match="v:angabe[@typ = 'zahl']">
    <ba:dezimal feld="{@schluessel}" titel="{@titel}"><xsl:call-template name="content"/></ba:dezimal>
  </xsl:template>
  <xsl:template match="v:angabe[@typ = 'betrag']">
    <ba:betrag feld="{@schluessel}" titel="{@titel}"><xsl:call-template name="content"/></ba:betrag>
  </xsl:template>
  <xsl:template match="v:angabe[@typ = 'ja-nein']">
    <ba:logisch feld="{@schluessel}" titel="{@titel}"><xsl:call-template name="content"/></ba:logisch>
  </xsl:template>
  <xsl:template match="v:angabe[@typ = 'code']">
    <ba:schluesselwert feld="{@schluessel}" titel="{@titel}"><xsl:call-template name="content"/></ba:schluesselwert>
  </xsl:template>

  <xsl:template name="content">
    <xsl:copy-of select="@einheit|@liste"/>
    <xsl:value-of select="."/>
  </xsl:template>

  <!-- The adapter puts the base64 of the file in the place of dds:inhalt. -->
  <xsl:template match="v:sendung/v:anlage">
    <ba:block art="ANLAGE">
      <xsl:apply-templates select="@*" mode="field"/>
      <xsl:for-each select="key('listed', @name)">
        <ba:block art="BESCHREIBUNG"><xsl:apply-templates select="@art|@titel" mode="field"/></ba:block>
      </xsl:for-each>
      <ba:datei><dds:inhalt name="{@name}"/></ba:datei>
    </ba:block>
  </xsl:template>

  <xsl:template match="v:anlagenverzeichnis/v:anlage">
    <ba:block art="ANLAGE_ANGEKUENDIGT"><xsl:apply-templates select="@*" mode="field"/></ba:block>
  </xsl:template>
</xsl:stylesheet>
