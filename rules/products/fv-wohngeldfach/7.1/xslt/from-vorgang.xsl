<?xml version="1.0" encoding="UTF-8"?>
<!-- Vorgang → WohngeldFach 7 (JSON in the mailbox): the household as an array of people, the form as
     blocks of rows [field, title, type, value, unit, code list]. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns="http://www.w3.org/2005/xpath-functions"
    exclude-result-prefixes="v">
  <xsl:import href="../../../../lib/1/json.xsl"/>
  <xsl:output method="xml" encoding="UTF-8" indent="no"/>

  <xsl:template match="/v:vorgang">
    <map>
      <array key="format"><string>wohngeldfach</string><number>7</number><number>1</number></array>
      <xsl:apply-templates select="v:sendung"/>
      <map key="antrag">
        <string key="verfahren"><xsl:value-of select="@verfahren"/></string>
        <string key="antragsart"><xsl:value-of select="@art"/></string>
        <xsl:apply-templates select="v:kopf/*" mode="member"/>
      </map>
      <array key="haushalt"><xsl:apply-templates select="v:beteiligter[@art = 'person']"/></array>
      <array key="stellen"><xsl:apply-templates select="v:beteiligter[@art = 'organisation']"/></array>
      <array key="bloecke"><xsl:apply-templates select="v:gegenstand/v:abschnitt"/></array>
      <array key="dateien"><xsl:apply-templates select="v:sendung/v:anlage"/></array>
      <array key="nachweise"><xsl:apply-templates select="v:anlagenverzeichnis/v:anlage"/></array>
    </map>
  </xsl:template>

  <!-- WohngeldFach drops a sendungs_id it has had. -->
  <xsl:template match="v:sendung">
    <map key="eingang">
      <string key="sendungs_id"><xsl:value-of select="@zustellung"/></string>
      <string key="nachrichten_id"><xsl:value-of select="@nachricht"/></string>
      <xsl:apply-templates select="@angenommen|@quelle|@regel|@release" mode="member"/>
      <array key="behoerde"><xsl:apply-templates select="v:behoerde/@kennung|v:behoerde/@name" mode="item"/></array>
      <array key="kommune"><xsl:apply-templates select="v:kommune/@ars|v:kommune/@name" mode="item"/></array>
    </map>
  </xsl:template>

  <xsl:template match="v:beteiligter">
    <map>
      <xsl:apply-templates select="@*|*[not(*)]" mode="member"/>
      <array key="anschriften">
        <xsl:for-each select="v:anschrift">
          <map><xsl:apply-templates select="@*|*" mode="member"/></map>
        </xsl:for-each>
      </array>
      <xsl:for-each select="v:bank">
        <array key="konto">
          <xsl:apply-templates select="." mode="cell"><xsl:with-param name="cell" select="v:iban"/></xsl:apply-templates>
          <xsl:apply-templates select="." mode="cell"><xsl:with-param name="cell" select="v:bic"/></xsl:apply-templates>
          <xsl:apply-templates select="." mode="cell"><xsl:with-param name="cell" select="v:inhaber"/></xsl:apply-templates>
        </array>
      </xsl:for-each>
    </map>
  </xsl:template>

  <xsl:template match="v:abschnitt">
    <map>
      <string key="block"><xsl:value-of select="@schluessel"/></string>
      <string key="titel"><xsl:value-of select="@titel"/></string>
      <array key="zeilen"><xsl:apply-templates select="v:angabe"/></array>
      <array key="bloecke"><xsl:apply-templates select="v:abschnitt"/></array>
    </map>
  </xsl:template>

  <xsl:template match="v:angabe">
    <array>
      <xsl:apply-templates select="@schluessel" mode="item"/>
      <xsl:apply-templates select="@titel" mode="item"/>
      <xsl:apply-templates select="@typ" mode="item"/>
      <xsl:apply-templates select="." mode="value"/>
      <xsl:apply-templates select="." mode="cell"><xsl:with-param name="cell" select="@einheit"/></xsl:apply-templates>
      <xsl:apply-templates select="." mode="cell"><xsl:with-param name="cell" select="@liste"/></xsl:apply-templates>
    </array>
  </xsl:template>

  <xsl:template match="v:sendung/v:anlage">
    <array>
      <xsl:apply-templates select="@name" mode="item"/>
      <xsl:apply-templates select="@medientyp" mode="item"/>
      <number><xsl:value-of select="@bytes"/></number>
      <xsl:apply-templates select="@sha256" mode="item"/>
    </array>
  </xsl:template>

  <xsl:template match="v:anlagenverzeichnis/v:anlage">
    <array>
      <xsl:apply-templates select="@name" mode="item"/>
      <xsl:apply-templates select="." mode="cell"><xsl:with-param name="cell" select="@art"/></xsl:apply-templates>
      <xsl:apply-templates select="." mode="cell"><xsl:with-param name="cell" select="@titel"/></xsl:apply-templates>
    </array>
  </xsl:template>

  <xsl:template match="@*" mode="item">
    <string><xsl:value-of select="."/></string>
  </xsl:template>

  <!-- A column of a row keeps its place: null where there is nothing. -->
  <xsl:template match="*" mode="cell">
    <xsl:param name="cell"/>
    <xsl:choose>
      <xsl:when test="$cell"><string><xsl:value-of select="$cell"/></string></xsl:when>
      <xsl:otherwise><null/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
