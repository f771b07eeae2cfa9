#!/usr/bin/env bash
# Whether two output folders of the same scan say the same, but for what a run may differ in: the
# `scan` records and their digest, times, and the journal. Differences go to standard output.
#
#   tests/campaign/same_out.sh OUT OUT
set -euo pipefail
[ $# = 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2; }

files() { (cd "$1" && find . -mindepth 1 ! -name 'scan*.journal' -printf '%p %y\n' | LC_ALL=C sort); }
content() {
    case $1 in
    *.zst) zstdcat "$1" ;;
    *) cat "$1" ;;
    esac | case $1 in
    */manifests/*) sed -E '/^\{"type":"scan",/d; /^\{"type":"end",/s/,"scan_digest":"[^"]*"//' ;;
    */scan*.jsonl) sed -E 's/,"timing":\{"seconds":[^{}]*(\{[^{}]*\})?\}\}$/}/' ;;
    *) cat ;;
    esac
}

diff <(files "$1") <(files "$2") || exit 1
same=0
while read -r file; do
    content "$1/$file" >"${TMPDIR:-/tmp}/same_out.$$"
    if ! content "$2/$file" | cmp -s - "${TMPDIR:-/tmp}/same_out.$$"; then
        echo "$file differs"
        same=1
    fi
done < <(cd "$1" && find . -type f ! -name 'scan*.journal' | LC_ALL=C sort)
rm -f "${TMPDIR:-/tmp}/same_out.$$"
exit $same
