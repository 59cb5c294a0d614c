<?xml version="1.0" encoding="UTF-8"?>
<!--
  Gemeinsame Vorlagen für Nachrichten, deren Schema auf bausteine.xsd aufbaut: Kopf, Beteiligte, Anlagen. Die Regel
  liefert das Gerüst des Vorgangs und je Feld eine Vorlage im Modus „gegenstand“.

  Die Vorlagen fragen nach dem lokalen Namen, weil jedes Verfahren seinen eigenen Namensraum hat.
-->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1">

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
      <name><xsl:value-of select="*[local-name() = 'familienname' or local-name() = 'name']"/></name>
      <xsl:for-each select="*[local-name() = 'vornamen']">
        <vorname><xsl:value-of select="."/></vorname>
      </xsl:for-each>
      <xsl:apply-templates select="*[local-name() = 'geburtsname']" mode="kopie"/>
      <xsl:apply-templates select="*[local-name() = 'titel']" mode="kopie"/>
      <xsl:apply-templates select="*[local-name() = 'anrede']" mode="kopie"/>
      <xsl:apply-templates select="*[local-name() = 'rechtsform' or local-name() = 'registernummer'
        or local-name() = 'geburtsdatum' or local-name() = 'geburtsort' or local-name() = 'staatsangehoerigkeit']" mode="kopie"/>
      <xsl:for-each select="*[local-name() = 'anschrift']">
        <anschrift art="haupt"><xsl:apply-templates select="*" mode="kopie"/></anschrift>
      </xsl:for-each>
      <xsl:for-each select="$zustellung">
        <anschrift art="zustellung"><xsl:apply-templates select="*" mode="kopie"/></anschrift>
      </xsl:for-each>
      <xsl:apply-templates select="*[local-name() = 'email' or local-name() = 'telefon']" mode="kopie"/>
      <xsl:for-each select="$bank">
        <bank><xsl:apply-templates select="*" mode="kopie"/></bank>
      </xsl:for-each>
    </beteiligter>
  </xsl:template>

  <!-- Eine Regel, die sie mit ihren Namen benennt, findet sie schneller. -->
  <xsl:variable name="beteiligte" select="//*[local-name() = 'person' or local-name() = 'organisation']"/>

  <xsl:template match="*" mode="id">
    <xsl:variable name="dieser" select="generate-id()"/>
    <xsl:for-each select="$beteiligte">
      <xsl:if test="generate-id() = $dieser">b<xsl:value-of select="position()"/></xsl:if>
    </xsl:for-each>
  </xsl:template>

  <!-- Dasselbe Element mit demselben Inhalt, im Namensraum des Vorgangs. -->
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
