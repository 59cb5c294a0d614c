<?xml version="1.0" encoding="UTF-8"?>
<!-- Je Feld des Wohngeldantrags 1.0 eine Zeile: Schlüssel, Titel und Typ im Vorgang. Reihenfolge des Formulars. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:w="urn:datendrehscheibe:wohngeld:1" exclude-result-prefixes="w">

  <xsl:template match="w:antragsart" mode="gegenstand">         <angabe schluessel="antragsart" titel="Art des Antrags" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:bewilligungAb" mode="gegenstand">      <angabe schluessel="bewilligungAb" titel="Wohngeld ab" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:wohngeldnummer" mode="gegenstand">     <angabe schluessel="wohngeldnummer" titel="Wohngeldnummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:an" mode="gegenstand">                 <angabe schluessel="an" titel="Auszahlung an" typ="code"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="w:haushaltsmitglied" mode="gegenstand">  <abschnitt schluessel="haushaltsmitglied" titel="Haushaltsmitglied {1 + count(preceding-sibling::w:haushaltsmitglied)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:nummer" mode="gegenstand">             <angabe schluessel="nummer" titel="Nummer" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:antragsteller" mode="gegenstand">      <angabe schluessel="antragsteller" titel="Stellt den Antrag" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="w:verwandtschaft" mode="gegenstand">     <angabe schluessel="verwandtschaft" titel="Verhältnis zum Antragsteller" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:familienstand" mode="gegenstand">      <angabe schluessel="familienstand" titel="Familienstand" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:erwerbsstatus" mode="gegenstand">      <angabe schluessel="erwerbsstatus" titel="Erwerbsstatus" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:anteilWohnung" mode="gegenstand">      <angabe schluessel="anteilWohnung" titel="Anteil an der Wohnung" typ="zahl" einheit="%"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="w:schwerbehinderung" mode="gegenstand">  <abschnitt schluessel="schwerbehinderung" titel="Schwerbehinderung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:grad" mode="gegenstand">               <angabe schluessel="grad" titel="Grad der Behinderung" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:pflegegrad" mode="gegenstand">         <angabe schluessel="pflegegrad" titel="Pflegegrad" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:haeuslichePflege" mode="gegenstand">   <angabe schluessel="haeuslichePflege" titel="Pflege zu Hause" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>

  <xsl:template match="w:ausbildung" mode="gegenstand">         <abschnitt schluessel="ausbildung" titel="Ausbildung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:ausbildung/w:art" mode="gegenstand">   <angabe schluessel="art" titel="Art" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:einrichtung" mode="gegenstand">        <angabe schluessel="einrichtung" titel="Schule, Hochschule oder Betrieb" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:beginn" mode="gegenstand">             <angabe schluessel="beginn" titel="Beginn" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:ende" mode="gegenstand">               <angabe schluessel="ende" titel="Ende" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="w:transferleistung" mode="gegenstand">   <abschnitt schluessel="transferleistung" titel="Andere Sozialleistung {1 + count(preceding-sibling::w:transferleistung)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:seit" mode="gegenstand">               <angabe schluessel="seit" titel="Seit" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:beantragt" mode="gegenstand">          <angabe schluessel="beantragt" titel="Beantragt, noch nicht entschieden" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>

  <xsl:template match="w:einkommen" mode="gegenstand">          <abschnitt schluessel="einkommen" titel="Einkommen {1 + count(preceding-sibling::w:einkommen)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:art" mode="gegenstand">                <angabe schluessel="art" titel="Art" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:bezeichnung" mode="gegenstand">        <angabe schluessel="bezeichnung" titel="Bezeichnung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:zahlendeStelle" mode="gegenstand">     <angabe schluessel="zahlendeStelle" titel="Zahlende Stelle" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:betrag" mode="gegenstand">             <angabe schluessel="betrag" titel="Betrag" typ="betrag" einheit="EUR"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:zeitraum" mode="gegenstand">           <angabe schluessel="zeitraum" titel="Zeitraum" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:von" mode="gegenstand">                <angabe schluessel="von" titel="Von" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:bis" mode="gegenstand">                <angabe schluessel="bis" titel="Bis" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:steuern" mode="gegenstand">            <angabe schluessel="steuern" titel="Steuern werden gezahlt" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="w:krankenversicherung" mode="gegenstand"><angabe schluessel="krankenversicherung" titel="Beiträge zur Krankenversicherung werden gezahlt" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="w:rentenversicherung" mode="gegenstand"> <angabe schluessel="rentenversicherung" titel="Beiträge zur Rentenversicherung werden gezahlt" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="w:werbungskosten" mode="gegenstand">     <angabe schluessel="werbungskosten" titel="Werbungskosten" typ="betrag" einheit="EUR"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="w:vermoegen" mode="gegenstand">          <abschnitt schluessel="vermoegen" titel="Vermögen {1 + count(preceding-sibling::w:vermoegen)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:institut" mode="gegenstand">           <angabe schluessel="institut" titel="Geldinstitut" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="w:unterhaltszahlung" mode="gegenstand">  <abschnitt schluessel="unterhaltszahlung" titel="Unterhaltszahlung {1 + count(preceding-sibling::w:unterhaltszahlung)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:empfaenger" mode="gegenstand">         <angabe schluessel="empfaenger" titel="Empfänger" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:titel" mode="gegenstand">              <angabe schluessel="titel" titel="Unterhaltstitel vorhanden" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>

  <xsl:template match="w:wohnung" mode="gegenstand">            <abschnitt schluessel="wohnung" titel="Wohnung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:anschrift" mode="gegenstand">          <abschnitt schluessel="anschrift" titel="Anschrift"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:strasse" mode="gegenstand">            <angabe schluessel="strasse" titel="Straße" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:hausnummer" mode="gegenstand">         <angabe schluessel="hausnummer" titel="Hausnummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:zusatz" mode="gegenstand">             <angabe schluessel="zusatz" titel="Zusatz" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:plz" mode="gegenstand">                <angabe schluessel="plz" titel="Postleitzahl" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:ort" mode="gegenstand">                <angabe schluessel="ort" titel="Ort" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:land" mode="gegenstand">               <angabe schluessel="land" titel="Staat" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:bezugAm" mode="gegenstand">            <angabe schluessel="bezugAm" titel="Bezogen am" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:wohnflaeche" mode="gegenstand">        <angabe schluessel="wohnflaeche" titel="Wohnfläche" typ="zahl" einheit="m2"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:gewerblicheFlaeche" mode="gegenstand"> <angabe schluessel="gewerblicheFlaeche" titel="Davon gewerblich genutzt" typ="zahl" einheit="m2"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:untervermieteteFlaeche" mode="gegenstand"><angabe schluessel="untervermieteteFlaeche" titel="Davon untervermietet" typ="zahl" einheit="m2"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:raeume" mode="gegenstand">             <angabe schluessel="raeume" titel="Räume" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:baujahr" mode="gegenstand">            <angabe schluessel="baujahr" titel="Baujahr" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:heizart" mode="gegenstand">            <angabe schluessel="heizart" titel="Heizart" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:vermieter" mode="gegenstand">          <abschnitt schluessel="vermieter" titel="Vermieter"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>

  <xsl:template match="w:miete" mode="gegenstand">              <abschnitt schluessel="miete" titel="Miete"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:mietbeginn" mode="gegenstand">         <angabe schluessel="mietbeginn" titel="Mietbeginn" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:gesamtmiete" mode="gegenstand">        <angabe schluessel="gesamtmiete" titel="Gesamtmiete im Monat" typ="betrag" einheit="EUR"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:bestandteil" mode="gegenstand">        <abschnitt schluessel="bestandteil" titel="Bestandteil {1 + count(preceding-sibling::w:bestandteil)}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:enthalten" mode="gegenstand">          <angabe schluessel="enthalten" titel="In der Gesamtmiete enthalten" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>

  <xsl:template match="w:erklaerungen" mode="gegenstand">       <abschnitt schluessel="erklaerungen" titel="Erklärungen"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:richtigkeit" mode="gegenstand">        <angabe schluessel="richtigkeit" titel="Die Angaben sind richtig und vollständig" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="w:mitwirkung" mode="gegenstand">         <angabe schluessel="mitwirkung" titel="Änderungen werden mitgeteilt" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="w:datenabgleich" mode="gegenstand">      <angabe schluessel="datenabgleich" titel="Der Datenabgleich ist bekannt" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="w:keinAusschluss" mode="gegenstand">     <angabe schluessel="keinAusschluss" titel="Es besteht kein Ausschluss vom Wohngeld" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>

  <xsl:template match="w:bemerkung" mode="gegenstand">
    <abschnitt schluessel="bemerkung" titel="Bemerkung">
      <angabe schluessel="bemerkung" titel="Bemerkung" typ="text"><xsl:value-of select="."/></angabe>
    </abschnitt>
  </xsl:template>
</xsl:stylesheet>
