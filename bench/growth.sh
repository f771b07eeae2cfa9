#!/bin/bash
# Measures whether the cost of a byte and of an item grows with the size of an image, or with the
# number of images: one image of mail of each of --sizes, then so many of 2 MiB as --counts say.
#
#   bench/growth.sh [--sizes "64M 128M 256M 512M"] [--counts "1 10 100"] [--rounds 3]
#                   [--memory SIZE] [--folder DIR] [--build DIR] [--json DIR] [--smoke]
#
# Warm, on all processors. The least time and the least processor time of the rounds count. The
# largest image, or all of 2 MiB, are in --folder at once.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
sizes="64M 128M 256M 512M"
counts="1 10 100"
rounds=3
memory=
folder=${TMPDIR:-/tmp}
build=$here/../build/release
json=
smoke=
usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }

while [ $# -gt 0 ]; do
    [ "$1" = --smoke ] || [ $# -gt 1 ] || usage
    case $1 in
    --sizes) sizes=$2; shift ;;
    --counts) counts=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --memory) memory=$2; shift ;;
    --folder) folder=$2; shift ;;
    --build) build=$2; shift ;;
    --json) json=$2; shift ;;
    --smoke) smoke=yes; sizes="1M 2M"; counts="1 3"; rounds=1 ;;
    *) usage ;;
    esac
    shift
done
cores=$(nproc)
work=$(mktemp -d "$folder/ostscan-bench.XXXXXX")
output=$(mktemp -d /dev/shm/ostscan-bench.XXXXXX 2>/dev/null || mktemp -d "$folder/ostscan-out.XXXXXX")
trap 'rm -rf "$work" "$output"' EXIT
mkdir "$work/images"
[ -n "$json" ] || json=$work
mkdir -p "$json"

make_image() { # SIZE NAME SEED
    "$build/ostgen" --profile mail --format unicode --size "$1" --seed "$3" --truth none -q -o "$work/images/$2.pst"
}

# Label, bytes, items, and of each run nanoseconds, processor time, peak.
measure() { # LABEL
    local i
    cat "$work"/images/* >/dev/null
    for ((i = 0; i < rounds; i++)); do
        rm -rf "$output/scan"
        "$build/bench-run" --to "$work/took" -- "$build/ostscan" scan -q --jobs "$cores" \
            ${memory:+--memory "$memory"} -o "$output/scan" "$work/images"
        echo "$1 $(jq -r 'select(.type == "end") | "\(.bytes) \(.items + .assoc)"' "$output/scan/scan.jsonl") $(cat "$work/took")"
    done
}

table() { # NAME
    awk -v name="$1" -v json="$json/growth-$1.json" '
        !($1 in bytes) { order[++count] = $1 }
        {
            bytes[$1] = $2; items[$1] = $3
            if (!($1 in ns) || $4 < ns[$1]) ns[$1] = $4
            if (!($1 in cpu) || $5 < cpu[$1]) cpu[$1] = $5
            if ($6 > peak[$1]) peak[$1] = $6
        }
        END {
            printf "%-8s %9s %9s %8s %9s %10s %10s %9s %9s\n", name, "MB", "items", "MB/s", "items/s", "CPU ns/B", "CPU us/it", "of first", "peak MiB"
            printf "[" >json
            for (i = 1; i <= count; i++) {
                at = order[i]
                a_byte = cpu[at] / bytes[at]
                if (i == 1) first = ns[at] / bytes[at]
                printf "%-8s %9.1f %9d %8.0f %9.0f %10.3f %10.2f %9.2f %9.0f\n", at, bytes[at] / 1e6, items[at], bytes[at] * 1e3 / ns[at],
                    items[at] * 1e9 / ns[at], a_byte, cpu[at] / 1e3 / items[at], ns[at] / bytes[at] / first, peak[at] / 1048576
                printf "%s{\"label\":\"%s\",\"bytes\":%s,\"items\":%s,\"elapsed_ns\":%s,\"cpu_ns\":%s,\"peak_bytes\":%s,\"cost_of_first\":%.3f}\n",
                    (i > 1 ? "," : ""), at, bytes[at], items[at], ns[at], cpu[at], peak[at], ns[at] / bytes[at] / first >json
            }
            print "]" >json
        }'
}

[ -n "$smoke" ] || { date -u +%F; uname -rm; lscpu | grep -E '^(Model name|CPU\(s\)|L[23])' || true; }
for size in $sizes; do
    make_image "$size" image 1
    measure "$size"
done | table size
rm -f "$work"/images/*
made=0
for count in $counts; do
    while [ "$made" -lt "$count" ]; do
        made=$((made + 1))
        make_image 2M "$made" "$made"
    done
    measure "$count"
done | table images
[ -z "$smoke" ] || jq -es 'all(length == 2) and all(.[][]; .items > 0)' "$json"/growth-*.json >/dev/null
