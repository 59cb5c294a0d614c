<?xml version="1.0" encoding="UTF-8"?>
<!-- Je Feld der Hundesteuer eine Zeile: Schlüssel, Titel und Typ im Vorgang. Reihenfolge des Formulars. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:h="urn:datendrehscheibe:hundesteuer:1" exclude-result-prefixes="h">

  <xsl:template match="h:hund" mode="gegenstand">               <abschnitt schluessel="hund" titel="Hund {1 + count(preceding-sibling::h:hund)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="h:rufname" mode="gegenstand">            <angabe schluessel="rufname" titel="Rufname" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:rasse" mode="gegenstand">              <angabe schluessel="rasse" titel="Rasse" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:weitereRasse" mode="gegenstand">       <angabe schluessel="weitereRasse" titel="Weitere Rasse (Mischling)" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:geschlecht" mode="gegenstand">         <angabe schluessel="geschlecht" titel="Geschlecht" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:wurfdatum" mode="gegenstand">          <angabe schluessel="wurfdatum" titel="Wurfdatum" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:farbe" mode="gegenstand">              <angabe schluessel="farbe" titel="Farbe" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:chipnummer" mode="gegenstand">         <angabe schluessel="chipnummer" titel="Chipnummer (ISO 11784)" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:gefaehrlich" mode="gegenstand">        <angabe schluessel="gefaehrlich" titel="Gilt als gefährlicher Hund" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="h:herkunft" mode="gegenstand">           <angabe schluessel="herkunft" titel="Herkunft" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:haltungSeit" mode="gegenstand">        <angabe schluessel="haltungSeit" titel="Haltung seit" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:haltungBis" mode="gegenstand">         <angabe schluessel="haltungBis" titel="Haltung bis" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:steuermarke" mode="gegenstand">        <angabe schluessel="steuermarke" titel="Nummer der Steuermarke" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:ermaessigung" mode="gegenstand">       <abschnitt schluessel="ermaessigung" titel="Ermäßigung oder Befreiung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="h:grund" mode="gegenstand">              <angabe schluessel="grund" titel="Grund" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:begruendung" mode="gegenstand">        <angabe schluessel="begruendung" titel="Begründung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:ab" mode="gegenstand">                 <angabe schluessel="ab" titel="Ab" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:vorbesitzer" mode="gegenstand">        <abschnitt schluessel="vorbesitzer" titel="Vorbesitzer"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="h:neuerHalter" mode="gegenstand">        <abschnitt schluessel="neuerHalter" titel="Neuer Halter"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="h:zuzugsort" mode="gegenstand">          <angabe schluessel="zuzugsort" titel="Neuer Wohnort des Hundes" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="h:haltungsort" mode="gegenstand">        <abschnitt schluessel="haltungsort" titel="Haltungsort"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="h:strasse" mode="gegenstand">            <angabe schluessel="strasse" titel="Straße" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:hausnummer" mode="gegenstand">         <angabe schluessel="hausnummer" titel="Hausnummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:zusatz" mode="gegenstand">             <angabe schluessel="zusatz" titel="Zusatz" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:plz" mode="gegenstand">                <angabe schluessel="plz" titel="Postleitzahl" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:ort" mode="gegenstand">                <angabe schluessel="ort" titel="Ort" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:land" mode="gegenstand">               <angabe schluessel="land" titel="Staat" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="h:haftpflicht" mode="gegenstand">        <abschnitt schluessel="haftpflicht" titel="Haftpflichtversicherung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="h:gesellschaft" mode="gegenstand">       <angabe schluessel="gesellschaft" titel="Gesellschaft" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:scheinnummer" mode="gegenstand">       <angabe schluessel="scheinnummer" titel="Nummer des Versicherungsscheins" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="h:zahlung" mode="gegenstand">            <abschnitt schluessel="zahlung" titel="Zahlung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="h:rhythmus" mode="gegenstand">           <angabe schluessel="rhythmus" titel="Zahlungsweise" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="h:mandatErteiltAm" mode="gegenstand">    <angabe schluessel="mandatErteiltAm" titel="SEPA-Lastschriftmandat erteilt am" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="h:bemerkung" mode="gegenstand">
    <abschnitt schluessel="bemerkung" titel="Bemerkung">
      <angabe schluessel="bemerkung" titel="Bemerkung" typ="text"><xsl:value-of select="."/></angabe>
    </abschnitt>
  </xsl:template>
</xsl:stylesheet>
