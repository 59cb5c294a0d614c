<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → GewerbeRegister 5 (XML): attributes wherever a value fits one line, dates as TT.MM.JJJJ. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns:f="urn:datendrehscheibe:lib:text:1"
    xmlns="urn:erfunden:gewerberegister:5"
    exclude-result-prefixes="v f">
  <xsl:import href="../../../../lib/1/text.xsl"/>
  <xsl:output method="xml" encoding="UTF-8" indent="no"/>

  <xsl:variable name="small" select="'abcdefghijklmnopqrstuvwxyz'"/>
  <xsl:variable name="capital" select="'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"/>

  <xsl:key name="listed" match="v:anlagenverzeichnis/v:anlage" use="@name"/>
  <xsl:key name="received" match="v:sendung/v:anlage" use="@name"/>

  <xsl:template match="/v:vorgang">
    <Eingang Format="5.0" Verfahren="{@verfahren}" Vorfall="{@art}">
      <xsl:apply-templates select="v:sendung"/>
      <Akte>
        <xsl:apply-templates select="v:kopf/*" mode="attribute"/>
      </Akte>
      <xsl:apply-templates select="v:beteiligter"/>
      <xsl:apply-templates select="v:gegenstand/v:abschnitt"/>
      <xsl:apply-templates select="v:sendung/v:anlage"/>
      <xsl:apply-templates select="v:anlagenverzeichnis/v:anlage[not(key('received', @name))]"/>
    </Eingang>
  </xsl:template>

  <xsl:template match="v:sendung">
    <Lieferung LieferungsNr="{@zustellung}" NachrichtenNr="{@nachricht}" Quelle="{@quelle}" Regel="{@regel}" Depotstand="{@release}">
      <xsl:apply-templates select="@angenommen" mode="attribute"/>
      <Behoerde Kennung="{v:behoerde/@kennung}" Name="{v:behoerde/@name}"/>
      <xsl:for-each select="v:kommune">
        <Gemeinde ARS="{@ars}" Name="{@name}"/>
      </xsl:for-each>
    </Lieferung>
  </xsl:template>

  <xsl:template match="v:beteiligter">
    <Beteiligter Nr="{position()}">
      <xsl:apply-templates select="@*|*[not(*)]" mode="attribute"/>
      <xsl:for-each select="v:anschrift">
        <Adresse><xsl:apply-templates select="@*|*" mode="attribute"/></Adresse>
      </xsl:for-each>
      <xsl:for-each select="v:bank">
        <Bank><xsl:apply-templates select="*" mode="attribute"/></Bank>
      </xsl:for-each>
    </Beteiligter>
  </xsl:template>

  <xsl:template match="v:abschnitt">
    <Rubrik Schluessel="{@schluessel}" Titel="{@titel}">
      <xsl:apply-templates select="*"/>
    </Rubrik>
  </xsl:template>

  <!-- The value is content, not an attribute: a text may have lines. -->
  <xsl:template match="v:angabe">
    <Merkmal Schluessel="{@schluessel}" Titel="{@titel}" Typ="{@typ}">
      <!-- Few have more than schluessel, titel and typ. -->
      <xsl:if test="@*[4]">
        <xsl:apply-templates select="@einheit" mode="attribute"/>
        <xsl:apply-templates select="@liste" mode="attribute"/>
      </xsl:if>
      <xsl:choose>
        <xsl:when test="@typ = 'datum'"><xsl:value-of select="f:datum(.)"/></xsl:when>
        <xsl:otherwise><xsl:value-of select="."/></xsl:otherwise>
      </xsl:choose>
    </Merkmal>
  </xsl:template>

  <!-- A received file with what the message says of it, and what was listed but did not come. -->
  <xsl:template match="v:sendung/v:anlage">
    <Anlage Name="{@name}" Medientyp="{@medientyp}" Groesse="{@bytes}" SHA256="{@sha256}">
      <xsl:apply-templates select="key('listed', @name)/@*[name() != 'name']" mode="attribute"/>
    </Anlage>
  </xsl:template>

  <xsl:template match="v:anlagenverzeichnis/v:anlage">
    <FehlendeAnlage><xsl:apply-templates select="@*" mode="attribute"/></FehlendeAnlage>
  </xsl:template>

  <!-- One attribute per element or attribute of the Vorgang, by its name with a capital. The names are written out because
       libxslt compiles a computed name anew each time; only what the Vorgang may gain one day takes that way. -->
  <xsl:template match="v:kennung" mode="attribute">             <xsl:attribute name="Kennung"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:leistung" mode="attribute">            <xsl:attribute name="Leistung"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:kommune" mode="attribute">             <xsl:attribute name="Kommune"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:betreff" mode="attribute">             <xsl:attribute name="Betreff"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:aktenzeichen" mode="attribute">        <xsl:attribute name="Aktenzeichen"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="@id" mode="attribute">                   <xsl:attribute name="Id"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="@rolle" mode="attribute">                <xsl:attribute name="Rolle"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="@art" mode="attribute">                  <xsl:attribute name="Art"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:name|@name" mode="attribute">             <xsl:attribute name="Name"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:vorname" mode="attribute">             <xsl:attribute name="Vorname"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:geburtsname" mode="attribute">         <xsl:attribute name="Geburtsname"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:titel|@titel" mode="attribute">        <xsl:attribute name="Titel"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:anrede" mode="attribute">              <xsl:attribute name="Anrede"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:rechtsform" mode="attribute">          <xsl:attribute name="Rechtsform"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:registernummer" mode="attribute">      <xsl:attribute name="Registernummer"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:geburtsort" mode="attribute">          <xsl:attribute name="Geburtsort"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:staatsangehoerigkeit" mode="attribute"><xsl:attribute name="Staatsangehoerigkeit"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:strasse" mode="attribute">             <xsl:attribute name="Strasse"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:hausnummer" mode="attribute">          <xsl:attribute name="Hausnummer"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:zusatz" mode="attribute">              <xsl:attribute name="Zusatz"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:plz" mode="attribute">                 <xsl:attribute name="Plz"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:ort" mode="attribute">                 <xsl:attribute name="Ort"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:land" mode="attribute">                <xsl:attribute name="Land"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:email" mode="attribute">               <xsl:attribute name="Email"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:telefon" mode="attribute">             <xsl:attribute name="Telefon"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:inhaber" mode="attribute">             <xsl:attribute name="Inhaber"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:iban" mode="attribute">                <xsl:attribute name="Iban"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="v:bic" mode="attribute">                 <xsl:attribute name="Bic"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="@einheit" mode="attribute">              <xsl:attribute name="Einheit"><xsl:value-of select="."/></xsl:attribute></xsl:template>
  <xsl:template match="@liste" mode="attribute">                <xsl:attribute name="Liste"><xsl:value-of select="."/></xsl:attribute></xsl:template>

  <xsl:template match="@*|*" mode="attribute">
    <xsl:attribute name="{translate(substring(local-name(), 1, 1), $small, $capital)}{substring(local-name(), 2)}">
      <xsl:value-of select="."/>
    </xsl:attribute>
  </xsl:template>

  <xsl:template match="v:geburtsdatum" mode="attribute">
    <xsl:attribute name="Geburtsdatum"><xsl:value-of select="f:datum(.)"/></xsl:attribute>
  </xsl:template>

  <!-- Points in time: the day as everywhere, the time in UTC beside it. -->
  <xsl:template match="v:erstellt|@angenommen" mode="attribute">
    <xsl:attribute name="Datum"><xsl:value-of select="f:datum(substring-before(., 'T'))"/></xsl:attribute>
    <xsl:attribute name="Uhrzeit"><xsl:value-of select="substring-after(., 'T')"/></xsl:attribute>
  </xsl:template>
</xsl:stylesheet>
