# Starts `drehscheibe serve` with [osci] for the interop peers (intermediary and passive recipient in one process) and runs a peer's
# cases against it. To be sourced.

# run_against PEER PROGRAM [REPORT.json] [arguments of `cases`…]: PEER is the run.sh whose cases run; its exit code is ours.
run_against() {
  local peer="$1" program report status=0 here tool
  here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
  program="$(cd "$(dirname "$2")" && pwd)/$(basename "$2")"
  report="${3:-$(mktemp)}"
  shift 2; shift || true
  for tool in openssl curl python3; do
    command -v "$tool" >/dev/null || { printf '\n!!! SKIPPED: %s is missing: the OSCI cases did not run !!!\n\n' "$tool"; exit 0; }
  done
  work="$(mktemp -d)"
  trap 'kill ${server:-} 2>/dev/null || true; wait ${server:-} 2>/dev/null || true; rm -rf "$work"' EXIT
  "$peer" list >"$work/list.out"
  if grep "SKIPPED" "$work/list.out"; then exit 0; fi
  "$here/osci-java/run.sh" keys "$work/keys"
  start_server "$program" "$work"
  "$peer" cases --url "$url" --recipient "$url_recipient" --sink "$sink" --document "$here/../../fixtures/wohngeld/gewoehnlich.xml" \
    --keys "$work/keys" --report "$report" --pid "$server" "$@" || status=$?
  kill -0 "$server" 2>/dev/null || { echo "the server has died:"; tail -n 50 "$work/server.log"; status=1; }
  if [ -n "${OSCI_PEER_LOG:-}" ]; then cp "$work/server.log" "$OSCI_PEER_LOG"; fi
  exit $status
}

# start_server PROGRAM WORK: WORK/keys is the key folder of osci-java; all else is made in WORK.
# Sets `server` (the process), `url` (intermediary), `url_recipient` (passive recipient), and `sink`, the port to which it forwards what
# comes for the ARS 146285202040 and mediates what comes for 146285202230; what comes for 146285204030 goes into the mailbox.
start_server() {
  local program="$1" work="$2" rest admin osci digest root
  root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
  port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
  # A municipality whose Wohngeldstelle is a passive recipient or a mailbox at our own intermediary.
  office() {
    sed -e "s/146285202020/$1/" -e /^delegate/d "$root"/config/municipalities/146285202020-*.toml >"$work/config/municipalities/$1-osci-peer.toml"
    cat >>"$work/config/municipalities/$1-osci-peer.toml" <<TOML
[office.wohngeldstelle.osci]
intermediary = "http://127.0.0.1:$osci/osci"
intermediary_cipher = """
$(cat "$work/keys/intermediary_cipher.pem")
"""
intermediary_signature = """
$(cat "$work/keys/intermediary_signature.pem")
"""
addressee = """
$(cat "$work/keys/addressee_cipher.pem")
"""
mode = "$2"
$([ -z "$3" ] || echo "receiver = \"$3\"")
TOML
  }
  rest=$(port) admin=$(port) osci=$(port) sink=$(port)
  mkdir -p "$work/config/profiles" "$work/config/municipalities" "$work/config/sources" "$work/mailboxes"
  cp "$root/config/catalogue.toml" "$work/config/"
  cp -r "$root/config/profiles/." "$work/config/profiles/"
  cp "$root"/config/municipalities/14612*.toml "$work/config/municipalities/"
  cp "$work/keys/addressee_cipher.pem" "$work/mailboxes/"
  digest=$(openssl x509 -in "$work/keys/originator_signature.pem" -outform DER | sha256sum | cut -d' ' -f1)
  cat >"$work/config/sources/osci-peer.toml" <<TOML
id = "osci-peer"
name = "OSCI-Gegenstelle"
certificates = ["$digest"]
procedures = ["*"]
municipalities = ["*"]
TOML
  digest=$(openssl x509 -in "$work/keys/addressee_signature.pem" -outform DER | sha256sum | cut -d' ' -f1)
  cat >"$work/config/sources/osci-office.toml" <<TOML
id = "osci-office"
name = "Antwortendes Amt"
certificates = ["$digest"]
procedures = ["*"]
municipalities = ["*"]
may_answer = true
TOML
  office "146285202040" forward "http://127.0.0.1:$sink/accept"
  office "146285202230" mediate "http://127.0.0.1:$sink/accept"
  office "146285204030" store ""
  cat >"$work/config/drehscheibe.toml" <<TOML
rules = "$root/rules"
store = "$work/store"
releases = "$work/releases"
master_key = "env:OSCI_PEER_KEY"
[listen]
rest = "127.0.0.1:$rest"
admin = "127.0.0.1:$admin"
[telemetry]
log = "info,dds_inbound::osci=debug"
[osci]
listen = "127.0.0.1:$osci"
message_bytes = 2048000000
sender = "absender"
[osci.identities.absender]
cipher = { pkcs12 = "$work/keys/originator_cipher.p12", pin = "env:OSCI_PEER_PIN" }
signature = { pkcs12 = "$work/keys/originator_signature.p12", pin = "env:OSCI_PEER_PIN" }
[osci.identities.vermittler]
cipher = { pkcs12 = "$work/keys/intermediary_cipher.p12", pin = "env:OSCI_PEER_PIN" }
signature = { pkcs12 = "$work/keys/intermediary_signature.p12", pin = "env:OSCI_PEER_PIN" }
[osci.identities.stadt]
cipher = { pkcs12 = "$work/keys/addressee_cipher.p12", pin = "env:OSCI_PEER_PIN" }
signature = { pkcs12 = "$work/keys/addressee_signature.p12", pin = "env:OSCI_PEER_PIN" }
[osci.trust]
anchors = ["$work/keys/ca.pem"]
crls = ["$work/keys/crl.pem"]
[osci.recipient]
identity = "stadt"
intermediaries = ["$work/keys/intermediary_signature.pem"]
[osci.intermediary]
identity = "vermittler"
parties = "$work/mailboxes"
encryption_required = false
min_chunk_kb = 2
max_chunk_kb = 10000
forward = "20s"
receivers = ["http://127.0.0.1:*", "http://localhost:*"]
TOML
  export OSCI_PEER_PIN=123456
  OSCI_PEER_KEY="$(openssl rand -hex 32)"
  export OSCI_PEER_KEY
  "$program" serve --config "$work/config/drehscheibe.toml" >"$work/server.log" 2>&1 &
  server=$!
  for _ in $(seq 300); do
    curl -sf "http://127.0.0.1:$admin/ready" >/dev/null && break
    kill -0 "$server" 2>/dev/null || { cat "$work/server.log"; exit 1; }
    sleep 0.1
  done
  url="http://127.0.0.1:$osci/osci"
  url_recipient="http://127.0.0.1:$osci/osci/empfang"
}
