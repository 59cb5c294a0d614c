<?xml version="1.0" encoding="UTF-8"?>
<!--
  Gemeinsame Vorlagen für Nachrichten, deren Schema auf bausteine.xsd aufbaut: Kopf, Beteiligte, Anlagen. Die Regel
  liefert das Gerüst des Vorgangs und je Feld eine Vorlage im Modus „gegenstand“.

  Die Vorlagen fragen nach dem lokalen Namen, weil jedes Verfahren seinen eigenen Namensraum hat.
-->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:set="http://exslt.org/sets" exclude-result-prefixes="set">

  <xsl:output method="xml" encoding="UTF-8" indent="no"/>
  <xsl:strip-space elements="*"/>

  <!-- Kopf -->

  <xsl:template match="*" mode="kopf">
    <xsl:param name="betreff"/>
    <kopf>
      <kennung><xsl:value-of select="*[local-name() = 'vorgang']"/></kennung>
      <xsl:apply-templates select="*[local-name() = 'erstellt' or local-name() = 'leistung']" mode="kopie"/>
      <kommune><xsl:value-of select="*[local-name() = 'ars']"/></kommune>
      <betreff><xsl:value-of select="$betreff"/></betreff>
      <xsl:apply-templates select="*[local-name() = 'aktenzeichen']" mode="kopie"/>
    </kopf>
  </xsl:template>

  <!--
    Beteiligte: jede person und jede organisation der Nachricht. Die Rolle ist der Name des umgebenden Elements, wenn
    die Regel keine nennt; die Kennung zählt in der Reihenfolge der Nachricht und ist darum bei jedem Lauf dieselbe.
  -->

  <xsl:template match="*" mode="beteiligter">
    <xsl:param name="rolle" select="local-name(..)"/>
    <xsl:param name="bank" select="/.."/>
    <xsl:param name="zustellung" select="/.."/>
    <beteiligter rolle="{$rolle}" art="{local-name()}">
      <xsl:attribute name="id"><xsl:apply-templates select="." mode="id"/></xsl:attribute>
      <!-- Welche Felder es gibt, sagen die Typen Person und Organisation in bausteine.xsd; jede Suche nach einem kostet. -->
      <xsl:choose>
        <xsl:when test="local-name() = 'organisation'">
          <name><xsl:value-of select="*[local-name() = 'name']"/></name>
          <xsl:for-each select="*[local-name() = 'rechtsform']"><rechtsform><xsl:value-of select="."/></rechtsform></xsl:for-each>
          <xsl:for-each select="*[local-name() = 'registernummer']"><registernummer><xsl:value-of select="."/></registernummer></xsl:for-each>
        </xsl:when>
        <xsl:otherwise>
          <name><xsl:value-of select="*[local-name() = 'familienname']"/></name>
          <xsl:for-each select="*[local-name() = 'vornamen']"><vorname><xsl:value-of select="."/></vorname></xsl:for-each>
          <xsl:for-each select="*[local-name() = 'geburtsname']"><geburtsname><xsl:value-of select="."/></geburtsname></xsl:for-each>
          <xsl:for-each select="*[local-name() = 'titel']"><titel><xsl:value-of select="."/></titel></xsl:for-each>
          <xsl:for-each select="*[local-name() = 'anrede']"><anrede><xsl:value-of select="."/></anrede></xsl:for-each>
          <xsl:apply-templates select="*[starts-with(local-name(), 'geburts') and local-name() != 'geburtsname'
            or local-name() = 'staatsangehoerigkeit']" mode="kopie"/>
        </xsl:otherwise>
      </xsl:choose>
      <xsl:for-each select="*[local-name() = 'anschrift']">
        <anschrift art="haupt"><xsl:apply-templates select="*" mode="anschrift"/></anschrift>
      </xsl:for-each>
      <xsl:for-each select="$zustellung">
        <anschrift art="zustellung"><xsl:apply-templates select="*" mode="anschrift"/></anschrift>
      </xsl:for-each>
      <xsl:for-each select="*[local-name() = 'email']"><email><xsl:value-of select="."/></email></xsl:for-each>
      <xsl:for-each select="*[local-name() = 'telefon']"><telefon><xsl:value-of select="."/></telefon></xsl:for-each>
      <xsl:for-each select="$bank">
        <bank><xsl:apply-templates select="*" mode="kopie"/></bank>
      </xsl:for-each>
    </beteiligter>
  </xsl:template>

  <!-- Eine Regel, die sie mit ihren Namen benennt, findet sie schneller. -->
  <xsl:variable name="beteiligte" select="//*[local-name() = 'person' or local-name() = 'organisation']"/>

  <xsl:template match="*" mode="id">
    <xsl:if test="set:has-same-node($beteiligte, .)">b<xsl:value-of select="count(set:leading($beteiligte, .)) + 1"/></xsl:if>
  </xsl:template>

  <!-- Die Teile einer Anschrift. Ihre Namen stehen da, weil libxslt einen errechneten Namen jedes Mal neu übersetzt. -->
  <xsl:template match="*" mode="anschrift">
    <xsl:choose>
      <xsl:when test="local-name() = 'strasse'"><strasse><xsl:value-of select="."/></strasse></xsl:when>
      <xsl:when test="local-name() = 'hausnummer'"><hausnummer><xsl:value-of select="."/></hausnummer></xsl:when>
      <xsl:when test="local-name() = 'plz'"><plz><xsl:value-of select="."/></plz></xsl:when>
      <xsl:when test="local-name() = 'ort'"><ort><xsl:value-of select="."/></ort></xsl:when>
      <xsl:otherwise><xsl:apply-templates select="." mode="kopie"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- Dasselbe Element mit demselben Inhalt, im Namensraum des Vorgangs. Teuer: der Name wird errechnet. -->
  <xsl:template match="*" mode="kopie">
    <xsl:element name="{local-name()}"><xsl:value-of select="."/></xsl:element>
  </xsl:template>

  <!--
    Gegenstand: die Regel hat für jedes Feld eine eigene Vorlage. Was sie vergisst, geht nicht verloren, sondern steht
    mit seinem Namen als Titel im Vorgang.
  -->

  <xsl:template match="*[*]" mode="gegenstand">
    <abschnitt schluessel="{local-name()}" titel="{local-name()}">
      <xsl:apply-templates select="*" mode="gegenstand"/>
    </abschnitt>
  </xsl:template>

  <xsl:template match="*[not(*)]" mode="gegenstand">
    <xsl:if test="string()">
      <angabe schluessel="{local-name()}" titel="{local-name()}" typ="text"><xsl:value-of select="."/></angabe>
    </xsl:if>
  </xsl:template>

  <!-- Eine Person im Gegenstand steht schon bei den Beteiligten: hier genügen Verweis und Name. -->
  <xsl:template match="*[local-name() = 'person' or local-name() = 'organisation']" mode="gegenstand" priority="1">
    <angabe schluessel="beteiligter" titel="Beteiligter" typ="text"><xsl:apply-templates select="." mode="id"/></angabe>
    <angabe schluessel="name" titel="Name" typ="text">
      <xsl:for-each select="*[local-name() = 'vornamen']">
        <xsl:value-of select="concat(., ' ')"/>
      </xsl:for-each>
      <xsl:value-of select="*[local-name() = 'familienname' or local-name() = 'name']"/>
    </angabe>
  </xsl:template>

  <!-- Anlagen -->

  <xsl:template match="*" mode="anlagen">
    <anlagenverzeichnis>
      <xsl:for-each select="*">
        <anlage name="{*[local-name() = 'dateiname']}" art="{*[local-name() = 'art']}">
          <xsl:for-each select="*[local-name() = 'titel']">
            <xsl:attribute name="titel"><xsl:value-of select="."/></xsl:attribute>
          </xsl:for-each>
        </anlage>
      </xsl:for-each>
    </anlagenverzeichnis>
  </xsl:template>
</xsl:stylesheet>
