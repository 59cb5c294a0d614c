<?xml version="1.0" encoding="UTF-8"?>
<!--
  Je Feld des Bauantrags eine Zeile. XBau ist groß: was hier keine Zeile hat (Baubeschreibung, Statistik …), erreicht
  den Vorgang trotzdem, mit dem Namen des Elements als Titel.
-->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:b="http://www.xleitstelle.de/xbau/2/6" exclude-result-prefixes="b">

  <xsl:template match="b:bauvorhaben" mode="gegenstand">                          <abschnitt schluessel="bauvorhaben" titel="Bauvorhaben"><xsl:apply-templates select="b:bezeichnungDesBauvorhabens | b:gegenstand | b:verortung | b:weitereAngaben | b:beteiligte[b:bauherr/b:artDesBauherrn or b:gruppenname or b:entwurfsverfasser/b:berechtigung or b:nachbar or b:weitereBeteiligte]" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:bezeichnungDesBauvorhabens" mode="gegenstand">           <angabe schluessel="bezeichnung" titel="Bezeichnung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:weitereAngaben" mode="gegenstand">                       <angabe schluessel="weitereAngaben" titel="Weitere Angaben" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:gegenstand" mode="gegenstand">                           <abschnitt schluessel="gegenstand" titel="Gegenstand"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:anzahlDerGebaeude/b:anzahlDerGebaeudeImBauvorhaben" mode="gegenstand"><angabe schluessel="anzahlDerGebaeude" titel="Anzahl der Gebäude" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:artDerMassnahme" mode="gegenstand">                      <angabe schluessel="artDerMassnahme" titel="Art der Maßnahme" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="b:artDesWohngebaeudes" mode="gegenstand">                  <angabe schluessel="artDesWohngebaeudes" titel="Art des Wohngebäudes" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="b:artDesNichtwohngebaeudes" mode="gegenstand">             <angabe schluessel="artDesNichtwohngebaeudes" titel="Art des Nichtwohngebäudes" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="b:artDerSonstigenAnlage" mode="gegenstand">                <angabe schluessel="artDerSonstigenAnlage" titel="Art der sonstigen Anlage" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="b:anzahlDerGebaeude" mode="gegenstand">                    <abschnitt schluessel="anzahlDerGebaeude" titel="Gebäude"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:artDerBaulichenAnlage" mode="gegenstand">                <abschnitt schluessel="artDerBaulichenAnlage" titel="Art der baulichen Anlage"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:bauordnungsrechtlicheKlassifikation" mode="gegenstand">  <abschnitt schluessel="bauordnungsrechtlicheKlassifikation" titel="Einordnung nach Bauordnungsrecht"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:gebaeudeklasse" mode="gegenstand">                       <angabe schluessel="gebaeudeklasse" titel="Gebäudeklasse" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="b:istFreistehend" mode="gegenstand">                       <angabe schluessel="istFreistehend" titel="Freistehend" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="b:sonderbau" mode="gegenstand">                            <angabe schluessel="sonderbau" titel="Sonderbau" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="b:mittelOderGrossGarage" mode="gegenstand">                <angabe schluessel="mittelOderGrossGarage" titel="Mittel- oder Großgarage" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="b:herstellungskosten" mode="gegenstand">                   <abschnitt schluessel="herstellungskosten" titel="Herstellungskosten"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:kostengruppe300" mode="gegenstand">                      <angabe schluessel="kostengruppe300" titel="Kostengruppe 300 (Bauwerk, Baukonstruktionen)" typ="betrag"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:kostengruppe400" mode="gegenstand">                      <angabe schluessel="kostengruppe400" titel="Kostengruppe 400 (Bauwerk, technische Anlagen)" typ="betrag"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:kostengruppe500" mode="gegenstand">                      <angabe schluessel="kostengruppe500" titel="Kostengruppe 500 (Außenanlagen)" typ="betrag"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:kostengruppe700" mode="gegenstand">                      <angabe schluessel="kostengruppe700" titel="Kostengruppe 700 (Baunebenkosten)" typ="betrag"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:summeHerstellungskosten" mode="gegenstand">              <angabe schluessel="summeHerstellungskosten" titel="Summe" typ="betrag"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="b:verortung" mode="gegenstand">                            <abschnitt schluessel="verortung" titel="Verortung"><xsl:apply-templates select="b:baugrundstueck/b:grundstueck | b:lageBauvorhaben" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:baugrundstueck/b:grundstueck" mode="gegenstand">         <abschnitt schluessel="grundstueck" titel="Grundstück {1 + count(preceding-sibling::b:grundstueck)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:anschrift" mode="gegenstand">                            <abschnitt schluessel="anschrift" titel="Anschrift"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:gemeindeschluessel" mode="gegenstand">                   <angabe schluessel="gemeindeschluessel" titel="Gemeindeschlüssel" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="strasse" mode="gegenstand">                                <angabe schluessel="strasse" titel="Straße" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="hausnummer" mode="gegenstand">                             <angabe schluessel="hausnummer" titel="Hausnummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="strasseHausnummer" mode="gegenstand">                      <angabe schluessel="strasseHausnummer" titel="Straße und Hausnummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="postleitzahl" mode="gegenstand">                           <angabe schluessel="plz" titel="Postleitzahl" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="ort" mode="gegenstand">                                    <angabe schluessel="ort" titel="Ort" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="ortsteil" mode="gegenstand">                               <angabe schluessel="ortsteil" titel="Ortsteil" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="zusatz" mode="gegenstand">                                 <angabe schluessel="zusatz" titel="Zusatz" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:flurstueck" mode="gegenstand">                           <abschnitt schluessel="flurstueck" titel="Flurstück"><xsl:apply-templates select="bundesland | kodierungFlurstueck/*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="bundesland" mode="gegenstand">                             <angabe schluessel="bundesland" titel="Land" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="gemarkung" mode="gegenstand">                              <angabe schluessel="gemarkung" titel="Gemarkung" typ="text"><xsl:value-of select="*"/></angabe></xsl:template>
  <xsl:template match="flur" mode="gegenstand">                                   <angabe schluessel="flur" titel="Flur" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="zaehler" mode="gegenstand">                                <angabe schluessel="zaehler" titel="Zähler" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="nenner" mode="gegenstand">                                 <angabe schluessel="nenner" titel="Nenner" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="folge" mode="gegenstand">                                  <angabe schluessel="folge" titel="Folge" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:verwaltungsgemeinschaft" mode="gegenstand">              <angabe schluessel="verwaltungsgemeinschaft" titel="Verwaltungsgemeinschaft" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:bebauungsplan" mode="gegenstand">                        <abschnitt schluessel="bebauungsplan" titel="Bebauungsplan"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:nummerBebauungsplan" mode="gegenstand">                  <angabe schluessel="nummerBebauungsplan" titel="Nummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:bezeichnungBebauungsplan" mode="gegenstand">             <angabe schluessel="bezeichnungBebauungsplan" titel="Bezeichnung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="b:prozessmerkmale" mode="gegenstand">                      <abschnitt schluessel="prozessmerkmale" titel="Verfahren"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:verfahrensart" mode="gegenstand">                        <angabe schluessel="verfahrensart" titel="Art des Verfahrens" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="b:absehenNachbarbeteiligungBeantragt" mode="gegenstand">   <angabe schluessel="absehenNachbarbeteiligungBeantragt" titel="Absehen von der Nachbarbeteiligung beantragt" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="b:istReferenzgebaeude" mode="gegenstand">                  <angabe schluessel="istReferenzgebaeude" titel="Referenzgebäude" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="b:beantragteAbweichung" mode="gegenstand">                 <abschnitt schluessel="abweichung" titel="Beantragte Abweichung {1 + count(preceding-sibling::b:beantragteAbweichung)}"><xsl:apply-templates select="*[not(self::b:id)]" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:angefragteErleichterung" mode="gegenstand">              <abschnitt schluessel="erleichterung" titel="Angefragte Erleichterung {1 + count(preceding-sibling::b:angefragteErleichterung)}"><xsl:apply-templates select="*[not(self::b:id)]" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:art" mode="gegenstand">                                  <angabe schluessel="art" titel="Art" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="b:vorschrift[textabsatz]" mode="gegenstand">               <angabe schluessel="vorschrift" titel="Vorschrift" typ="text"><xsl:apply-templates select="textabsatz" mode="absatz"/></angabe></xsl:template>
  <xsl:template match="b:beschreibung[textabsatz]" mode="gegenstand">             <angabe schluessel="beschreibung" titel="Beschreibung" typ="text"><xsl:apply-templates select="textabsatz" mode="absatz"/></angabe></xsl:template>
  <xsl:template match="b:begruendung[textabsatz]" mode="gegenstand">              <angabe schluessel="begruendung" titel="Begründung" typ="text"><xsl:apply-templates select="textabsatz" mode="absatz"/></angabe></xsl:template>

  <xsl:template match="b:beteiligte" mode="gegenstand">                           <abschnitt schluessel="beteiligte" titel="Beteiligte"><xsl:apply-templates select="b:bauherr/b:artDesBauherrn | b:gruppenname | b:entwurfsverfasser/b:berechtigung | b:nachbar | b:weitereBeteiligte" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:artDesBauherrn" mode="gegenstand">                       <angabe schluessel="artDesBauherrn" titel="Art des Bauherrn" typ="code"><xsl:apply-templates select="." mode="code"/></angabe></xsl:template>
  <xsl:template match="b:gruppenname" mode="gegenstand">                          <angabe schluessel="gruppenname" titel="Name der Bauherrengemeinschaft" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="b:berechtigung" mode="gegenstand">                         <abschnitt schluessel="berechtigung" titel="Bauvorlageberechtigung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:nachbar" mode="gegenstand">                              <abschnitt schluessel="nachbar" titel="Nachbar {1 + count(preceding-sibling::b:nachbar)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:eigentuemer" mode="gegenstand">                          <abschnitt schluessel="eigentuemer" titel="Eigentümer"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:nachbar/b:grundstueck" mode="gegenstand">                <abschnitt schluessel="grundstueck" titel="Grundstück"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:hatZugestimmt" mode="gegenstand">                        <angabe schluessel="hatZugestimmt" titel="Hat zugestimmt" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="b:weitereBeteiligte" mode="gegenstand">                    <abschnitt schluessel="weitereBeteiligte" titel="Weiterer Beteiligter"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="b:beteiligter" mode="gegenstand">                          <abschnitt schluessel="akteur" titel="Beteiligter"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>

  <!-- Eine verlinkte Anlage kommt nicht mit: das Amt muss sie holen. -->
  <xsl:template match="anlage" mode="gegenstand">
    <abschnitt schluessel="anlage" titel="Anlage {1 + count(preceding-sibling::anlage)}">
      <angabe schluessel="name" titel="Name" typ="text"><xsl:apply-templates select="." mode="name"/></angabe>
      <xsl:for-each select="anhangOderVerlinkung/verlinkung/uriVerlinkung">
        <angabe schluessel="adresse" titel="Adresse" typ="text"><xsl:value-of select="."/></angabe>
      </xsl:for-each>
      <xsl:for-each select="b:wirdNachgereicht">
        <angabe schluessel="wirdNachgereicht" titel="Wird nachgereicht" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe>
      </xsl:for-each>
    </abschnitt>
  </xsl:template>

  <!-- Ein leeres Element sagt nichts. -->
  <xsl:template match="*[not(*) and normalize-space() = '']" mode="gegenstand" priority="3"/>

  <!-- Personen stehen bei den Beteiligten: hier genügt der Verweis. -->
  <xsl:template match="natuerlichePerson | organisation | b:bauunternehmer" mode="gegenstand" priority="2">
    <angabe schluessel="beteiligter" titel="Beteiligter" typ="text"><xsl:apply-templates select="." mode="id"/></angabe>
  </xsl:template>

  <!-- Jeder Schlüsselwert ohne eigene Zeile. -->
  <xsl:template match="*[code and not(*[not(self::code or self::name)])]" mode="gegenstand" priority="-0.1">
    <angabe schluessel="{local-name()}" titel="{local-name()}" typ="code"><xsl:apply-templates select="." mode="code"/></angabe>
  </xsl:template>

  <!-- Schlüsselwert und, wenn sie genannt ist, die Liste, aus der er stammt. -->
  <xsl:template match="*" mode="code">
    <xsl:if test="@listURI"><xsl:attribute name="liste"><xsl:value-of select="@listURI"/></xsl:attribute></xsl:if>
    <xsl:value-of select="normalize-space(code)"/>
  </xsl:template>

  <xsl:template match="textabsatz" mode="absatz">
    <xsl:if test="position() &gt; 1"><xsl:text>&#10;</xsl:text></xsl:if>
    <xsl:value-of select="."/>
  </xsl:template>
</xsl:stylesheet>
