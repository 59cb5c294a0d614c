#!/usr/bin/env bash
# Builds the peer on top of the published OSCI library and runs what the arguments say (see README.md).
# The library: the folder that DDS_OSCI_LIBRARY names, else Maven. Exit code 0 and a line "SKIPPED: …" when neither has it or the
# Maven packages cannot be had; else the exit code of the peer.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

skip() { printf '\n!!! SKIPPED: %s !!!\n\n' "$*"; exit 0; }

command -v mvn >/dev/null && command -v java >/dev/null || skip "Maven or Java is not installed: the published OSCI library did not run"
library=()
if [ -n "${DDS_OSCI_LIBRARY:-}" ]; then
  [ -f "$DDS_OSCI_LIBRARY/osci-bibliothek.jar" ] \
    || skip "DDS_OSCI_LIBRARY is $DDS_OSCI_LIBRARY, which holds no osci-bibliothek.jar: the published OSCI library did not run"
  library=("-Dosci.library=$(cd "$DDS_OSCI_LIBRARY" && pwd)")
fi
"$here/../osci-java/run.sh" list >/dev/null
[ -f "$here/../osci-java/target/osci-peer.jar" ] || skip "Maven packages cannot be reached: the published OSCI library did not run"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
# Offline first: what was fetched once is not asked for again. Only a failure to resolve packages is a reason to skip.
if ! mvn -q -B -o -f "$here/pom.xml" "${library[@]}" package >"$log" 2>&1 \
   && ! mvn -q -B -f "$here/pom.xml" "${library[@]}" package >"$log" 2>&1; then
  if grep -q 'de.osci:' "$log" && grep -qE 'Could not (resolve|transfer|find)|could not be resolved|Cannot access' "$log"; then
    skip "de.osci:osci-bibliothek is in no Maven registry reached and DDS_OSCI_LIBRARY names no folder: the published OSCI library did not run"
  fi
  cat "$log"
  if grep -qE 'Could not (resolve|transfer)|could not be resolved|Cannot access' "$log"; then
    skip "Maven packages cannot be reached: the published OSCI library did not run"
  fi
  exit 1
fi
java ${OSCI_PEER_JAVA:-} -cp "$here/target/osci-library-peer.jar:$here/target/lib/*" library.Main "$@"
