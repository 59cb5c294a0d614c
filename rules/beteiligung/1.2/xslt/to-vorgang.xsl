<?xml version="1.0" encoding="UTF-8"?>
<!-- Beteiligung 1.2 (XBeteiligung 0401) in die gemeinsame Form. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:x="https://www.xleitstelle.de/xbeteiligung/12"
                xmlns:g="http://xoev.de/schemata/basisnachricht/g2g/1_1"
                xmlns:b="http://xoev.de/schemata/basisnachricht/behoerde/1_1"
                exclude-result-prefixes="x g b">

  <xsl:import href="../../../lib/1/vorgang.xsl"/>
  <xsl:include href="felder.xsl"/>

  <!-- Dieselbe Datei liegt oft Behörden und Öffentlichkeit vor; das Verzeichnis nennt sie einmal. -->
  <xsl:key name="datei" match="anlage[anhangOderVerlinkung/x:anhang]" use="normalize-space(anhangOderVerlinkung/x:anhang/dateiname)"/>

  <xsl:template match="/x:kommunal.Initiieren.0401">
    <xsl:variable name="inhalt" select="x:nachrichteninhalt"/>
    <xsl:variable name="anlagen" select="$inhalt//anlage[anhangOderVerlinkung/x:anhang]
      [count(. | key('datei', normalize-space(anhangOderVerlinkung/x:anhang/dateiname))[1]) = 1]"/>
    <vorgang verfahren="beteiligung" art="initiieren" version="1">
      <kopf>
        <kennung><xsl:value-of select="normalize-space($inhalt/x:vorgangsID)"/></kennung>
        <erstellt><xsl:value-of select="normalize-space(g:nachrichtenkopf.g2g/g:identifikation.nachricht/g:erstellungszeitpunkt)"/></erstellt>
        <xsl:apply-templates select="g:nachrichtenkopf.g2g/g:leser/b:kennung" mode="kommune"/>
        <betreff>Bauleitplanung: Beteiligung</betreff>
      </kopf>
      <xsl:apply-templates select="$inhalt/x:beteiligung/x:akteurVorhaben/x:veranlasser" mode="akteur">
        <xsl:with-param name="rolle">antragsteller</xsl:with-param>
      </xsl:apply-templates>
      <xsl:for-each select="$inhalt/x:beteiligung/x:akteurVorhaben/x:weitereAkteure">
        <xsl:apply-templates select="x:akteur" mode="akteur">
          <xsl:with-param name="rolle">
            <xsl:choose>
              <xsl:when test="normalize-space(x:rolle/x:nichtgelisteterWert) = 'Träger öffentlicher Belange'">traeger-oeffentlicher-belange</xsl:when>
              <xsl:when test="normalize-space(x:rolle/x:code/code) = '1000'">traeger-des-verfahrens</xsl:when>
              <xsl:otherwise>weiterer-akteur</xsl:otherwise>
            </xsl:choose>
          </xsl:with-param>
        </xsl:apply-templates>
      </xsl:for-each>
      <gegenstand>
        <xsl:apply-templates select="$inhalt/x:beteiligung" mode="gegenstand"/>
        <xsl:apply-templates select="$inhalt/x:beteiligung/x:beteiligungTOEB | $inhalt/x:beteiligung/x:beteiligungOeffentlichkeit" mode="gegenstand"/>
      </gegenstand>
      <xsl:if test="$anlagen">
        <anlagenverzeichnis>
          <xsl:apply-templates select="$anlagen" mode="verzeichnis"/>
        </anlagenverzeichnis>
      </xsl:if>
    </vorgang>
  </xsl:template>

  <!-- Der Leser ist die Stelle, die das Verfahren führt; ihre Kennung beginnt mit dem Regionalschlüssel. -->
  <xsl:template match="b:kennung" mode="kommune">
    <xsl:variable name="ars" select="substring(substring-after(normalize-space(.), ':'), 1, 12)"/>
    <xsl:if test="translate($ars, '0123456789', '999999999999') = '999999999999'">
      <kommune><xsl:value-of select="$ars"/></kommune>
    </xsl:if>
  </xsl:template>

  <!-- Beteiligte sind Organisationen; wen man dort anspricht, steht im Gegenstand. -->
  <xsl:template match="x:veranlasser | x:akteur" mode="akteur">
    <xsl:param name="rolle"/>
    <beteiligter rolle="{$rolle}" art="organisation">
      <xsl:attribute name="id"><xsl:apply-templates select="." mode="id"/></xsl:attribute>
      <name><xsl:value-of select="name/name"/></name>
      <xsl:for-each select="registereintrag/eintragungNr[string()]">
        <registernummer><xsl:value-of select="."/></registernummer>
      </xsl:for-each>
      <xsl:apply-templates select="anschrift[*]" mode="anschrift"/>
      <xsl:for-each select="kommunikation[normalize-space(kanal/code) = '01'][string(kennung)][1]">
        <email><xsl:value-of select="kennung"/></email>
      </xsl:for-each>
      <xsl:for-each select="kommunikation[normalize-space(kanal/code) = '02' or normalize-space(kanal/code) = '03'][string(kennung)][1]">
        <telefon><xsl:value-of select="kennung"/></telefon>
      </xsl:for-each>
    </beteiligter>
  </xsl:template>

  <xsl:template match="x:veranlasser" mode="id">b1</xsl:template>
  <xsl:template match="x:akteur" mode="id">
    <xsl:value-of select="concat('b', 2 + count(../preceding-sibling::x:weitereAkteure))"/>
  </xsl:template>

  <xsl:template match="anschrift" mode="anschrift">
    <anschrift>
      <xsl:attribute name="art">
        <xsl:choose>
          <xsl:when test="preceding-sibling::anschrift">weitere</xsl:when>
          <xsl:otherwise>haupt</xsl:otherwise>
        </xsl:choose>
      </xsl:attribute>
      <xsl:choose>
        <xsl:when test="string(strasse)"><xsl:apply-templates select="strasse" mode="kopie"/></xsl:when>
        <xsl:when test="string(strasseHausnummer)"><strasse><xsl:value-of select="strasseHausnummer"/></strasse></xsl:when>
        <xsl:when test="string(postfach)"><strasse>Postfach <xsl:value-of select="postfach"/></strasse></xsl:when>
      </xsl:choose>
      <xsl:apply-templates select="hausnummer[string()]" mode="kopie"/>
      <xsl:apply-templates select="zusatz[string()]" mode="kopie"/>
      <xsl:for-each select="postleitzahl[string()]">
        <plz><xsl:value-of select="."/></plz>
      </xsl:for-each>
      <xsl:if test="string(ort)">
        <ort>
          <xsl:value-of select="ort"/>
          <xsl:if test="string(ortsteil)">, <xsl:value-of select="ortsteil"/></xsl:if>
        </ort>
      </xsl:if>
      <xsl:for-each select="staat/staat[normalize-space(code) != '000']">
        <land><xsl:value-of select="normalize-space(code)"/></land>
      </xsl:for-each>
    </anschrift>
  </xsl:template>

  <xsl:template match="anlage" mode="verzeichnis">
    <anlage name="{normalize-space(anhangOderVerlinkung/x:anhang/dateiname)}">
      <xsl:if test="normalize-space(anlageart/code)">
        <xsl:attribute name="art"><xsl:value-of select="translate(normalize-space(anlageart/code), ' ', '_')"/></xsl:attribute>
      </xsl:if>
      <xsl:if test="normalize-space(bezeichnung)">
        <xsl:attribute name="titel"><xsl:value-of select="normalize-space(bezeichnung)"/></xsl:attribute>
      </xsl:if>
    </anlage>
  </xsl:template>
</xsl:stylesheet>
