<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → BeteiligungsPortal 1 (JSON): English names, the subject matter as a flat list of topics. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns="http://www.w3.org/2005/xpath-functions"
    exclude-result-prefixes="v">
  <xsl:import href="../../../../lib/1/json.xsl"/>
  <xsl:output method="xml" encoding="UTF-8" indent="no"/>

  <xsl:key name="listed" match="v:anlagenverzeichnis/v:anlage" use="@name"/>
  <xsl:key name="received" match="v:sendung/v:anlage" use="@name"/>

  <!-- The portal's word for each field of ours; one text, for a search in it is faster than in a tree. -->
  <xsl:variable name="dictionary" select="concat(' ',
    'verfahren=procedure art=kind betreff=subject kennung=reference erstellt=createdAt ',
    'leistung=serviceKey kommune=municipalityKey aktenzeichen=fileReference zustellung=deliveryId ',
    'nachricht=messageId angenommen=acceptedAt quelle=source regel=rule release=release id=id rolle=role ',
    'name=name ars=regionalKey vorname=givenName geburtsname=birthName titel=title anrede=salutation ',
    'rechtsform=legalForm registernummer=registerNumber geburtsdatum=dateOfBirth geburtsort=placeOfBirth ',
    'staatsangehoerigkeit=nationality strasse=street hausnummer=houseNumber zusatz=addition ',
    'plz=postalCode ort=city land=country email=email telefon=phone inhaber=holder iban=iban bic=bic ',
    'medientyp=mediaType sha256=sha256 ')"/>

  <xsl:template match="/v:vorgang">
    <map>
      <string key="schemaVersion">1.0</string>
      <xsl:apply-templates select="v:sendung"/>
      <map key="participation">
        <xsl:apply-templates select="@verfahren|@art|v:kopf/*" mode="english"/>
      </map>
      <array key="stakeholders"><xsl:apply-templates select="v:beteiligter"/></array>
      <array key="topics"><xsl:apply-templates select="v:gegenstand/v:abschnitt"/></array>
      <array key="documents">
        <xsl:apply-templates select="v:sendung/v:anlage"/>
        <xsl:apply-templates select="v:anlagenverzeichnis/v:anlage[not(key('received', @name))]"/>
      </array>
    </map>
  </xsl:template>

  <!-- A deliveryId seen before is answered with the participation made then. -->
  <xsl:template match="v:sendung">
    <map key="transfer">
      <xsl:apply-templates select="@*" mode="english"/>
      <map key="authority"><xsl:apply-templates select="v:behoerde/@*" mode="english"/></map>
      <xsl:if test="v:kommune">
        <map key="municipality"><xsl:apply-templates select="v:kommune/@*" mode="english"/></map>
      </xsl:if>
    </map>
  </xsl:template>

  <xsl:template match="v:beteiligter">
    <map>
      <xsl:apply-templates select="@*|*[not(*)]" mode="english"/>
      <array key="addresses">
        <xsl:for-each select="v:anschrift">
          <map><xsl:apply-templates select="@*|*" mode="english"/></map>
        </xsl:for-each>
      </array>
      <xsl:if test="v:bank">
        <map key="bankAccount"><xsl:apply-templates select="v:bank/*" mode="english"/></map>
      </xsl:if>
    </map>
  </xsl:template>

  <!-- A nested section is a topic of its own whose path, such as "0/2", begins with that of its parent. -->
  <xsl:template match="v:abschnitt">
    <xsl:param name="parent"/>
    <xsl:variable name="path" select="concat($parent, position() - 1)"/>
    <map>
      <string key="path"><xsl:value-of select="$path"/></string>
      <string key="code"><xsl:value-of select="@schluessel"/></string>
      <string key="title"><xsl:value-of select="@titel"/></string>
      <array key="attributes"><xsl:apply-templates select="v:angabe"/></array>
    </map>
    <xsl:apply-templates select="v:abschnitt">
      <xsl:with-param name="parent" select="concat($path, '/')"/>
    </xsl:apply-templates>
  </xsl:template>

  <xsl:template match="v:angabe">
    <map>
      <string key="code"><xsl:value-of select="@schluessel"/></string>
      <string key="title"><xsl:value-of select="@titel"/></string>
      <string key="type">
        <xsl:choose>
          <xsl:when test="@typ = 'datum'">date</xsl:when>
          <xsl:when test="@typ = 'zahl'">number</xsl:when>
          <xsl:when test="@typ = 'betrag'">money</xsl:when>
          <xsl:when test="@typ = 'ja-nein'">boolean</xsl:when>
          <xsl:when test="@typ = 'code'">code</xsl:when>
          <xsl:otherwise>text</xsl:otherwise>
        </xsl:choose>
      </string>
      <xsl:apply-templates select="." mode="value"><xsl:with-param name="key" select="'value'"/></xsl:apply-templates>
      <xsl:apply-templates select="@einheit" mode="member"><xsl:with-param name="key" select="'unit'"/></xsl:apply-templates>
      <xsl:apply-templates select="@liste" mode="member"><xsl:with-param name="key" select="'codeList'"/></xsl:apply-templates>
    </map>
  </xsl:template>

  <xsl:template match="v:sendung/v:anlage">
    <map>
      <boolean key="received">true</boolean>
      <xsl:apply-templates select="@name|@medientyp|@sha256" mode="english"/>
      <number key="size"><xsl:value-of select="@bytes"/></number>
      <xsl:apply-templates select="key('listed', @name)/@*[name() != 'name']" mode="english"/>
    </map>
  </xsl:template>

  <xsl:template match="v:anlagenverzeichnis/v:anlage">
    <map>
      <boolean key="received">false</boolean>
      <xsl:apply-templates select="@*" mode="english"/>
    </map>
  </xsl:template>

  <xsl:template match="@*|*" mode="english">
    <xsl:apply-templates select="." mode="member">
      <xsl:with-param name="key" select="substring-before(substring-after($dictionary, concat(' ', local-name(), '=')), ' ')"/>
    </xsl:apply-templates>
  </xsl:template>
</xsl:stylesheet>
