#!/usr/bin/env bash
# Builds the Java peer and runs what the arguments say; without arguments: the self-test against its own stand-ins.
# Exit code 0 and a line "SKIPPED: …" when the Maven packages cannot be had; else the exit code of the peer.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
jar="$here/target/osci-peer.jar"

skip() { printf '\n!!! SKIPPED: %s !!!\n\n' "$*"; exit 0; }

build() {
  command -v mvn >/dev/null && command -v java >/dev/null || skip "Maven or Java is not installed: the OSCI peer did not run"
  local log
  log="$(mktemp)"
  # Offline first: what was fetched once is not asked for again. Only a failure to resolve packages is a reason to skip.
  if ! mvn -q -B -o -T1 -f "$here/pom.xml" package >"$log" 2>&1 \
     && ! mvn -q -B -T1 -f "$here/pom.xml" package >"$log" 2>&1; then
    cat "$log"
    if grep -qE 'Could not (resolve|transfer)|could not be resolved|Cannot access' "$log"; then
      skip "Maven packages cannot be reached: the OSCI peer did not run"
    fi
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
}

# The stand-in checks no certificates, algorithms or limits, so the cases about those are not part of it.
selftest() {
  local url status=0
  dir="$(mktemp -d)"
  trap 'kill ${stub:-} ${recipient:-} 2>/dev/null || true; rm -rf "$dir"' EXIT
  java -jar "$jar" keys "$dir/keys"
  java -jar "$jar" stub --keys "$dir/keys" >"$dir/stub.out" & stub=$!
  java -jar "$jar" recipient --keys "$dir/keys" --behaviour accept >"$dir/recipient.out" & recipient=$!
  await "$dir/stub.out"; await "$dir/recipient.out"
  url="$(head -n1 "$dir/stub.out")"
  java -jar "$jar" cases --url "$url" --keys "$dir/keys" --huge-mb 5 --only \
    "H1,H2,H3,H4,H5,H6,H7,H8,H9,H10,H11,H12,H13,H14,H17,H18,H19,H20,H21,H22,H23,H24,H25,N1,N2,N3,N4,N5,N6,N7,N8,N9,N10,N11,N12,N13,N14,N15,N16,N17,N18,N20,N21,N28,N29,N30,N36,N37,N38,N39,N40,N41,N44" || status=1
  java -jar "$jar" push --url "$(head -n1 "$dir/recipient.out")" --keys "$dir/keys" || status=1
  return $status
}

# Waits until the process has said its URL: the first line it prints.
await() {
  for _ in $(seq 600); do
    [ -s "$1" ] && return
    sleep 0.1
  done
  echo "the stand-in did not start" >&2
  exit 1
}

build
echo "OSCI peer: JDK cryptography and an OSCI implementation of our own; the published library is driven by ../osci-library."
if [ $# -eq 0 ]; then selftest; else java -jar "$jar" "$@"; fi
