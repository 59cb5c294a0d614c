<?xml version="1.0" encoding="UTF-8"?>
<!-- Je Feld der Personenstandsurkunde eine Zeile: Schlüssel, Titel und Typ im Vorgang. Reihenfolge des Formulars. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:p="urn:datendrehscheibe:personenstandsurkunde:1" exclude-result-prefixes="p">

  <xsl:template match="p:ausweis" mode="gegenstand">            <abschnitt schluessel="ausweis" titel="Ausweis des Antragstellers"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="p:art" mode="gegenstand">                <angabe schluessel="art" titel="Art" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:nummer" mode="gegenstand">             <angabe schluessel="nummer" titel="Nummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:gueltigBis" mode="gegenstand">         <angabe schluessel="gueltigBis" titel="Gültig bis" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="p:urkunde" mode="gegenstand">            <abschnitt schluessel="urkunde" titel="Urkunde {1 + count(preceding-sibling::p:urkunde)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="p:urkunde/p:art" mode="gegenstand">      <angabe schluessel="art" titel="Art der Urkunde" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:form" mode="gegenstand">               <angabe schluessel="form" titel="Form" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:anzahl" mode="gegenstand">             <angabe schluessel="anzahl" titel="Anzahl" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:berechtigung" mode="gegenstand">       <angabe schluessel="berechtigung" titel="Berechtigung (§ 62 PStG)" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:ereignis" mode="gegenstand">           <abschnitt schluessel="ereignis" titel="Ereignis"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="p:datum" mode="gegenstand">              <angabe schluessel="datum" titel="Tag" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:zeitraum" mode="gegenstand">           <abschnitt schluessel="zeitraum" titel="Zeitraum"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="p:von" mode="gegenstand">                <angabe schluessel="von" titel="Von" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:bis" mode="gegenstand">                <angabe schluessel="bis" titel="Bis" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:ort" mode="gegenstand">                <angabe schluessel="ort" titel="Ort" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:register" mode="gegenstand">           <abschnitt schluessel="register" titel="Registereintrag"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="p:standesamt" mode="gegenstand">         <angabe schluessel="standesamt" titel="Standesamt" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:jahr" mode="gegenstand">               <angabe schluessel="jahr" titel="Jahr" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:betroffener" mode="gegenstand">        <abschnitt schluessel="betroffener" titel="Betroffene Person {1 + count(preceding-sibling::p:betroffener)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="p:elternteil" mode="gegenstand">         <abschnitt schluessel="elternteil" titel="Elternteil {1 + count(preceding-sibling::p:elternteil)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>

  <xsl:template match="p:verwendung" mode="gegenstand">         <abschnitt schluessel="verwendung" titel="Verwendung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="p:zweck" mode="gegenstand">              <angabe schluessel="zweck" titel="Zweck" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:erlaeuterung" mode="gegenstand">       <angabe schluessel="erlaeuterung" titel="Erläuterung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="p:gebuehr" mode="gegenstand">            <abschnitt schluessel="gebuehr" titel="Gebühr"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="p:betrag" mode="gegenstand">             <angabe schluessel="betrag" titel="Betrag" typ="betrag" einheit="EUR"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:zahlungsweg" mode="gegenstand">        <angabe schluessel="zahlungsweg" titel="Zahlungsweg" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:zahlungskennung" mode="gegenstand">    <angabe schluessel="zahlungskennung" titel="Kennung der Zahlung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="p:lieferung" mode="gegenstand">          <abschnitt schluessel="lieferung" titel="Lieferung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="p:weg" mode="gegenstand">                <angabe schluessel="weg" titel="Lieferweg" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:empfaengername" mode="gegenstand">     <angabe schluessel="empfaengername" titel="Name des Empfängers" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:anschrift" mode="gegenstand">          <abschnitt schluessel="anschrift" titel="Lieferanschrift"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="p:strasse" mode="gegenstand">            <angabe schluessel="strasse" titel="Straße" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:hausnummer" mode="gegenstand">         <angabe schluessel="hausnummer" titel="Hausnummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:zusatz" mode="gegenstand">             <angabe schluessel="zusatz" titel="Zusatz" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:plz" mode="gegenstand">                <angabe schluessel="plz" titel="Postleitzahl" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="p:land" mode="gegenstand">               <angabe schluessel="land" titel="Staat" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="p:bemerkung" mode="gegenstand">
    <abschnitt schluessel="bemerkung" titel="Bemerkung">
      <angabe schluessel="bemerkung" titel="Bemerkung" typ="text"><xsl:value-of select="."/></angabe>
    </abschnitt>
  </xsl:template>
</xsl:stylesheet>
