<?xml version="1.0" encoding="UTF-8"?>
<!-- Je Feld des Wohngeldantrags 2.0 eine Zeile: Schlüssel, Titel und Typ im Vorgang. Derselbe Antrag ergibt denselben Vorgang wie in Fassung
     1.0, die Fachverfahren merken vom Wechsel nichts: darum trägt manches Feld hier seinen alten Schlüssel. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="urn:datendrehscheibe:vorgang:1"
                xmlns:w="urn:datendrehscheibe:wohngeld:2" exclude-result-prefixes="w">

  <xsl:template match="w:anliegen" mode="gegenstand">
    <angabe schluessel="antragsart" titel="Art des Antrags" typ="code">
      <xsl:choose>
        <xsl:when test=". = 'erst'">erstantrag</xsl:when>
        <xsl:when test=". = 'folge'">weiterleistung</xsl:when>
        <xsl:when test=". = 'aenderung'">erhoehung</xsl:when>
      </xsl:choose>
    </angabe>
  </xsl:template>
  <xsl:template match="w:ab" mode="gegenstand">                 <angabe schluessel="bewilligungAb" titel="Wohngeld ab" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:wohngeldnummer" mode="gegenstand">     <angabe schluessel="wohngeldnummer" titel="Wohngeldnummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:bescheidElektronisch" mode="gegenstand"><angabe schluessel="bescheidElektronisch" titel="Bescheid in das Nutzerkonto" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="w:an" mode="gegenstand">                 <angabe schluessel="an" titel="Auszahlung an" typ="code"><xsl:value-of select="."/></angabe></xsl:template>

  <!-- Was in den Listen auf eine Person verweist, steht im Vorgang bei der Person und wird dort gezählt. -->
  <xsl:key name="verweis" match="w:bezug | w:posten | w:wert | w:zahlung" use="w:personNr"/>
  <xsl:template match="w:personNr" mode="gegenstand"/>

  <xsl:template match="w:eintrag" mode="gegenstand">
    <abschnitt schluessel="haushaltsmitglied" titel="Haushaltsmitglied {1 + count(preceding-sibling::w:eintrag)}">
      <xsl:apply-templates select="* | key('verweis', w:nr)" mode="gegenstand"/>
    </abschnitt>
  </xsl:template>
  <xsl:template match="w:nr" mode="gegenstand">                 <angabe schluessel="nummer" titel="Nummer" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:rolle" mode="gegenstand">
    <angabe schluessel="antragsteller" titel="Stellt den Antrag" typ="ja-nein">
      <xsl:choose>
        <xsl:when test=". = 'antragsteller'">true</xsl:when>
        <xsl:when test=". = 'mitglied'">false</xsl:when>
      </xsl:choose>
    </angabe>
  </xsl:template>
  <xsl:template match="w:beziehung" mode="gegenstand">          <angabe schluessel="verwandtschaft" titel="Verhältnis zum Antragsteller" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:familienstand" mode="gegenstand">      <angabe schluessel="familienstand" titel="Familienstand" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:erwerb" mode="gegenstand">             <angabe schluessel="erwerbsstatus" titel="Erwerbsstatus" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:anteilWohnung" mode="gegenstand">      <angabe schluessel="anteilWohnung" titel="Anteil an der Wohnung" typ="zahl" einheit="%"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="w:behinderung" mode="gegenstand">        <abschnitt schluessel="schwerbehinderung" titel="Schwerbehinderung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:grad" mode="gegenstand">               <angabe schluessel="grad" titel="Grad der Behinderung" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:pflegegrad" mode="gegenstand">         <angabe schluessel="pflegegrad" titel="Pflegegrad" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:haeuslichePflege" mode="gegenstand">   <angabe schluessel="haeuslichePflege" titel="Pflege zu Hause" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>

  <xsl:template match="w:ausbildung" mode="gegenstand">         <abschnitt schluessel="ausbildung" titel="Ausbildung"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:ausbildung/w:art" mode="gegenstand">   <angabe schluessel="art" titel="Art" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:einrichtung" mode="gegenstand">        <angabe schluessel="einrichtung" titel="Schule, Hochschule oder Betrieb" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:beginn" mode="gegenstand">             <angabe schluessel="beginn" titel="Beginn" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:ende" mode="gegenstand">               <angabe schluessel="ende" titel="Ende" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="w:bezug" mode="gegenstand">              <abschnitt schluessel="transferleistung" titel="Andere Sozialleistung {1 + count(preceding-sibling::w:bezug[w:personNr = current()/w:personNr])}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:seit" mode="gegenstand">               <angabe schluessel="seit" titel="Seit" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:beantragt" mode="gegenstand">          <angabe schluessel="beantragt" titel="Beantragt, noch nicht entschieden" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>

  <xsl:template match="w:posten" mode="gegenstand">             <abschnitt schluessel="einkommen" titel="Einkommen {1 + count(preceding-sibling::w:posten[w:personNr = current()/w:personNr])}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:art" mode="gegenstand">                <angabe schluessel="art" titel="Art" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:bezeichnung" mode="gegenstand">        <angabe schluessel="bezeichnung" titel="Bezeichnung" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:zahlendeStelle" mode="gegenstand">     <angabe schluessel="zahlendeStelle" titel="Zahlende Stelle" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:betrag" mode="gegenstand">             <angabe schluessel="betrag" titel="Betrag" typ="betrag" einheit="EUR"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:turnus" mode="gegenstand">
    <angabe schluessel="zeitraum" titel="Zeitraum" typ="code">
      <xsl:choose>
        <xsl:when test=". = 'monat'">monatlich</xsl:when>
        <xsl:when test=". = 'jahr'">jaehrlich</xsl:when>
        <xsl:when test=". = 'einmal'">einmalig</xsl:when>
      </xsl:choose>
    </angabe>
  </xsl:template>
  <xsl:template match="w:von" mode="gegenstand">                <angabe schluessel="von" titel="Von" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:bis" mode="gegenstand">                <angabe schluessel="bis" titel="Bis" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:steuern" mode="gegenstand">            <angabe schluessel="steuern" titel="Steuern werden gezahlt" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="w:krankenversicherung" mode="gegenstand"><angabe schluessel="krankenversicherung" titel="Beiträge zur Krankenversicherung werden gezahlt" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="w:rentenversicherung" mode="gegenstand"> <angabe schluessel="rentenversicherung" titel="Beiträge zur Rentenversicherung werden gezahlt" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>
  <xsl:template match="w:werbungskosten" mode="gegenstand">     <angabe schluessel="werbungskosten" titel="Werbungskosten" typ="betrag" einheit="EUR"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="w:wert" mode="gegenstand">               <abschnitt schluessel="vermoegen" titel="Vermögen {1 + count(preceding-sibling::w:wert[w:personNr = current()/w:personNr])}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:institut" mode="gegenstand">           <angabe schluessel="institut" titel="Geldinstitut" typ="text"><xsl:value-of select="."/></angabe></xsl:template>

  <xsl:template match="w:zahlung" mode="gegenstand">            <abschnitt schluessel="unterhaltszahlung" titel="Unterhaltszahlung {1 + count(preceding-sibling::w:zahlung[w:personNr = current()/w:personNr])}"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:empfaenger" mode="gegenstand">         <angabe schluessel="empfaenger" titel="Empfänger" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:titel" mode="gegenstand">              <angabe schluessel="titel" titel="Unterhaltstitel vorhanden" typ="ja-nein"><xsl:value-of select=". = 'true' or . = '1'"/></angabe></xsl:template>

  <xsl:template match="w:unterkunft" mode="gegenstand">
    <abschnitt schluessel="wohnung" titel="Wohnung">
      <xsl:apply-templates select="*[not(self::w:mietbeginn or self::w:kosten)]" mode="gegenstand"/>
    </abschnitt>
    <abschnitt schluessel="miete" titel="Miete">
      <xsl:apply-templates select="w:mietbeginn | w:kosten/*" mode="gegenstand"/>
    </abschnitt>
  </xsl:template>
  <xsl:template match="w:anschrift" mode="gegenstand">          <abschnitt schluessel="anschrift" titel="Anschrift"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:strasse" mode="gegenstand">            <angabe schluessel="strasse" titel="Straße" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:hausnummer" mode="gegenstand">         <angabe schluessel="hausnummer" titel="Hausnummer" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:zusatz" mode="gegenstand">             <angabe schluessel="zusatz" titel="Zusatz" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:plz" mode="gegenstand">                <angabe schluessel="plz" titel="Postleitzahl" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:ort" mode="gegenstand">                <angabe schluessel="ort" titel="Ort" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:land" mode="gegenstand">               <angabe schluessel="land" titel="Staat" typ="text"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:bezugAm" mode="gegenstand">            <angabe schluessel="bezugAm" titel="Bezogen am" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:gesamt" mode="gegenstand">             <angabe schluessel="wohnflaeche" titel="Wohnfläche" typ="zahl" einheit="m2"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:gewerblich" mode="gegenstand">         <angabe schluessel="gewerblicheFlaeche" titel="Davon gewerblich genutzt" typ="zahl" einheit="m2"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:untervermietet" mode="gegenstand">     <angabe schluessel="untervermieteteFlaeche" titel="Davon untervermietet" typ="zahl" einheit="m2"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:raeume" mode="gegenstand">             <angabe schluessel="raeume" titel="Räume" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:baujahr" mode="gegenstand">            <angabe schluessel="baujahr" titel="Baujahr" typ="zahl"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:heizart" mode="gegenstand">            <angabe schluessel="heizart" titel="Heizart" typ="code"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:vermieter" mode="gegenstand">          <abschnitt schluessel="vermieter" titel="Vermieter"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>

  <xsl:template match="w:mietbeginn" mode="gegenstand">         <angabe schluessel="mietbeginn" titel="Mietbeginn" typ="datum"><xsl:value-of select="."/></angabe></xsl:template>
  <xsl:template match="w:gesamtmiete" mode="gegenstand">        <angabe schluessel="gesamtmiete" titel="Gesamtmiete im Monat" typ="betrag" einheit="EUR"><xsl:value-of select="."/></angabe></xsl:template>

  <!-- Ein benannter Teil der Mietkosten; in 2.0 ist jeder in der Gesamtmiete enthalten, die immer vorn steht. -->
  <xsl:template match="w:kosten/*[not(self::w:gesamtmiete)]" mode="gegenstand">
    <abschnitt schluessel="bestandteil" titel="Bestandteil {count(preceding-sibling::*)}">
      <angabe schluessel="art" titel="Art" typ="code"><xsl:value-of select="local-name()"/></angabe>
      <angabe schluessel="betrag" titel="Betrag" typ="betrag" einheit="EUR"><xsl:value-of select="."/></angabe>
      <angabe schluessel="enthalten" titel="In der Gesamtmiete enthalten" typ="ja-nein">true</angabe>
    </abschnitt>
  </xsl:template>

  <xsl:template match="w:erklaerungen" mode="gegenstand">       <abschnitt schluessel="erklaerungen" titel="Erklärungen"><xsl:apply-templates select="*" mode="gegenstand"/></abschnitt></xsl:template>
  <xsl:template match="w:erklaerung[w:schluessel = 'richtigkeit']" mode="gegenstand">
    <angabe schluessel="richtigkeit" titel="Die Angaben sind richtig und vollständig" typ="ja-nein"><xsl:value-of select="w:abgegeben = 'true' or w:abgegeben = '1'"/></angabe>
  </xsl:template>
  <xsl:template match="w:erklaerung[w:schluessel = 'mitwirkung']" mode="gegenstand">
    <angabe schluessel="mitwirkung" titel="Änderungen werden mitgeteilt" typ="ja-nein"><xsl:value-of select="w:abgegeben = 'true' or w:abgegeben = '1'"/></angabe>
  </xsl:template>
  <xsl:template match="w:erklaerung[w:schluessel = 'datenabgleich']" mode="gegenstand">
    <angabe schluessel="datenabgleich" titel="Der Datenabgleich ist bekannt" typ="ja-nein"><xsl:value-of select="w:abgegeben = 'true' or w:abgegeben = '1'"/></angabe>
  </xsl:template>
  <xsl:template match="w:erklaerung[w:schluessel = 'kein-ausschluss']" mode="gegenstand">
    <angabe schluessel="keinAusschluss" titel="Es besteht kein Ausschluss vom Wohngeld" typ="ja-nein"><xsl:value-of select="w:abgegeben = 'true' or w:abgegeben = '1'"/></angabe>
  </xsl:template>

  <!-- Gruppen, die es in 1.0 nicht gab: ihre Felder rücken eine Ebene nach oben. -->
  <xsl:template match="w:abzuege | w:flaeche" mode="gegenstand">
    <xsl:apply-templates select="*" mode="gegenstand"/>
  </xsl:template>

  <xsl:template match="w:bemerkung" mode="gegenstand">
    <abschnitt schluessel="bemerkung" titel="Bemerkung">
      <angabe schluessel="bemerkung" titel="Bemerkung" typ="text"><xsl:value-of select="."/></angabe>
    </abschnitt>
  </xsl:template>
</xsl:stylesheet>
