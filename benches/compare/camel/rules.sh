#!/bin/sh
# Copies the rules and takes the EXSLT function f:datum out of the product's stylesheet: the XSLT of the JDK has no func:function.
set -eu
mkdir -p "$2"
cp -R "$1"/. "$2"
sheet="$2/products/fv-gewerberegister/5.0/xslt/from-vorgang.xsl"
day="concat(substring(., 9, 2), '.', substring(., 6, 2), '.', substring(., 1, 4))"
sed -i -e '/<xsl:import /d' -e "s/f:datum(substring-before(., 'T'))/$day/" -e "s/f:datum(\.)/$day/" "$sheet"
