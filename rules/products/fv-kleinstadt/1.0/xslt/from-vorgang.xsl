<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → a letter that people read, for offices without a Fachverfahren.
     Whatever an applicant writes stays behind a label or a bar: nobody can forge a line of this letter. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns:f="urn:datendrehscheibe:lib:text:1"
    xmlns:str="http://exslt.org/strings">
  <xsl:import href="../../../../lib/1/text.xsl"/>
  <xsl:output method="text" encoding="UTF-8"/>

  <xsl:key name="received" match="v:sendung/v:anlage" use="@name"/>

  <!-- What a field is called in the letter; one text, for a search in it is faster than in a tree. -->
  <xsl:variable name="labels" select="concat('|',
    'rolle=Rolle|name=Name|vorname=Vorname|geburtsname=Geburtsname|titel=Titel|anrede=Anrede|',
    'rechtsform=Rechtsform|registernummer=Registernummer|geburtsdatum=Geburtsdatum|geburtsort=Geburtsort|',
    'staatsangehoerigkeit=Staatsangehörigkeit|strasse=Straße|hausnummer=Hausnummer|zusatz=Zusatz|',
    'plz=Postleitzahl|ort=Ort|land=Land|email=E-Mail|telefon=Telefon|inhaber=Kontoinhaber|iban=IBAN|',
    'bic=BIC|kennung=Vorgang beim Absender|erstellt=Erstellt am|leistung=Leistung (LeiKa)|',
    'kommune=Gemeindeschlüssel|betreff=Betreff|aktenzeichen=Ihr Aktenzeichen|nachricht=Nachricht|',
    'zustellung=Zustellung|angenommen=Angenommen am|quelle=Quelle|regel=Regel|release=Depotstand|',
    'medientyp=Art der Datei|bytes=Größe in Byte|sha256=Prüfsumme SHA-256|art=Art|')"/>

  <!-- Every character at which some mail program begins a new line. -->
  <xsl:variable name="breaks" select="'&#13;&#x85;&#x2028;&#x2029;'"/>

  <xsl:template match="/v:vorgang">
    <xsl:for-each select="v:sendung">
      <xsl:call-template name="heading"><xsl:with-param name="text" select="v:kommune/@name"/></xsl:call-template>
      <xsl:call-template name="heading"><xsl:with-param name="text" select="v:behoerde/@name"/></xsl:call-template>
    </xsl:for-each>
    <xsl:text>&#10;</xsl:text>
    <xsl:apply-templates select="v:kopf/v:betreff" mode="line"/>
    <xsl:text>
Guten Tag,

über die Datendrehscheibe ist für Sie der folgende Vorgang eingegangen. Eingegangene Dateien hängen an dieser
Nachricht.

VORGANG

