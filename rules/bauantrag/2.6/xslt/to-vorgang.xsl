<?xml version="1.0" encoding="UTF-8"?>
<!-- Bauantrag 2.6 (XBau 0200) in die gemeinsame Form. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:b="http://www.xleitstelle.de/xbau/2/6" exclude-result-prefixes="b">

  <xsl:import href="../../../lib/1/vorgang.xsl"/>
  <xsl:include href="felder.xsl"/>

  <xsl:template match="/b:baugenehmigung.antrag.0200">
    <vorgang verfahren="bauantrag" art="antrag" version="1">
      <kopf>
        <kennung><xsl:value-of select="normalize-space(b:referenzAntragsservice/referenzAntragsservice)"/></kennung>
        <erstellt><xsl:value-of select="normalize-space(nachrichtenkopf.g2g/identifikation.nachricht/erstellungszeitpunkt)"/></erstellt>
        <!-- XBau kennt die Gemeinde mit acht Ziffern; den Regionalschlüssel nennt die Sendung. -->
        <betreff>Bauantrag: Baugenehmigung</betreff>
      </kopf>
      <xsl:apply-templates select="b:antragsteller/*" mode="akteur">
        <xsl:with-param name="rolle">antragsteller</xsl:with-param>
      </xsl:apply-templates>
      <xsl:apply-templates select="b:bauvorhaben/b:beteiligte" mode="beteiligte"/>
      <gegenstand>
        <xsl:apply-templates select="b:bauvorhaben | b:prozessmerkmale | b:beantragteAbweichung
          | b:angefragteErleichterung | b:baulast | b:datenabruf" mode="gegenstand"/>
        <xsl:if test="b:anlagen/anlage[anhangOderVerlinkung/verlinkung or b:wirdNachgereicht]">
          <abschnitt schluessel="anlagen" titel="Verlinkte und nachgereichte Anlagen">
            <xsl:apply-templates select="b:anlagen/anlage[anhangOderVerlinkung/verlinkung or b:wirdNachgereicht]" mode="gegenstand"/>
          </abschnitt>
        </xsl:if>
      </gegenstand>
      <anlagenverzeichnis>
        <xsl:apply-templates select="b:anlagen/anlage" mode="verzeichnis"/>
      </anlagenverzeichnis>
    </vorgang>
  </xsl:template>

  <!-- Beteiligte: die Rolle sagt, an welcher Stelle des Antrags jemand steht. -->

  <xsl:template match="b:beteiligte" mode="beteiligte">
    <xsl:apply-templates select="b:bauherr/b:bauherr/*" mode="akteur"><xsl:with-param name="rolle">bauherr</xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="b:bevollmaechtigter/*" mode="akteur"><xsl:with-param name="rolle">bevollmaechtigter</xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="b:entwurfsverfasser/b:personendaten/*" mode="akteur"><xsl:with-param name="rolle">entwurfsverfasser</xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="b:bauunternehmer" mode="akteur"><xsl:with-param name="rolle">bauunternehmer</xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="b:nachbar/b:eigentuemer/*" mode="akteur"><xsl:with-param name="rolle">nachbar</xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="b:weitereBeteiligte/b:beteiligter/*" mode="akteur"><xsl:with-param name="rolle">weiterer-beteiligter</xsl:with-param></xsl:apply-templates>
    <xsl:apply-templates select="b:gebuehrenpflichtiger/*" mode="akteur"><xsl:with-param name="rolle">gebuehrenpflichtiger</xsl:with-param></xsl:apply-templates>
  </xsl:template>

  <xsl:template match="natuerlichePerson" mode="akteur">
    <xsl:param name="rolle"/>
    <beteiligter rolle="{$rolle}" art="person">
      <xsl:attribute name="id"><xsl:apply-templates select="." mode="id"/></xsl:attribute>
      <!-- Wer nur einen Namen hat, trägt ihn als Namen. -->
      <xsl:choose>
        <xsl:when test="string(name/familienname/name)">
          <name><xsl:value-of select="name/familienname/name"/></name>
          <xsl:for-each select="name/vorname/name[string()]">
            <vorname><xsl:value-of select="."/></vorname>
          </xsl:for-each>
        </xsl:when>
        <xsl:otherwise>
          <name><xsl:value-of select="name/vorname/name"/></name>
        </xsl:otherwise>
      </xsl:choose>
      <xsl:apply-templates select="name/titel[string()]" mode="kopie"/>
      <xsl:apply-templates select="name/anrede[string()]" mode="kopie"/>
      <xsl:apply-templates select="anschrift[*]" mode="anschrift"/>
      <xsl:apply-templates select="." mode="erreichbar"/>
    </beteiligter>
  </xsl:template>

  <xsl:template match="organisation | b:bauunternehmer" mode="akteur">
    <xsl:param name="rolle"/>
    <beteiligter rolle="{$rolle}" art="organisation">
      <xsl:attribute name="id"><xsl:apply-templates select="." mode="id"/></xsl:attribute>
      <name><xsl:value-of select="name/name"/></name>
      <xsl:for-each select="registereintrag/eintragungNr[string()]">
        <registernummer><xsl:value-of select="."/></registernummer>
      </xsl:for-each>
      <xsl:apply-templates select="anschrift[*]" mode="anschrift"/>
      <xsl:apply-templates select="." mode="erreichbar"/>
    </beteiligter>
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
        <xsl:when test="string(strasse)"><xsl:apply-templates select="strasse[string()]" mode="kopie"/></xsl:when>
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

  <!-- Die erste E-Mail und das erste Telefon (Codeliste erreichbarkeit). -->
  <xsl:template match="*" mode="erreichbar">
    <xsl:for-each select="kommunikation[normalize-space(kanal/code) = '01'][string(kennung)][1]">
      <email><xsl:value-of select="kennung"/></email>
    </xsl:for-each>
    <xsl:for-each select="kommunikation[normalize-space(kanal/code) = '02' or normalize-space(kanal/code) = '03'][string(kennung)][1]">
      <telefon><xsl:value-of select="kennung"/></telefon>
    </xsl:for-each>
  </xsl:template>

  <xsl:template match="natuerlichePerson | organisation | b:bauunternehmer" mode="id">
    <xsl:value-of select="concat('b', 1 + count(preceding::natuerlichePerson | preceding::organisation | preceding::b:bauunternehmer))"/>
  </xsl:template>

  <!-- Anlagen: ohne Dateinamen (etwa eine nachgereichte) steht die Bezeichnung. -->
  <xsl:template match="anlage" mode="verzeichnis">
    <anlage>
      <xsl:attribute name="name"><xsl:apply-templates select="." mode="name"/></xsl:attribute>
      <xsl:if test="normalize-space(anlageart/code)">
        <xsl:attribute name="art"><xsl:value-of select="translate(normalize-space(anlageart/code), ' ', '_')"/></xsl:attribute>
      </xsl:if>
      <xsl:if test="normalize-space(bezeichnung)">
        <xsl:attribute name="titel"><xsl:value-of select="normalize-space(bezeichnung)"/></xsl:attribute>
      </xsl:if>
    </anlage>
  </xsl:template>

  <xsl:template match="anlage" mode="name">
    <xsl:choose>
      <xsl:when test="anhangOderVerlinkung/*/dateiname"><xsl:value-of select="normalize-space(anhangOderVerlinkung/*/dateiname)"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="normalize-space(bezeichnung)"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
