<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → KommunalSuite 9 (index of the container): a manifest that leads to the module, then elements only. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns:exsl="http://exslt.org/common"
    xmlns="urn:erfunden:kommunalsuite:9"
    exclude-result-prefixes="v exsl">
  <xsl:output method="xml" encoding="UTF-8" indent="no"/>

  <xsl:variable name="small" select="'abcdefghijklmnopqrstuvwxyz'"/>
  <xsl:variable name="capital" select="'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"/>

  <!-- Module of the suite by procedure; what is not listed goes to the general post room. -->
  <xsl:variable name="modules">
    <module of="hundesteuer">FINANZEN</module>
    <module of="wohngeld">SOZIALES</module>
    <module of="gewerbeanzeige">GEWERBE</module>
    <module of="sondernutzung">ORDNUNG</module>
    <module of="bauantrag">BAUEN</module>
    <module of="beteiligung">BAUEN</module>
    <module of="personenstandsurkunde">STANDESAMT</module>
  </xsl:variable>

  <xsl:template match="/v:vorgang">
    <xsl:variable name="module" select="exsl:node-set($modules)/*[@of = current()/@verfahren]"/>
    <Paket>
      <Manifest>
        <Version>9.3</Version>
        <PaketNummer><xsl:value-of select="v:sendung/@zustellung"/></PaketNummer>
        <Modul>
          <xsl:value-of select="$module"/>
          <xsl:if test="not($module)">POSTEINGANG</xsl:if>
        </Modul>
        <Sendung>
          <xsl:apply-templates select="v:sendung/@*[name() != 'zustellung']" mode="element"/>
          <Empfaenger><xsl:apply-templates select="v:sendung/v:behoerde/@*" mode="element"/></Empfaenger>
          <xsl:for-each select="v:sendung/v:kommune">
            <Mandant><xsl:apply-templates select="@*" mode="element"/></Mandant>
          </xsl:for-each>
        </Sendung>
        <Dateien><xsl:apply-templates select="v:sendung/v:anlage"/></Dateien>
      </Manifest>
      <Fall>
        <xsl:apply-templates select="@verfahren|@art|v:kopf/*" mode="element"/>
        <Personen><xsl:apply-templates select="v:beteiligter"/></Personen>
        <Formular><xsl:apply-templates select="v:gegenstand/v:abschnitt"/></Formular>
        <Belege>
          <xsl:for-each select="v:anlagenverzeichnis/v:anlage">
            <Beleg><xsl:apply-templates select="@*" mode="element"/></Beleg>
          </xsl:for-each>
        </Belege>
      </Fall>
    </Paket>
  </xsl:template>

  <xsl:template match="v:sendung/v:anlage">
    <Datei><xsl:apply-templates select="@*" mode="element"/></Datei>
  </xsl:template>

  <xsl:template match="v:beteiligter">
    <Person>
      <xsl:apply-templates select="@*|*[not(*)]" mode="element"/>
      <xsl:for-each select="v:anschrift">
        <Anschrift><xsl:apply-templates select="@*|*" mode="element"/></Anschrift>
      </xsl:for-each>
      <xsl:for-each select="v:bank">
        <Bankverbindung><xsl:apply-templates select="*" mode="element"/></Bankverbindung>
      </xsl:for-each>
    </Person>
  </xsl:template>

  <xsl:template match="v:abschnitt">
    <Gruppe>
      <xsl:apply-templates select="@*" mode="element"/>
      <xsl:apply-templates select="*"/>
    </Gruppe>
  </xsl:template>

  <xsl:template match="v:angabe">
    <Feld>
      <Schluessel><xsl:value-of select="@schluessel"/></Schluessel>
      <Titel><xsl:value-of select="@titel"/></Titel>
      <Typ><xsl:value-of select="@typ"/></Typ>
      <xsl:apply-templates select="@einheit|@liste" mode="element"/>
      <Wert><xsl:value-of select="."/></Wert>
    </Feld>
  </xsl:template>

  <xsl:template match="@*|*" mode="element">
    <xsl:element name="{translate(substring(local-name(), 1, 1), $small, $capital)}{substring(local-name(), 2)}">
      <xsl:value-of select="."/>
    </xsl:element>
  </xsl:template>
</xsl:stylesheet>
