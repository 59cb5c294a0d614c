#!/usr/bin/env bash
# Puts the rows of reports into docs/osci/interop.md, between its two marks, case by case. Usage: table.sh SERVER REPORT.json…
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
page="$here/../../../docs/osci/interop.md"
rows="$(mktemp)"
trap 'rm -f "$rows"' EXIT
{
  echo "Server: $1. Run of $(date -u +%Y-%m-%d)."
  echo
  java -jar "$here/target/osci-peer.jar" table "${@:2}"
} >"$rows"
awk -v rows="$rows" '
  /<!-- results -->/ { print; while ((getline line < rows) > 0) print line; inside = 1; next }
  /<!-- end of results -->/ { inside = 0 }
  !inside { print }' "$page" >"$page.new"
mv "$page.new" "$page"
