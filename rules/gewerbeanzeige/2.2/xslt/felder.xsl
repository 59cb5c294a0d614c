<?xml version="1.0" encoding="UTF-8"?>
<!-- Je Feld der Gewerbeanzeige eine Zeile: Schlüssel, Titel und Typ im Vorgang. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:g="http://www.xgewerbeanzeige.de/spezifikation/2.2" exclude-result-prefixes="g">

  <xsl:template match="g:uuid" mode="gegenstand">                         <angabe schluessel="uuid" titel="Kennung der Meldung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:istKorrektur" mode="gegenstand">                 <angabe schluessel="istKorrektur" titel="Korrektur einer früheren Meldung" typ="ja-nein"><xsl:value-of select="normalize-space(code) = '1'"/></angabe></xsl:template>
  <xsl:template match="g:gemeindeSchluessel" mode="gegenstand">           <angabe schluessel="gemeindeSchluessel" titel="Gemeindeschlüssel" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:gueltigAb" mode="gegenstand">                    <angabe schluessel="gueltigAb" titel="Gültig ab" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:datumMeldung" mode="gegenstand">                 <angabe schluessel="datumMeldung" titel="Datum der Meldung" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:ereigniszeitpunkt" mode="gegenstand">            <angabe schluessel="ereigniszeitpunkt" titel="Zeitpunkt des Ereignisses" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:grundAnmeldungSchluessel" mode="gegenstand">     <angabe schluessel="grundAnmeldungSchluessel" titel="Grund der Anmeldung" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:grundUmmeldungSchluessel" mode="gegenstand">     <angabe schluessel="grundUmmeldungSchluessel" titel="Grund der Ummeldung" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:grundAbmeldungSchluessel" mode="gegenstand">     <angabe schluessel="grundAbmeldungSchluessel" titel="Grund der Abmeldung" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:ursacheAbmeldungSchluessel" mode="gegenstand">   <angabe schluessel="ursacheAbmeldungSchluessel" titel="Ursache der Abmeldung" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>

  <xsl:template match="g:gewerbe" mode="gegenstand">                      <abschnitt schluessel="gewerbe" titel="Gewerbe"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:betrieb" mode="gegenstand">                      <abschnitt schluessel="betrieb" titel="Eingetragener Betrieb"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:ID" mode="gegenstand">                           <angabe schluessel="nummer" titel="Laufende Nummer" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:eingetragenerName" mode="gegenstand">            <angabe schluessel="eingetragenerName" titel="Eingetragener Name" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:eintragungNr" mode="gegenstand">                 <angabe schluessel="eintragungNr" titel="Registernummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:eintragungOrt" mode="gegenstand">                <angabe schluessel="eintragungOrt" titel="Ort des Registers" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:eintragungPLZ" mode="gegenstand">                <angabe schluessel="eintragungPLZ" titel="Postleitzahl des Registers" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:eintragungArt" mode="gegenstand">                <angabe schluessel="eintragungArt" titel="Art des Registers" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:gerichtSchluessel" mode="gegenstand">            <angabe schluessel="gerichtSchluessel" titel="Registergericht" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:rechtsformSchluessel" mode="gegenstand">         <angabe schluessel="rechtsformSchluessel" titel="Rechtsform" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:anzahlVollzeitBeschaeftigte" mode="gegenstand">  <angabe schluessel="anzahlVollzeitBeschaeftigte" titel="Beschäftigte in Vollzeit" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:anzahlTeilzeitBeschaeftigte" mode="gegenstand">  <angabe schluessel="anzahlTeilzeitBeschaeftigte" titel="Beschäftigte in Teilzeit" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:betriebArt" mode="gegenstand">                   <abschnitt schluessel="betriebArt" titel="Art des Betriebs"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:industrie" mode="gegenstand">                    <angabe schluessel="industrie" titel="Industrie" typ="ja-nein"><xsl:value-of select="normalize-space(code) = '1'"/></angabe></xsl:template>
  <xsl:template match="g:handwerk" mode="gegenstand">                     <angabe schluessel="handwerk" titel="Handwerk" typ="ja-nein"><xsl:value-of select="normalize-space(code) = '1'"/></angabe></xsl:template>
  <xsl:template match="g:handel" mode="gegenstand">                       <angabe schluessel="handel" titel="Handel" typ="ja-nein"><xsl:value-of select="normalize-space(code) = '1'"/></angabe></xsl:template>
  <xsl:template match="g:sonstiges" mode="gegenstand">                    <angabe schluessel="sonstiges" titel="Sonstiges" typ="ja-nein"><xsl:value-of select="normalize-space(code) = '1'"/></angabe></xsl:template>
  <xsl:template match="g:niederlassungArt" mode="gegenstand">             <angabe schluessel="niederlassungArt" titel="Art der Niederlassung" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:istReisegewerbe" mode="gegenstand">              <angabe schluessel="istReisegewerbe" titel="Reisegewerbe" typ="ja-nein"><xsl:value-of select="normalize-space(code) = '1'"/></angabe></xsl:template>
  <xsl:template match="g:istNebenerwerb" mode="gegenstand">               <angabe schluessel="istNebenerwerb" titel="Nebenerwerb" typ="ja-nein"><xsl:value-of select="normalize-space(code) = '1'"/></angabe></xsl:template>
  <xsl:template match="g:beteiligungOeffentlicheHand" mode="gegenstand">  <angabe schluessel="beteiligungOeffentlicheHand" titel="Beteiligung der öffentlichen Hand" typ="ja-nein"><xsl:value-of select="normalize-space(code) = '1'"/></angabe></xsl:template>
  <xsl:template match="g:hauptniederlassung" mode="gegenstand">           <abschnitt schluessel="hauptniederlassung" titel="Hauptniederlassung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:kuenftigesGewerbe" mode="gegenstand">            <abschnitt schluessel="kuenftigesGewerbe" titel="Künftiges Gewerbe"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>

  <xsl:template match="g:handwerkskarte" mode="gegenstand">               <abschnitt schluessel="handwerkskarte" titel="Handwerkskarte"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:aufenthaltstitel" mode="gegenstand">             <abschnitt schluessel="aufenthaltstitel" titel="Aufenthaltstitel"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:status" mode="gegenstand">                       <angabe schluessel="status" titel="Stand" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:ausgestelltAm" mode="gegenstand">                <angabe schluessel="ausgestelltAm" titel="Ausgestellt am" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:ausgestelltVonName" mode="gegenstand">           <angabe schluessel="ausgestelltVonName" titel="Ausgestellt von" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:ausgestelltVonPLZ" mode="gegenstand">            <angabe schluessel="ausgestelltVonPLZ" titel="Postleitzahl der Stelle" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:ausgestelltVonOrt" mode="gegenstand">            <angabe schluessel="ausgestelltVonOrt" titel="Ort der Stelle" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:ausgestelltVonSchluessel" mode="gegenstand">     <angabe schluessel="ausgestelltVonSchluessel" titel="Schlüssel der Stelle" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>

  <xsl:template match="g:anschrift" mode="gegenstand">                    <abschnitt schluessel="anschrift" titel="Anschrift"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:strasse" mode="gegenstand">                      <angabe schluessel="strasse" titel="Straße" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:strassenschluessel" mode="gegenstand">           <angabe schluessel="strassenschluessel" titel="Straßenschlüssel" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:hausNrVon" mode="gegenstand">                    <angabe schluessel="hausNrVon" titel="Hausnummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:hausNrBis" mode="gegenstand">                    <angabe schluessel="hausNrBis" titel="Hausnummer bis" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:anschriftZusatz" mode="gegenstand">              <angabe schluessel="anschriftZusatz" titel="Zusatz" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:ort" mode="gegenstand">                          <angabe schluessel="ort" titel="Ort" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:ortsteil" mode="gegenstand">                     <angabe schluessel="ortsteil" titel="Ortsteil" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:plz" mode="gegenstand">                          <angabe schluessel="plz" titel="Postleitzahl" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:nationSchluessel" mode="gegenstand">             <angabe schluessel="nationSchluessel" titel="Staat" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:erreichbarkeit" mode="gegenstand">               <abschnitt schluessel="erreichbarkeit" titel="Erreichbarkeit"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:kanal" mode="gegenstand">                        <angabe schluessel="kanal" titel="Weg" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:kennung" mode="gegenstand">                      <angabe schluessel="kennung" titel="Adresse oder Nummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="g:personFunktion" mode="gegenstand">               <angabe schluessel="personFunktion" titel="Funktion" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:geschlecht" mode="gegenstand">                   <angabe schluessel="geschlecht" titel="Geschlecht" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="g:geburtsdatum" mode="gegenstand">                 <angabe schluessel="geburtsdatum" titel="Geburtsdatum (TTMMJJJJ)" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:geburtsland" mode="gegenstand">                  <angabe schluessel="geburtsland" titel="Geburtsland" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:staatangehoerigkeiten" mode="gegenstand">        <abschnitt schluessel="staatangehoerigkeiten" titel="Staatsangehörigkeiten"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:staatsangehoerigkeitSchluessel" mode="gegenstand"><angabe schluessel="staatsangehoerigkeitSchluessel" titel="Staatsangehörigkeit" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>

  <xsl:template match="g:taetigkeitenGesamt" mode="gegenstand">           <abschnitt schluessel="taetigkeitenGesamt" titel="Tätigkeiten"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:schwerpunkt" mode="gegenstand">                  <abschnitt schluessel="schwerpunkt" titel="Schwerpunkt"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:weitereTaetigkeiten" mode="gegenstand">          <abschnitt schluessel="weitereTaetigkeiten" titel="Weitere Tätigkeiten"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:taetigkeit" mode="gegenstand">                   <abschnitt schluessel="taetigkeit" titel="Tätigkeit {1 + count(preceding-sibling::g:taetigkeit)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="g:taetigkeitSchwerpunkt" mode="gegenstand">        <angabe schluessel="taetigkeitSchwerpunkt" titel="Tätigkeit" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:taetigkeitEinzeln" mode="gegenstand">            <angabe schluessel="taetigkeitEinzeln" titel="Tätigkeit" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:taetigkeitenZusammengefasst" mode="gegenstand">  <angabe schluessel="taetigkeitenZusammengefasst" titel="Weitere Tätigkeiten" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:taetigkeitSchluessel" mode="gegenstand">         <angabe schluessel="taetigkeitSchluessel" titel="Wirtschaftszweig" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:stichwort" mode="gegenstand">                    <angabe schluessel="stichwort" titel="Stichwort" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="g:neuAusgeuebt" mode="gegenstand">                 <angabe schluessel="neuAusgeuebt" titel="Neu ausgeübt" typ="ja-nein"><xsl:value-of select="normalize-space(code) = '1'"/></angabe></xsl:template>

  <!-- Was bei den Beteiligten steht, steht hier nicht noch einmal: Verweis und Name genügen. -->
  <xsl:template match="g:beteiligtePerson" mode="gegenstand">
    <abschnitt schluessel="person" titel="Person {1 + count(preceding-sibling::g:beteiligtePerson)}">
      <angabe schluessel="beteiligter" titel="Beteiligter" typ="text"><xsl:value-of select="concat('b', 1 + count(preceding-sibling::g:beteiligtePerson))"/></angabe>
      <angabe schluessel="name" titel="Name" typ="text"><xsl:value-of select="normalize-space(concat(g:vorname, ' ', g:familienname))"/></angabe>
      <xsl:apply-templates select="g:personFunktion | g:geschlecht | g:geburtsdatum[starts-with(., '00') or substring(., 3, 2) = '00']
        | g:geburtsland | g:staatangehoerigkeiten | g:anschrift | g:erreichbarkeit | g:aufenthaltstitel" mode="gegenstand"/>
    </abschnitt>
  </xsl:template>

  <!-- Schlüsselwert und, wenn sie genannt ist, die Liste, aus der er stammt. -->
  <xsl:template match="*" mode="code">
    <xsl:if test="@listURI"><xsl:attribute name="liste"><xsl:value-of select="@listURI"/></xsl:attribute></xsl:if>
    <xsl:value-of select="normalize-space(code)"/>
  </xsl:template>
</xsl:stylesheet>