</xsl:text>
    <xsl:apply-templates select="@verfahren" mode="line"><xsl:with-param name="label" select="'Verfahren'"/></xsl:apply-templates>
    <xsl:apply-templates select="@art" mode="line"><xsl:with-param name="label" select="'Anliegen'"/></xsl:apply-templates>
    <xsl:apply-templates select="v:kopf/*[not(self::v:betreff)]" mode="line"/>
    <xsl:text>&#10;BETEILIGTE&#10;</xsl:text>
    <xsl:apply-templates select="v:beteiligter"/>
    <xsl:text>&#10;ANGABEN&#10;</xsl:text>
    <xsl:apply-templates select="v:gegenstand/v:abschnitt"/>
    <xsl:apply-templates select="v:sendung[v:anlage]" mode="files"/>
    <xsl:apply-templates select="v:anlagenverzeichnis[v:anlage]" mode="files"/>
    <xsl:text>&#10;KENNZEICHEN FÜR RÜCKFRAGEN&#10;&#10;</xsl:text>
    <xsl:apply-templates select="v:sendung/@*" mode="line"/>
    <xsl:apply-templates select="v:sendung/v:behoerde/@kennung" mode="line"><xsl:with-param name="label" select="'Behörde'"/></xsl:apply-templates>
    <xsl:apply-templates select="v:sendung/v:kommune/@ars" mode="line"><xsl:with-param name="label" select="'Regionalschlüssel'"/></xsl:apply-templates>
  </xsl:template>

  <xsl:template match="v:beteiligter">
    <xsl:text>&#10;</xsl:text>
    <xsl:call-template name="heading">
      <xsl:with-param name="text" select="concat(position(), '. ', f:name(.))"/>
    </xsl:call-template>
    <xsl:apply-templates select="@rolle|@art|*[not(*)]" mode="line"/>
    <xsl:for-each select="v:anschrift">
      <xsl:call-template name="heading">
        <xsl:with-param name="text" select="concat('Anschrift', substring(concat(' (', @art, ')'), 1, 99 * boolean(@art)))"/>
        <xsl:with-param name="indent" select="'  '"/>
      </xsl:call-template>
      <xsl:apply-templates select="*" mode="line"><xsl:with-param name="indent" select="'    '"/></xsl:apply-templates>
    </xsl:for-each>
    <xsl:for-each select="v:bank">
      <xsl:call-template name="heading">
        <xsl:with-param name="text" select="'Bankverbindung'"/>
        <xsl:with-param name="indent" select="'  '"/>
      </xsl:call-template>
      <xsl:apply-templates select="*" mode="line"><xsl:with-param name="indent" select="'    '"/></xsl:apply-templates>
    </xsl:for-each>
  </xsl:template>

  <!-- Numbered like a form: 2, 2.1, 2.1.1. -->
  <xsl:template match="v:abschnitt">
    <xsl:param name="parent"/>
    <xsl:variable name="number" select="concat($parent, position())"/>
    <xsl:text>&#10;</xsl:text>
    <xsl:call-template name="heading"><xsl:with-param name="text" select="concat($number, ' ', @titel)"/></xsl:call-template>
    <xsl:apply-templates select="v:angabe"/>
    <xsl:apply-templates select="v:abschnitt"><xsl:with-param name="parent" select="concat($number, '.')"/></xsl:apply-templates>
  </xsl:template>

  <xsl:template match="v:angabe">
    <xsl:variable name="value">
      <xsl:choose>
        <xsl:when test="@typ = 'datum'"><xsl:value-of select="f:datum(.)"/></xsl:when>
        <xsl:when test="@typ = 'zahl' or @typ = 'betrag'"><xsl:value-of select="translate(., '.', ',')"/></xsl:when>
        <xsl:when test="@typ = 'ja-nein' and . = 'true'">Ja</xsl:when>
        <xsl:when test="@typ = 'ja-nein' and . = 'false'">Nein</xsl:when>
        <xsl:otherwise><xsl:value-of select="."/></xsl:otherwise>
      </xsl:choose>
      <xsl:for-each select="@einheit"><xsl:value-of select="concat(' ', .)"/></xsl:for-each>
      <xsl:if test="@typ = 'betrag' and not(@einheit)"> EUR</xsl:if>
      <xsl:for-each select="@liste"><xsl:value-of select="concat(' (Codeliste ', ., ')')"/></xsl:for-each>
    </xsl:variable>
    <xsl:call-template name="line">
      <xsl:with-param name="label" select="@titel"/>
      <xsl:with-param name="value" select="string($value)"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="v:sendung" mode="files">
    <xsl:text>&#10;ANLAGEN&#10;</xsl:text>
    <xsl:for-each select="v:anlage">
      <xsl:text>&#10;</xsl:text>
      <xsl:call-template name="heading"><xsl:with-param name="text" select="concat(position(), '. ', @name)"/></xsl:call-template>
      <xsl:apply-templates select="@*[name() != 'name']" mode="line"/>
    </xsl:for-each>
  </xsl:template>

  <xsl:template match="v:anlagenverzeichnis" mode="files">
    <xsl:text>&#10;ANLAGEN NACH ANGABE DES ABSENDERS&#10;</xsl:text>
    <xsl:for-each select="v:anlage">
      <xsl:text>&#10;</xsl:text>
      <xsl:call-template name="heading"><xsl:with-param name="text" select="concat(position(), '. ', @name)"/></xsl:call-template>
      <xsl:apply-templates select="@*[name() != 'name']" mode="line"/>
      <xsl:if test="not(key('received', @name))">  Diese Datei ist nicht eingegangen.&#10;</xsl:if>
    </xsl:for-each>
  </xsl:template>

  <xsl:template match="@*|*" mode="line">
    <xsl:param name="label" select="substring-before(substring-after($labels, concat('|', local-name(), '=')), '|')"/>
    <xsl:param name="indent" select="'  '"/>
    <xsl:call-template name="line">
      <xsl:with-param name="label" select="$label"/>
      <xsl:with-param name="value" select="string(.)"/>
      <xsl:with-param name="indent" select="$indent"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="v:betreff" mode="line">
    <xsl:call-template name="heading"><xsl:with-param name="text" select="concat('Betreff: ', .)"/></xsl:call-template>
  </xsl:template>

  <xsl:template match="v:erstellt|v:geburtsdatum|@angenommen" mode="line">
    <xsl:param name="indent" select="'  '"/>
    <xsl:call-template name="line">
      <xsl:with-param name="label" select="substring-before(substring-after($labels, concat('|', local-name(), '=')), '|')"/>
      <xsl:with-param name="value" select="f:datum(.)"/>
      <xsl:with-param name="indent" select="$indent"/>
    </xsl:call-template>
  </xsl:template>

  <!-- One line whatever the text. -->
  <xsl:template name="heading">
    <xsl:param name="text"/>
    <xsl:param name="indent"/>
    <xsl:if test="$text">
      <xsl:value-of select="concat($indent, normalize-space(translate($text, $breaks, '    ')), '&#10;')"/>
    </xsl:if>
  </xsl:template>

  <!-- "Label: value"; a value of several lines stands below its label, each line behind a bar. -->
  <xsl:template name="line">
    <xsl:param name="label"/>
    <xsl:param name="value"/>
    <xsl:param name="indent" select="'  '"/>
    <xsl:value-of select="concat($indent, normalize-space(translate($label, $breaks, '    ')), ':')"/>
    <xsl:choose>
      <xsl:when test="translate($value, concat('&#10;', $breaks), '') != $value">
        <xsl:variable name="text" select="translate(str:replace($value, '&#13;&#10;', '&#10;'), $breaks, '&#10;&#10;&#10;&#10;')"/>
        <!-- The blank before each line keeps empty lines, which str:split would drop. -->
        <xsl:for-each select="str:split(concat(' ', str:replace($text, '&#10;', '&#10; ')), '&#10;')">
          <xsl:value-of select="concat('&#10;', $indent, '  |', .)"/>
        </xsl:for-each>
      </xsl:when>
      <xsl:otherwise><xsl:value-of select="concat(' ', $value)"/></xsl:otherwise>
    </xsl:choose>
    <xsl:text>&#10;</xsl:text>
  </xsl:template>
</xsl:stylesheet>
