<?xml version="1.0" encoding="UTF-8"?>
<!-- Members and values in the XPath 3.1 vocabulary of JSON; the worker writes it as JSON. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns="http://www.w3.org/2005/xpath-functions"
    exclude-result-prefixes="v">

  <!-- A text member named like the node, or as told. An absent or empty node gives no member. -->
  <xsl:template match="@*|*" mode="member">
    <xsl:param name="key" select="local-name()"/>
    <xsl:if test="string()">
      <string key="{$key}"><xsl:value-of select="."/></string>
    </xsl:if>
  </xsl:template>

  <!-- The value of an angabe with its JSON type, as a member or (without key) as an item of an array. -->
  <xsl:template match="v:angabe" mode="value">
    <xsl:param name="key"/>
    <string>
      <xsl:if test="$key"><xsl:attribute name="key"><xsl:value-of select="$key"/></xsl:attribute></xsl:if>
      <xsl:value-of select="."/>
    </string>
  </xsl:template>

  <xsl:template match="v:angabe[@typ = 'ja-nein'][. = 'true' or . = 'false']" mode="value">
    <xsl:param name="key"/>
    <boolean>
      <xsl:if test="$key"><xsl:attribute name="key"><xsl:value-of select="$key"/></xsl:attribute></xsl:if>
      <xsl:value-of select="."/>
    </boolean>
  </xsl:template>

  <!-- A number only if it reads back letter for letter: 007, 1.50 and twenty digits stay text. -->
  <xsl:template match="v:angabe[@typ = 'zahl'][string(number(.)) = . and translate(., '-.0123456789', '') = '']" mode="value">
    <xsl:param name="key"/>
    <number>
      <xsl:if test="$key"><xsl:attribute name="key"><xsl:value-of select="$key"/></xsl:attribute></xsl:if>
      <xsl:value-of select="."/>
    </number>
  </xsl:template>
</xsl:stylesheet>
