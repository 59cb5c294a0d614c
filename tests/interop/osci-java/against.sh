#!/usr/bin/env bash
# Runs all cases against our own intermediary and recipient: makes keys, starts `drehscheibe serve` with [osci], runs the peer, stops.
#   against.sh PROGRAM [REPORT.json] [arguments of `cases`…]
# Exit code 0: every case as expected. "SKIPPED: …" and 0 when the Maven packages cannot be had.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
. "$here/../osci-server.sh"
run_against "$here/run.sh" "$@"
