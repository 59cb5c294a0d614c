#!/usr/bin/env bash
# Runs the cases of the published library against our own intermediary and recipient, started as osci-java/against.sh starts it.
#   against.sh PROGRAM [REPORT.json] [arguments of `cases`…]
# Exit code 0: every case as expected. "SKIPPED: …" and 0 when the library or the Maven packages cannot be had.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
. "$here/../osci-server.sh"
run_against "$here/run.sh" "$@"
