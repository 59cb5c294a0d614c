#!/usr/bin/env bash
# Builds the image of the Dockerfile, or takes the one named, and takes a container of it through its life. By hand, as root:
#   tests/packaging/image.sh [IMAGE]
# ENGINE is podman (default) or docker, OPTIONS are further options of its "run" that the machine needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
engine=${ENGINE:-podman}
image=${1:-localhost/drehscheibe:proof}
[ $# -gt 0 ] || $engine build -t "$image" .
work=$(mktemp -d)
name=drehscheibe-proof-$$
trap '$engine logs $name; $engine rm -f $name > /dev/null; rm -rf "$work"' EXIT

# The configuration of packaging/try-your-system with a token of its own, since this router listens to others; the second product of the
# office of trades takes a drop folder.
cp -r packaging/try-your-system/{sources,profiles,municipalities} "$work"
mkdir -p "$work"/{secrets,state/transfer}
sed -i "s/^tokens.*/tokens = [\"$(printf proof | sha256sum | cut -d' ' -f1)\"]/" "$work"/sources/*.toml
echo 'dms = "dms-ablage@1.0"' >> "$work/profiles/versuch.toml"
sed -i 's/^secret.*/folder = "\/var\/lib\/drehscheibe\/transfer"/' "$work"/municipalities/*.toml
openssl rand -hex 32 > "$work/secrets/master-key"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 100 -subj /CN=drehscheibe -addext subjectAltName=IP:127.0.0.1 \
  -addext basicConstraints=critical,CA:FALSE -keyout "$work/secrets/tls.key" -out "$work/secrets/tls.pem" 2> /dev/null
chmod 400 "$work"/secrets/*
chown -R 10001:10001 "$work"/{secrets,state}

etc=/etc/drehscheibe
# shellcheck disable=SC2086 # options are words
$engine run -d --name $name --read-only --network none --cap-drop all --security-opt no-new-privileges ${OPTIONS:-} \
  -v "$work/state:/var/lib/drehscheibe" -v "$work/secrets:/run/secrets:ro" -v "$PWD/fixtures:/fixtures:ro" \
  -v "$work/sources:$etc/sources:ro" -v "$work/profiles:$etc/profiles:ro" -v "$work/municipalities:$etc/municipalities:ro" \
  -e DDS_TOKEN=proof -e DDS_CONFIG=$etc/drehscheibe.toml "$image" > /dev/null

inside() { $engine exec $name "$@"; }
# Until a command holds, for half a minute.
soon() { local try; for try in {1..120}; do if "$@" > "$work/said" 2>&1; then return 0; fi; sleep 0.25; done; cat "$work/said"; return 1; }
soon inside drehscheibe health
[ "$(inside id -u) $(inside id -g)" = "10001 10001" ]
if inside touch /usr/x 2> /dev/null; then exit 1; fi
echo "ready as 10001:10001 on a read-only root, without capability; $($engine image inspect "$image" --format '{{.Size}}') bytes"

# Process 1 is the service; each worker has a filter more than it.
inside sh -c 'for p in /proc/[0-9]*; do echo "$(tr "\0" " " < $p/cmdline) $(grep ^Seccomp_filters $p/status)"; done' > "$work/processes"
awk '/ serve / { own = $NF } / worker / { ++workers; if ($NF == own + 1) ++walled }
  END { print workers " workers, each with a seccomp filter of its own"; exit !(workers && workers == walled) }' "$work/processes"

id=$(inside drehscheibe send --json --ca /run/secrets/tls.pem --to https://127.0.0.1:8443 /fixtures/gewerbeanzeige/gewoehnlich.xml \
  | sed -n 's/^ *"id": "\(.*\)",$/\1/p')
delivered() { inside drehscheibe explain "$id" --language en | grep 'dms-ablage delivered'; }
soon delivered
ls "$work"/state/transfer/*.zip > /dev/null
echo "a message was accepted, transformed and delivered; explain tells of it"

$engine stop -t 30 $name > /dev/null
[ "$($engine inspect $name --format '{{.State.ExitCode}}')" = 0 ]
echo "SIGTERM ended it in order: all of it holds"
