#!/bin/sh
# Copies the rules without what the XSLT of the JDK lacks or refuses: the function f:datum (func:function) in the product's stylesheet, and
# the node sets of EXSLT in the library.
set -eu
mkdir -p "$2"
cp -R "$1"/. "$2"
sheet="$2/products/fv-gewerberegister/5.0/xslt/from-vorgang.xsl"
day="concat(substring(., 9, 2), '.', substring(., 6, 2), '.', substring(., 1, 4))"
sed -i -e '/<xsl:import /d' -e "s/f:datum(substring-before(., 'T'))/$day/" -e "s/f:datum(\.)/$day/" "$sheet"
number='<xsl:variable name="this" select="generate-id()"/><xsl:for-each select="$beteiligte"><xsl:if test="generate-id() = $this">'
number="${number}b<xsl:value-of select=\"position()\"/></xsl:if></xsl:for-each>"
sed -i -e "s#<xsl:if test=\"set:has-same-node.*#$number#" "$2/lib/1/vorgang.xsl"
