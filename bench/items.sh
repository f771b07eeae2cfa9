#!/bin/bash
# Measures what an item costs, on one core, with the image in the page cache: stage by stage
# (bench-items), and whole programs: `ostscan scan` by both engines, pffexport and readpst where
# they are installed. Tables go to standard output, JSON to --json FOLDER.
#
#   bench/items.sh [--size 2G] [--items 4000] [--images "FILE..."] [--folder DIR] [--build DIR]
#                  [--rounds N] [--json DIR] [--smoke]
#
# Images: --images (by default those of build/samples that are there), one of --items mails, and one
# of --size without the slow peers (libpff's time grows with the square of an image's items).
# Output of all programs goes to /dev/shm. Rates are items a second of processor time; a peer's items
# are counted and told where they are not ours.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/peers.sh"
size=2G
items=4000
images=
folder=${TMPDIR:-/tmp}
build=$here/../build/release
rounds=3
json=
smoke=
usage() { sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2; }

while [ $# -gt 0 ]; do
    [ "$1" = --smoke ] || [ $# -gt 1 ] || usage
    case $1 in
    --size) size=$2; shift ;;
    --items) items=$2; shift ;;
    --images) images=$2; shift ;;
    --folder) folder=$2; shift ;;
    --build) build=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --json) json=$2; shift ;;
    --smoke) smoke=yes; size=2M; items=100; rounds=1 ;;
    *) usage ;;
    esac
    shift
done
if [ -z "$images" ] && [ -z "$smoke" ]; then
    images=$(find "$here/../build/samples" -name '*.[op]st' 2>/dev/null | sort)
fi

work=$(mktemp -d "$folder/ostscan-bench.XXXXXX")
output=$(mktemp -d /dev/shm/ostscan-bench.XXXXXX 2>/dev/null || mktemp -d "$folder/ostscan-out.XXXXXX")
trap 'rm -rf "$work" "$output"' EXIT
[ -n "$json" ] || json=$work
! command -v taskset >/dev/null || taskset -cp 0 $$ >/dev/null # and so all that is started from here
TIMEFORMAT='%R %U %S'

# Runs a program once into $output, leaving elapsed, user and system seconds in $work/time.
timed() {
    rm -rf "$output"/*
    { time "$@" >"$work/log" 2>&1; } 2>"$work/time" || { cat "$work/log" >&2; return 1; }
}

# The least processor time of the rounds, in $work/NAME: elapsed, processor seconds, items.
program() { # NAME COUNT-FUNCTION COMMAND...
    local name=$1 count=$2 i
    shift 2
    : >"$work/runs"
    for ((i = 0; i < rounds; i++)); do
        timed "$@"
        awk '{ print $1, $2 + $3 }' "$work/time" >>"$work/runs"
    done
    echo "$name $(sort -g -k 2 "$work/runs" | head -n 1) $($count)" >>"$work/programs"
}

# Associated items are left out: nobody else exports them.
count_ostscan() { "$build/ostscan" show --json --type item "$output"/scan/manifests/*.zst | grep -vc '"assoc":true'; }
count_pffexport() { pffexport_items "$output"; }
count_readpst() { readpst_items "$work/log"; }

table() { # NAME
    awk -v json="$json/$1.programs.json" '
        BEGIN { printf "\nprogram          CPU s   elapsed s    items   items/s  ours is faster\n" }
        {
            if (NR == 1) { ours = $3; n = $4 }
            rate = $3 ? $4 / $3 : 0
            times = NR == 1 || !rate || !ours ? "" : sprintf("%13.1fx", n / ours / rate)
            same = $4 == n ? "" : "  (not the same items)"
            printf "%-14s %7.2f %11.2f %8d %9.0f %s%s\n", $1, $3, $2, $4, rate, times, same
            comma = line ? "," : ""
            line = line comma sprintf("{\"program\":\"%s\",\"cpu_s\":%.3f,\"elapsed_s\":%.3f,\"items\":%d}", $1, $3, $2, $4)
        }
        END { printf "[%s]\n", line >json; print "" }' "$work/programs"
}

measure() { # NAME IMAGE PEERS
    echo "== $1"
    cat "$2" >/dev/null
    "$build/bench-items" --folder "$output" --rounds "$rounds" --json "$json/$1.json" "$2"
    rm -f "$work/programs"
    program native count_ostscan "$build/ostscan" scan -q --engine native --jobs 1 -o "$output/scan" "$2"
    if [ "$3" = peers ]; then
        program libpff count_ostscan "$build/ostscan" scan -q --engine libpff --jobs 1 -o "$output/scan" "$2"
        if command -v pffexport >/dev/null; then
            program pffexport count_pffexport pffexport -q -m all -t "$output/pff" "$2"
        fi
    fi
    if command -v readpst >/dev/null; then
        mkdir -p "$work/readpst"
        program readpst count_readpst bash -c 'mkdir -p "$1" && readpst -D -j 0 -o "$1" "$2"' - "$output/readpst" "$2"
    fi
    table "$1"
}

[ -n "$smoke" ] || { date -u +%F; uname -rm; lscpu | grep -E '^(Model name|CPU\(s\)|L[23])' || true; }
for image in $images; do
    measure "$(basename "$image")" "$image" peers
done
"$build/ostgen" --profile mail --items "$items" --format unicode --content pst --libpff-safe --truth none -q -o "$work/mail.pst"
measure "mail-$items" "$work/mail.pst" "$([ -n "$smoke" ] || echo peers)"
"$build/ostgen" --profile mail --size "$size" --format unicode --content pst --truth none -q -o "$work/mail.pst"
measure "mail-$size" "$work/mail.pst" ours
if [ -n "$smoke" ]; then
    grep -q '"stage":"manifest","cpu_ns":[1-9]' "$json/mail-$size.json"
    grep -q '"program":"native"' "$json/mail-$size.programs.json"
fi
