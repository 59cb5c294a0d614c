<?xml version="1.0" encoding="UTF-8"?>
<!-- Gewerbeanzeige 2.2: An-, Um- und Abmeldung in die gemeinsame Form. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:g="http://www.xgewerbeanzeige.de/spezifikation/2.2" exclude-result-prefixes="g">

  <xsl:import href="../../../lib/1/vorgang.xsl"/>
  <xsl:include href="felder.xsl"/>

  <xsl:template match="/g:*">
    <vorgang verfahren="gewerbeanzeige" version="1">
      <xsl:attribute name="art"><xsl:value-of select="local-name(g:satz/*)"/></xsl:attribute>
      <xsl:apply-templates select="g:satz/*"/>
    </vorgang>
  </xsl:template>

  <xsl:template match="g:satz/*">
    <kopf>
      <kennung><xsl:value-of select="g:gewerbebetriebID"/></kennung>
      <erstellt><xsl:value-of select="../../g:nachrichtenkopf/g:identifikation.nachricht/g:erstellungszeitpunkt"/></erstellt>
      <!-- Der Vorgang nennt die Gemeinde mit zwölf Ziffern; einen achtstelligen Schlüssel ergänzt die Sendung. -->
      <xsl:if test="string-length(normalize-space(g:gemeindeSchluessel/code)) = 12">
        <kommune><xsl:value-of select="normalize-space(g:gemeindeSchluessel/code)"/></kommune>
      </xsl:if>
      <betreff>
        <xsl:text>Gewerbe: </xsl:text>
        <xsl:apply-templates select="." mode="name"/>
        <xsl:if test="normalize-space(g:istKorrektur/code) = '1'"> (Korrektur)</xsl:if>
      </betreff>
      <xsl:for-each select="g:gemeindeMeldungNr">
        <aktenzeichen><xsl:value-of select="."/></aktenzeichen>
      </xsl:for-each>
    </kopf>
    <xsl:apply-templates select="g:gewerbe" mode="beteiligte"/>
    <gegenstand>
      <abschnitt schluessel="meldung" titel="Meldung">
        <xsl:apply-templates select="g:uuid | g:istKorrektur | g:gemeindeSchluessel | g:gueltigAb | g:datumMeldung
          | g:ereigniszeitpunkt | g:grundAnmeldungSchluessel | g:gruendeUmmeldung/* | g:grundAbmeldungSchluessel
          | g:ursacheAbmeldungSchluessel" mode="gegenstand"/>
      </abschnitt>
      <xsl:apply-templates select="g:gewerbe | g:taetigkeitenGesamt" mode="gegenstand"/>
    </gegenstand>
  </xsl:template>

  <xsl:template match="g:anmeldung" mode="name">Anmeldung</xsl:template>
  <xsl:template match="g:ummeldung" mode="name">Ummeldung</xsl:template>
  <xsl:template match="g:abmeldung" mode="name">Abmeldung</xsl:template>

  <!--
    Beteiligte: wer das Gewerbe betreibt, steht voran. Das sind die Personen mit Funktion 1, sonst der eingetragene
    Betrieb selbst; alle anderen Personen vertreten ihn.
  -->
  <xsl:template match="g:gewerbe" mode="beteiligte">
    <xsl:variable name="inhaber" select="g:beteiligtePerson[normalize-space(g:personFunktion/code) = '1']"/>
    <xsl:apply-templates select="$inhaber" mode="person">
      <xsl:with-param name="rolle">antragsteller</xsl:with-param>
    </xsl:apply-templates>
    <xsl:apply-templates select="g:betrieb" mode="betrieb">
      <xsl:with-param name="inhaber" select="$inhaber"/>
    </xsl:apply-templates>
    <xsl:apply-templates select="g:beteiligtePerson[normalize-space(g:personFunktion/code) != '1']" mode="person">
      <xsl:with-param name="rolle">vertreter</xsl:with-param>
    </xsl:apply-templates>
  </xsl:template>

  <xsl:template match="g:betrieb" mode="betrieb">
    <xsl:param name="inhaber"/>
    <beteiligter art="organisation" id="b{1 + count(../g:beteiligtePerson)}">
      <xsl:attribute name="rolle">
        <xsl:choose>
          <xsl:when test="$inhaber">betrieb</xsl:when>
          <xsl:otherwise>antragsteller</xsl:otherwise>
        </xsl:choose>
      </xsl:attribute>
      <name><xsl:value-of select="g:eingetragenerName"/></name>
      <rechtsform><xsl:value-of select="normalize-space(g:rechtsformSchluessel/code)"/></rechtsform>
      <xsl:for-each select="g:eintragungNr">
        <registernummer><xsl:value-of select="."/></registernummer>
      </xsl:for-each>
      <xsl:apply-templates select="../g:anschrift" mode="anschrift"/>
      <xsl:apply-templates select=".." mode="erreichbar"/>
    </beteiligter>
  </xsl:template>

  <xsl:template match="g:beteiligtePerson" mode="person">
    <xsl:param name="rolle"/>
    <beteiligter rolle="{$rolle}" art="person" id="b{1 + count(preceding-sibling::g:beteiligtePerson)}">
      <name><xsl:value-of select="g:familienname"/></name>
      <xsl:for-each select="g:vorname">
        <vorname><xsl:value-of select="."/></vorname>
      </xsl:for-each>
      <xsl:apply-templates select="g:geburtsname" mode="kopie"/>
      <!-- TTMMJJJJ; ein unvollständiges Datum ist keines und bleibt im Gegenstand stehen. -->
      <xsl:for-each select="g:geburtsdatum[substring(., 1, 2) != '00' and substring(., 3, 2) != '00']">
        <geburtsdatum><xsl:value-of select="concat(substring(., 5, 4), '-', substring(., 3, 2), '-', substring(., 1, 2))"/></geburtsdatum>
      </xsl:for-each>
      <xsl:apply-templates select="g:geburtsort" mode="kopie"/>
      <xsl:if test="g:staatangehoerigkeiten">
        <staatsangehoerigkeit>
          <xsl:for-each select="g:staatangehoerigkeiten/*">
            <xsl:if test="position() &gt; 1">, </xsl:if>
            <xsl:value-of select="normalize-space(code)"/>
          </xsl:for-each>
        </staatsangehoerigkeit>
      </xsl:if>
      <xsl:apply-templates select="g:anschrift" mode="anschrift"/>
      <xsl:apply-templates select="." mode="erreichbar"/>
    </beteiligter>
  </xsl:template>

  <xsl:template match="g:anschrift" mode="anschrift">
    <anschrift art="haupt">
      <xsl:apply-templates select="g:strasse" mode="kopie"/>
      <xsl:if test="g:hausNrVon">
        <hausnummer>
          <xsl:value-of select="g:hausNrVon"/>
          <xsl:if test="g:hausNrBis"><xsl:value-of select="concat('-', g:hausNrBis)"/></xsl:if>
        </hausnummer>
      </xsl:if>
      <xsl:for-each select="g:anschriftZusatz">
        <zusatz><xsl:value-of select="."/></zusatz>
      </xsl:for-each>
      <xsl:apply-templates select="g:plz" mode="kopie"/>
      <xsl:apply-templates select="g:ort" mode="kopie"/>
      <xsl:if test="normalize-space(g:nationSchluessel/code) != '276'">
        <land><xsl:value-of select="normalize-space(g:nationSchluessel/code)"/></land>
      </xsl:if>
    </anschrift>
  </xsl:template>

  <!-- Die erste E-Mail und das erste Telefon; alle Wege stehen im Gegenstand. -->
  <xsl:template match="*" mode="erreichbar">
    <xsl:for-each select="g:erreichbarkeit[normalize-space(g:kanal/code) = '01'][1]">
      <email><xsl:value-of select="g:kennung"/></email>
    </xsl:for-each>
    <xsl:for-each select="g:erreichbarkeit[normalize-space(g:kanal/code) = '02' or normalize-space(g:kanal/code) = '03'][1]">
      <telefon><xsl:value-of select="g:kennung"/></telefon>
    </xsl:for-each>
  </xsl:template>
</xsl:stylesheet>
