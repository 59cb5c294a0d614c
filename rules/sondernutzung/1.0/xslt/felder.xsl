<?xml version="1.0" encoding="UTF-8"?>
<!-- Je Feld der Sondernutzung eine Zeile: Schlüssel, Titel und Typ im Vorgang. Reihenfolge des Formulars. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:s="urn:datendrehscheibe:sondernutzung:1" exclude-result-prefixes="s">

  <xsl:template match="s:nutzung" mode="gegenstand">            <abschnitt schluessel="nutzung" titel="Nutzung {1 + count(preceding-sibling::s:nutzung)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="s:zweck" mode="gegenstand">              <angabe schluessel="zweck" titel="Zweck" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:bezeichnung" mode="gegenstand">        <angabe schluessel="bezeichnung" titel="Bezeichnung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="s:standort" mode="gegenstand">           <abschnitt schluessel="standort" titel="Standort"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="s:strasse" mode="gegenstand">            <angabe schluessel="strasse" titel="Straße" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:hausnummer" mode="gegenstand">         <angabe schluessel="hausnummer" titel="Hausnummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:plz" mode="gegenstand">                <angabe schluessel="plz" titel="Postleitzahl" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:ort" mode="gegenstand">                <angabe schluessel="ort" titel="Ort" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:ortsteil" mode="gegenstand">           <angabe schluessel="ortsteil" titel="Ortsteil" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:flurstueck" mode="gegenstand">         <angabe schluessel="flurstueck" titel="Flurstück" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:lage" mode="gegenstand">               <angabe schluessel="lage" titel="Lage" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:verkehrsflaeche" mode="gegenstand">    <angabe schluessel="verkehrsflaeche" titel="Verkehrsfläche" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:restbreite" mode="gegenstand">         <angabe schluessel="restbreite" titel="Frei bleibende Breite" typ="zahl" einheit="m"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="s:flaeche" mode="gegenstand">            <abschnitt schluessel="flaeche" titel="Fläche"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="s:laenge" mode="gegenstand">             <angabe schluessel="laenge" titel="Länge" typ="zahl" einheit="m"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:breite" mode="gegenstand">             <angabe schluessel="breite" titel="Breite" typ="zahl" einheit="m"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:hoehe" mode="gegenstand">              <angabe schluessel="hoehe" titel="Höhe" typ="zahl" einheit="m"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:groesse" mode="gegenstand">            <angabe schluessel="groesse" titel="Größe" typ="zahl" einheit="m2"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="s:zeitraum" mode="gegenstand">           <abschnitt schluessel="zeitraum" titel="Zeitraum {1 + count(preceding-sibling::s:zeitraum)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="s:von" mode="gegenstand">                <angabe schluessel="von" titel="Von" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:bis" mode="gegenstand">                <angabe schluessel="bis" titel="Bis" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:taeglichVon" mode="gegenstand">        <angabe schluessel="taeglichVon" titel="Täglich ab" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:taeglichBis" mode="gegenstand">        <angabe schluessel="taeglichBis" titel="Täglich bis" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="s:freisitz" mode="gegenstand">           <abschnitt schluessel="freisitz" titel="Freisitz"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="s:gaststaette" mode="gegenstand">        <angabe schluessel="gaststaette" titel="Gaststätte" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:tische" mode="gegenstand">             <angabe schluessel="tische" titel="Tische" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:stuehle" mode="gegenstand">            <angabe schluessel="stuehle" titel="Stühle" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:schirme" mode="gegenstand">            <angabe schluessel="schirme" titel="Schirme" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:podest" mode="gegenstand">             <angabe schluessel="podest" titel="Podest" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="s:alkohol" mode="gegenstand">            <angabe schluessel="alkohol" titel="Ausschank von Alkohol" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="s:musik" mode="gegenstand">              <angabe schluessel="musik" titel="Musik" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>

  <xsl:template match="s:geruest" mode="gegenstand">            <abschnitt schluessel="geruest" titel="Gerüst"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="s:bauart" mode="gegenstand">             <angabe schluessel="bauart" titel="Bauart" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:fassadenlaenge" mode="gegenstand">     <angabe schluessel="fassadenlaenge" titel="Länge der Fassade" typ="zahl" einheit="m"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:geschosse" mode="gegenstand">          <angabe schluessel="geschosse" titel="Geschosse" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:durchgang" mode="gegenstand">          <angabe schluessel="durchgang" titel="Durchgang für Fußgänger unter dem Gerüst" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="s:bauvorhaben" mode="gegenstand">        <angabe schluessel="bauvorhaben" titel="Bauvorhaben" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:geruestbauer" mode="gegenstand">       <abschnitt schluessel="geruestbauer" titel="Gerüstbauer"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>

  <xsl:template match="s:container" mode="gegenstand">          <abschnitt schluessel="container" titel="Container"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="s:anzahl" mode="gegenstand">             <angabe schluessel="anzahl" titel="Anzahl" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:volumen" mode="gegenstand">            <angabe schluessel="volumen" titel="Rauminhalt je Container" typ="zahl" einheit="m3"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:inhalt" mode="gegenstand">             <angabe schluessel="inhalt" titel="Inhalt" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:aufsteller" mode="gegenstand">         <abschnitt schluessel="aufsteller" titel="Aufsteller"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>

  <xsl:template match="s:verkehr" mode="gegenstand">            <abschnitt schluessel="verkehr" titel="Verkehr"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="s:haltverbot" mode="gegenstand">         <angabe schluessel="haltverbot" titel="Haltverbot nötig" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="s:sperrung" mode="gegenstand">           <angabe schluessel="sperrung" titel="Sperrung der Fahrbahn" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:umleitung" mode="gegenstand">          <angabe schluessel="umleitung" titel="Umleitung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="s:gebuehrenbefreiung" mode="gegenstand"> <abschnitt schluessel="gebuehrenbefreiung" titel="Gebührenbefreiung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="s:grund" mode="gegenstand">              <angabe schluessel="grund" titel="Grund" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="s:begruendung" mode="gegenstand">        <angabe schluessel="begruendung" titel="Begründung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="s:erklaerungen" mode="gegenstand">       <abschnitt schluessel="erklaerungen" titel="Erklärungen"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="s:richtigkeit" mode="gegenstand">        <angabe schluessel="richtigkeit" titel="Die Angaben sind richtig und vollständig" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="s:haftung" mode="gegenstand">            <angabe schluessel="haftung" titel="Haftung für Schäden wird übernommen" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="s:wiederherstellung" mode="gegenstand">  <angabe schluessel="wiederherstellung" titel="Der alte Zustand der Straße wird wiederhergestellt" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="s:bemerkung" mode="gegenstand">
    <abschnitt schluessel="bemerkung" titel="Bemerkung">
      <angabe schluessel="bemerkung" titel="Bemerkung" typ="text"><xsl:value-of select="."/></angabe>
    </abschnitt>
  </xsl:template>
</xsl:stylesheet>
