<?xml version="1.0" encoding="UTF-8"?>
<!-- Dates and names as people in a German office read them. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns:f="urn:datendrehscheibe:lib:text:1"
    xmlns:func="http://exslt.org/functions"
    extension-element-prefixes="func"
    exclude-result-prefixes="v f">

  <!-- 2026-11-01 → 01.11.2026 and 2026-11-01T08:00:00 → 01.11.2026, 08:00:00 Uhr; in UTC it says so.
       What is no such date (a year only, another zone) stays as it is: guessing would lie. -->
  <func:function name="f:datum">
    <xsl:param name="iso"/>
    <xsl:variable name="shape" select="translate($iso, '0123456789', '9999999999')"/>
    <xsl:variable name="day" select="concat(substring($iso, 9, 2), '.', substring($iso, 6, 2), '.', substring($iso, 1, 4))"/>
    <xsl:choose>
      <xsl:when test="$shape = '9999-99-99'">
        <func:result select="$day"/>
      </xsl:when>
      <xsl:when test="$shape = '9999-99-99T99:99:99'">
        <func:result select="concat($day, ', ', substring($iso, 12, 8), ' Uhr')"/>
      </xsl:when>
      <xsl:when test="$shape = '9999-99-99T99:99:99Z' or $shape = '9999-99-99T99:99:99.999Z'">
        <func:result select="concat($day, ', ', substring($iso, 12, 8), ' Uhr (UTC)')"/>
      </xsl:when>
      <xsl:otherwise>
        <func:result select="string($iso)"/>
      </xsl:otherwise>
    </xsl:choose>
  </func:function>

  <!-- "Frau Dr. Anna Lena Beispiel"; of an organisation its name. -->
  <func:function name="f:name">
    <xsl:param name="beteiligter"/>
    <func:result select="normalize-space(concat($beteiligter/v:anrede, ' ', $beteiligter/v:titel, ' ', $beteiligter/v:vorname, ' ', $beteiligter/v:name))"/>
  </func:function>
</xsl:stylesheet>
