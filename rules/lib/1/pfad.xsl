<?xml version="1.0" encoding="UTF-8"?>
<!-- The whole Vorgang as a flat list: each field with its path, such as "gegenstand.hund[2].rasse[1]".
     A product that wants lists imports this, applies mode "flat" to v:vorgang and overrides the template
     "entry", which runs with the field as current node. -->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:v="urn:datendrehscheibe:vorgang:1"
    xmlns:set="http://exslt.org/sets"
    exclude-result-prefixes="v set">

  <!-- Sections or fields that share parent and key. -->
  <xsl:key name="namesakes" match="v:abschnitt|v:angabe" use="concat(generate-id(..), ' ', local-name(), ' ', @schluessel)"/>

  <!-- One line of the list; the product says how it looks. The value of a section is its title. -->
  <xsl:template name="entry">
    <xsl:param name="path"/>
    <xsl:param name="value"/>
  </xsl:template>

  <xsl:template match="v:vorgang" mode="flat">
    <xsl:apply-templates select="@verfahren|@art|@version|*" mode="flat"/>
  </xsl:template>

  <!-- What is not repeated is called by its name. A field is an attribute or an element without child elements. -->
  <xsl:template match="@*|*" mode="flat">
    <xsl:param name="parent"/>
    <xsl:variable name="path" select="concat($parent, local-name())"/>
    <xsl:if test="not(*) and string()">
      <xsl:call-template name="entry">
        <xsl:with-param name="path" select="$path"/>
        <xsl:with-param name="value" select="."/>
      </xsl:call-template>
    </xsl:if>
    <xsl:apply-templates select="@*|*" mode="flat">
      <xsl:with-param name="parent" select="concat($path, '.')"/>
    </xsl:apply-templates>
  </xsl:template>

  <xsl:template match="v:beteiligter" mode="flat">
    <xsl:param name="parent"/>
    <xsl:apply-templates select="@*|*" mode="flat">
      <xsl:with-param name="parent" select="concat($parent, 'beteiligter[', count(preceding-sibling::v:beteiligter) + 1, '].')"/>
    </xsl:apply-templates>
  </xsl:template>

  <xsl:template match="v:anschrift" mode="flat">
    <xsl:param name="parent"/>
    <xsl:apply-templates select="@*|*" mode="flat">
      <xsl:with-param name="parent" select="concat($parent, 'anschrift[', count(preceding-sibling::v:anschrift) + 1, '].')"/>
    </xsl:apply-templates>
  </xsl:template>

  <xsl:template match="v:anlage" mode="flat">
    <xsl:param name="parent"/>
    <xsl:apply-templates select="@*" mode="flat">
      <xsl:with-param name="parent" select="concat($parent, 'anlage[', count(preceding-sibling::v:anlage) + 1, '].')"/>
    </xsl:apply-templates>
  </xsl:template>

  <!-- Numbered through the key: looking back at every sibling would be slow in forms of hundreds of fields. -->
  <xsl:template match="v:abschnitt" mode="flat">
    <xsl:param name="parent"/>
    <xsl:variable name="namesakes" select="key('namesakes', concat(generate-id(..), ' abschnitt ', @schluessel))"/>
    <xsl:variable name="path" select="concat($parent, @schluessel, '[', count(set:leading($namesakes, .)) + 1, ']')"/>
    <xsl:call-template name="entry">
      <xsl:with-param name="path" select="$path"/>
      <xsl:with-param name="value" select="@titel"/>
    </xsl:call-template>
    <xsl:apply-templates select="*" mode="flat">
      <xsl:with-param name="parent" select="concat($path, '.')"/>
    </xsl:apply-templates>
  </xsl:template>

  <xsl:template match="v:angabe" mode="flat">
    <xsl:param name="parent"/>
    <xsl:variable name="namesakes" select="key('namesakes', concat(generate-id(..), ' angabe ', @schluessel))"/>
    <xsl:call-template name="entry">
      <xsl:with-param name="path" select="concat($parent, @schluessel, '[', count(set:leading($namesakes, .)) + 1, ']')"/>
      <xsl:with-param name="value" select="."/>
    </xsl:call-template>
  </xsl:template>
</xsl:stylesheet>
