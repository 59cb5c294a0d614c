<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → SteuerWerk 3 (JSON): nested objects, the subject matter keyed by section and field. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns="http://www.w3.org/2005/xpath-functions"
    exclude-result-prefixes="v">
  <xsl:import href="../../../../lib/1/json.xsl"/>
  <xsl:output method="xml" encoding="UTF-8" indent="no"/>

  <!-- Sections and fields that share parent and key: members of a JSON object must be unique. -->
  <xsl:key name="namesakes" match="v:abschnitt|v:angabe" use="concat(generate-id(..), ' ', local-name(), ' ', @schluessel)"/>

  <xsl:template match="/v:vorgang">
    <map>
      <string key="schnittstelle">steuerwerk/3.2</string>
      <xsl:apply-templates select="v:sendung"/>
      <map key="vorgang">
        <string key="verfahren"><xsl:value-of select="@verfahren"/></string>
        <string key="vorgangsart"><xsl:value-of select="@art"/></string>
        <xsl:apply-templates select="v:kopf/*" mode="member"/>
      </map>
      <array key="beteiligte"><xsl:apply-templates select="v:beteiligter"/></array>
      <map key="sachverhalt"><xsl:apply-templates select="v:gegenstand" mode="sections"/></map>
      <array key="anlagen"><xsl:apply-templates select="v:sendung/v:anlage"/></array>
      <array key="anlagenverzeichnis"><xsl:apply-templates select="v:anlagenverzeichnis/v:anlage"/></array>
    </map>
  </xsl:template>

  <!-- SteuerWerk knows a delivery again by zustellungId. -->
  <xsl:template match="v:sendung">
    <map key="zustellung">
      <string key="zustellungId"><xsl:value-of select="@zustellung"/></string>
      <string key="nachrichtId"><xsl:value-of select="@nachricht"/></string>
      <string key="angenommenAm"><xsl:value-of select="@angenommen"/></string>
      <xsl:apply-templates select="@quelle|@release|@regel" mode="member"/>
      <map key="dienststelle"><xsl:apply-templates select="v:behoerde/@*" mode="member"/></map>
      <map key="gemeinde"><xsl:apply-templates select="v:kommune/@*" mode="member"/></map>
    </map>
  </xsl:template>

  <xsl:template match="v:kopf/v:kennung" mode="member">
    <string key="vorgangskennung"><xsl:value-of select="."/></string>
  </xsl:template>
  <xsl:template match="v:kopf/v:erstellt" mode="member">
    <string key="erstelltAm"><xsl:value-of select="."/></string>
  </xsl:template>
  <xsl:template match="v:kopf/v:leistung" mode="member">
    <string key="leistungsschluessel"><xsl:value-of select="."/></string>
  </xsl:template>
  <xsl:template match="v:kopf/v:kommune" mode="member">
    <string key="gemeindeschluessel"><xsl:value-of select="."/></string>
  </xsl:template>

  <!-- person or organisation holds what is particular to it; the rest is common. -->
  <xsl:template match="v:beteiligter">
    <map>
      <xsl:apply-templates select="@id|@rolle" mode="member"/>
      <map key="{@art}">
        <xsl:apply-templates select="*[not(self::v:anschrift or self::v:email or self::v:telefon or self::v:bank)]" mode="member"/>
      </map>
      <array key="anschriften"><xsl:apply-templates select="v:anschrift"/></array>
      <map key="kontakt"><xsl:apply-templates select="v:email|v:telefon" mode="member"/></map>
      <xsl:if test="v:bank">
        <map key="bankverbindung"><xsl:apply-templates select="v:bank/*" mode="member"/></map>
      </xsl:if>
    </map>
  </xsl:template>

  <xsl:template match="v:beteiligter/v:geburtsname" mode="member">
    <string key="geburtsName"><xsl:value-of select="."/></string>
  </xsl:template>
  <xsl:template match="v:beteiligter/v:geburtsdatum" mode="member">
    <string key="geburtsDatum"><xsl:value-of select="."/></string>
  </xsl:template>
  <xsl:template match="v:beteiligter/v:geburtsort" mode="member">
    <string key="geburtsOrt"><xsl:value-of select="."/></string>
  </xsl:template>
  <xsl:template match="v:beteiligter/v:registernummer" mode="member">
    <string key="registerNummer"><xsl:value-of select="."/></string>
  </xsl:template>

  <xsl:template match="v:anschrift">
    <map><xsl:apply-templates select="@art|*" mode="member"/></map>
  </xsl:template>

  <!-- The sections below the current node: one member per key, each an array, for keys may repeat. -->
  <xsl:template match="*" mode="sections">
    <xsl:for-each select="v:abschnitt[generate-id() = generate-id(key('namesakes', concat(generate-id(..), ' abschnitt ', @schluessel))[1])]">
      <array key="{@schluessel}">
        <xsl:apply-templates select="key('namesakes', concat(generate-id(..), ' abschnitt ', @schluessel))"/>
      </array>
    </xsl:for-each>
  </xsl:template>

  <xsl:template match="v:abschnitt">
    <map>
      <xsl:apply-templates select="@titel" mode="member"/>
      <map key="felder">
        <xsl:for-each select="v:angabe[generate-id() = generate-id(key('namesakes', concat(generate-id(..), ' angabe ', @schluessel))[1])]">
          <array key="{@schluessel}">
            <xsl:apply-templates select="key('namesakes', concat(generate-id(..), ' angabe ', @schluessel))"/>
          </array>
        </xsl:for-each>
      </map>
      <xsl:if test="v:abschnitt">
        <map key="unterabschnitte"><xsl:apply-templates select="." mode="sections"/></map>
      </xsl:if>
    </map>
  </xsl:template>

  <xsl:template match="v:angabe">
    <map>
      <xsl:apply-templates select="@titel|@typ" mode="member"/>
      <xsl:apply-templates select="." mode="value"><xsl:with-param name="key" select="'wert'"/></xsl:apply-templates>
      <xsl:apply-templates select="@einheit|@liste" mode="member"/>
    </map>
  </xsl:template>

  <xsl:template match="v:sendung/v:anlage">
    <map>
      <string key="dateiName"><xsl:value-of select="@name"/></string>
      <string key="medienTyp"><xsl:value-of select="@medientyp"/></string>
      <number key="groesseBytes"><xsl:value-of select="@bytes"/></number>
      <string key="sha256"><xsl:value-of select="@sha256"/></string>
    </map>
  </xsl:template>

  <xsl:template match="v:anlagenverzeichnis/v:anlage">
    <map>
      <string key="dateiName"><xsl:value-of select="@name"/></string>
      <xsl:apply-templates select="@art|@titel" mode="member"/>
    </map>
  </xsl:template>
</xsl:stylesheet>
