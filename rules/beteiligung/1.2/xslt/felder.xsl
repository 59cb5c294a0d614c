<?xml version="1.0" encoding="UTF-8"?>
<!-- Je Feld der Beteiligung eine Zeile: Schlüssel, Titel und Typ im Vorgang. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:x="https://www.xleitstelle.de/xbeteiligung/12" exclude-result-prefixes="x">

  <xsl:template match="x:beteiligung" mode="gegenstand">                          <abschnitt schluessel="planung" titel="Planung"><xsl:apply-templates select="*[not(self::x:beteiligungTOEB or self::x:beteiligungOeffentlichkeit)]" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="x:planID" mode="gegenstand">                               <angabe schluessel="planID" titel="Kennung des Plans" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:planname" mode="gegenstand">                             <angabe schluessel="planname" titel="Name des Plans" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:arbeitstitel" mode="gegenstand">                         <angabe schluessel="arbeitstitel" titel="Arbeitstitel" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:planartKommunal" mode="gegenstand">                      <angabe schluessel="planart" titel="Art des Plans" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="x:verfahrensschrittKommunal" mode="gegenstand">            <angabe schluessel="verfahrensschritt" titel="Schritt des Verfahrens" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="x:durchgang" mode="gegenstand">                            <angabe schluessel="durchgang" titel="Durchgang" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:verfahrensartKommunal" mode="gegenstand">                <angabe schluessel="verfahrensart" titel="Art des Verfahrens" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="x:beschreibungPlanungsanlass" mode="gegenstand">           <angabe schluessel="planungsanlass" titel="Anlass der Planung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:flaechenabgrenzungUrl" mode="gegenstand">                <angabe schluessel="flaechenabgrenzungUrl" titel="Adresse der Flächenabgrenzung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:geltungsbereich" mode="gegenstand">                      <angabe schluessel="geltungsbereich" titel="Geltungsbereich (GeoJSON)" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:raeumlicheBeschreibung" mode="gegenstand">               <angabe schluessel="raeumlicheBeschreibung" titel="Räumliche Beschreibung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:beteiligungURL" mode="gegenstand">                       <angabe schluessel="beteiligungURL" titel="Adresse der Beteiligung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="x:akteurVorhaben" mode="gegenstand">                       <abschnitt schluessel="akteure" titel="Akteure"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="x:veranlasser" mode="gegenstand">                          <abschnitt schluessel="veranlasser" titel="Veranlasser"><xsl:apply-templates select="." mode="verweis"/></abschnitt></xsl:template>
  <xsl:template match="x:weitereAkteure" mode="gegenstand">                       <abschnitt schluessel="weitererAkteur" titel="Weiterer Akteur {1 + count(preceding-sibling::x:weitereAkteure)}"><xsl:apply-templates select="x:akteur" mode="verweis"/><xsl:apply-templates select="x:rolle/*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="x:rolle/x:code" mode="gegenstand">                         <angabe schluessel="rolle" titel="Rolle" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="x:rolle/x:nichtgelisteterWert" mode="gegenstand">          <angabe schluessel="rolle" titel="Rolle" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="name/kurzbezeichnung" mode="gegenstand">                   <angabe schluessel="kurzbezeichnung" titel="Kennung oder Kurzbezeichnung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="ansprechpartner" mode="gegenstand">                        <abschnitt schluessel="ansprechpartner" titel="Ansprechpartner"><xsl:apply-templates select="name/* | funktion | kommunikation" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="titel" mode="gegenstand">                                  <angabe schluessel="titel" titel="Titel" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="anrede" mode="gegenstand">                                 <angabe schluessel="anrede" titel="Anrede" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="familienname[name]" mode="gegenstand">                     <angabe schluessel="familienname" titel="Familienname" typ="text"><xsl:value-of select="name"/></angabe></xsl:template>
  <xsl:template match="vorname[name]" mode="gegenstand">                          <angabe schluessel="vorname" titel="Vorname" typ="text"><xsl:value-of select="name"/></angabe></xsl:template>
  <xsl:template match="funktion" mode="gegenstand">                               <angabe schluessel="funktion" titel="Funktion" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="kommunikation" mode="gegenstand">                          <abschnitt schluessel="erreichbarkeit" titel="Erreichbarkeit"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="kanal" mode="gegenstand">                                  <angabe schluessel="kanal" titel="Weg" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="kennung" mode="gegenstand">                                <angabe schluessel="kennung" titel="Adresse oder Nummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="x:beteiligungTOEB" mode="gegenstand">                      <abschnitt schluessel="beteiligungTOEB" titel="Beteiligung der Träger öffentlicher Belange"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="x:beteiligungOeffentlichkeit" mode="gegenstand">           <abschnitt schluessel="beteiligungOeffentlichkeit" titel="Beteiligung der Öffentlichkeit"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="x:beteiligungsID" mode="gegenstand">                       <angabe schluessel="beteiligungsID" titel="Kennung der Beteiligung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:verfahrensteilschrittKommunal" mode="gegenstand">        <angabe schluessel="verfahrensteilschritt" titel="Teilschritt des Verfahrens" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="x:bekanntmachung" mode="gegenstand">                       <angabe schluessel="bekanntmachung" titel="Bekanntmachung" typ="datum"><xsl:value-of select="substring(normalize-space(), 1, 10)"/></angabe></xsl:template>
  <xsl:template match="x:aktuelleMitteilung" mode="gegenstand">                   <angabe schluessel="aktuelleMitteilung" titel="Mitteilung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:zeitraum" mode="gegenstand">                             <abschnitt schluessel="zeitraum" titel="Zeitraum"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="x:veroeffentlichungszeitraum" mode="gegenstand">           <abschnitt schluessel="veroeffentlichungszeitraum" titel="Zeitraum der Veröffentlichung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="x:beginn" mode="gegenstand">                               <angabe schluessel="beginn" titel="Beginn" typ="datum"><xsl:value-of select="substring(normalize-space(), 1, 10)"/></angabe></xsl:template>
  <xsl:template match="x:ende" mode="gegenstand">                                 <angabe schluessel="ende" titel="Ende" typ="datum"><xsl:value-of select="substring(normalize-space(), 1, 10)"/></angabe></xsl:template>
  <xsl:template match="x:zusatz" mode="gegenstand">                               <angabe schluessel="zusatz" titel="Zusatz" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:beteiligungKommunalTOEBArt" mode="gegenstand">           <xsl:apply-templates select="*" mode="gegenstand"/></xsl:template>
  <xsl:template match="x:beteiligungKommunalOeffentlichkeitArt" mode="gegenstand"><xsl:apply-templates select="*" mode="gegenstand"/></xsl:template>
  <xsl:template match="x:beteiligungKommunalFormalTOEB" mode="gegenstand">        <angabe schluessel="foermlich" titel="Förmliche Beteiligung" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="x:beteiligungKommunalInformellTOEB" mode="gegenstand">     <angabe schluessel="informell" titel="Informelle Beteiligung" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="x:beteiligungKommunalFormalOeffentlichkeit" mode="gegenstand"><angabe schluessel="foermlich" titel="Förmliche Beteiligung" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="x:beteiligungKommunalInformellOeffentlichkeit" mode="gegenstand"><angabe schluessel="informell" titel="Informelle Beteiligung" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="x:anlagen" mode="gegenstand">                              <abschnitt schluessel="unterlagen" titel="Unterlagen"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="anlage" mode="gegenstand">                                 <abschnitt schluessel="unterlage" titel="Unterlage {1 + count(preceding-sibling::anlage)}"><xsl:apply-templates select="bezeichnung | versionsnummer | datum | anlageart | anhangOderVerlinkung/x:anhang/dateiname | anhangOderVerlinkung/x:uriVerlinkung" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="bezeichnung" mode="gegenstand">                            <angabe schluessel="bezeichnung" titel="Bezeichnung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="versionsnummer" mode="gegenstand">                         <angabe schluessel="versionsnummer" titel="Fassung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="datum" mode="gegenstand">                                  <angabe schluessel="datum" titel="Datum" typ="datum"><xsl:value-of select="substring(normalize-space(), 1, 10)"/></angabe></xsl:template>
  <xsl:template match="anlageart" mode="gegenstand">                              <angabe schluessel="anlageart" titel="Art" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="dateiname" mode="gegenstand">                              <angabe schluessel="dateiname" titel="Datei" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="x:uriVerlinkung" mode="gegenstand">                        <angabe schluessel="adresse" titel="Adresse" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <!-- Die Organisation steht bei den Beteiligten; hier Verweis, Name und wen man dort anspricht. -->
  <xsl:template match="x:veranlasser | x:akteur" mode="verweis">
    <angabe schluessel="beteiligter" titel="Beteiligter" typ="text"><xsl:apply-templates select="." mode="id"/></angabe>
    <angabe schluessel="name" titel="Name" typ="text"><xsl:value-of select="name/name"/></angabe>
    <xsl:apply-templates select="name/kurzbezeichnung | vertreter | ansprechpartner" mode="gegenstand"/>
  </xsl:template>

  <!-- Ein leeres Element sagt nichts. -->
  <xsl:template match="*[not(*) and normalize-space() = '']" mode="gegenstand" priority="3"/>

  <!-- Jeder Schlüsselwert ohne eigene Zeile. -->
  <xsl:template match="*[code and not(*[not(self::code or self::name)])]" mode="gegenstand" priority="-0.1">
    <angabe schluessel="{local-name()}" titel="{local-name()}" typ="code"><xsl:apply-templates select="." mode="code"/></angabe>
  </xsl:template>

  <!-- Schlüsselwert und, wenn sie genannt ist, die Liste, aus der er stammt. -->
  <xsl:template match="*" mode="code">
    <xsl:if test="@listURI"><xsl:attribute name="liste"><xsl:value-of select="@listURI"/></xsl:attribute></xsl:if>
    <xsl:value-of select="normalize-space(code)"/>
  </xsl:template>
</xsl:stylesheet>
