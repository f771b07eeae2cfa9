#!/bin/bash
# Measures whole scans against this machine's limit and against other programs, in one run: images
# made by ostgen, one set after the other; all programs take turns, round after round.
#
#   bench/e2e.sh [--size 512M] [--items 2000] [--many 10] [--sets "NAME..."] [--rounds 3]
#                [--memory SIZE] [--cold] [--peers SECONDS] [--folder DIR] [--build DIR]
#                [--json DIR] [--smoke]
#
# Sets: e2e_sets.sh (a set's options; all by default); each of --size, but `many`: --many images of --items mails each, and `peers`: one
# of --size; to these two other programs are put as well, for --peers seconds at most (120).
# --cold: with the images out of the page cache, too. Output of all programs goes to /dev/shm. The
# table goes to standard output, results and plot to --json FOLDER.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/peers.sh"
. "$here/e2e_sets.sh"
size=512M
items=2000
many=10
chosen="${!sets[*]}"
rounds=3
memory=
temperatures=warm
patience=120
folder=${TMPDIR:-/tmp}
build=$here/../build/release
json=
smoke=
probe=256
usage() { sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2; }

while [ $# -gt 0 ]; do
    [ "$1" = --smoke ] || [ "$1" = --cold ] || [ $# -gt 1 ] || usage
    case $1 in
    --size) size=$2; shift ;;
    --items) items=$2; shift ;;
    --many) many=$2; shift ;;
    --sets) chosen=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --memory) memory=$2; shift ;;
    --cold) temperatures="warm cold" ;;
    --peers) patience=$2; shift ;;
    --folder) folder=$2; shift ;;
    --build) build=$2; shift ;;
    --json) json=$2; shift ;;
    --smoke) smoke=yes; size=2M; items=30; many=2; rounds=1; probe=1; chosen="mail-4k-zlib permuted many" ;;
    *) usage ;;
    esac
    shift
done

cores=$(nproc)
work=$(mktemp -d "$folder/ostscan-bench.XXXXXX")
output=$(mktemp -d /dev/shm/ostscan-bench.XXXXXX 2>/dev/null || mktemp -d "$folder/ostscan-out.XXXXXX")
trap 'rm -rf "$work" "$output"' EXIT
[ -n "$json" ] || json=$work
mkdir -p "$json"
results=$json/results.tsv
: >"$results"
. "$here/e2e_programs.sh"

# What is known of a run goes into a line of the results: set, temperature, program, nanoseconds,
# processor time, peak, items, bytes of plan, sweep, gaps and read again; - for what is not known.
note() { printf '%s\t%s\t%s\t%s\n' "$name" "$temperature" "$1" "${*:2}" | tr ' ' '\t' >>"$results"; }

measure() { # SET
    local i ways
    name=$1
    mkdir "$work/images"
    make_images "$name"
    mapfile -t images < <(find "$work/images" -type f | sort)
    for temperature in $temperatures; do
        echo "$name, $temperature: ${#images[@]} of $(du -chs --apparent-size "$work/images" | tail -n 1 | cut -f 1)" >&2
        ways=$(raw_ways)
        cat "${images[@]}" >/dev/null
        for ((i = 0; i < rounds; i++)); do
            limits "$ways"
            ours
            [[ $name != many && $name != peers ]] || peers
        done
    done
    rm -rf "$work/images" "${output:?}"/*
}

{ date -u +%F; uname -rm; lscpu | grep -E '^(Model name|CPU\(s\)|L[23])' || true; } >"$json/machine"
[ -n "$smoke" ] || cat "$json/machine"
for set in $chosen; do
    [ -n "${sets[$set]+there}" ] || { echo "e2e.sh: no set $set" >&2; exit 2; }
    measure "$set"
done
awk -v json="$json/e2e.json" -v plot="$json/e2e.dat" -f "$here/e2e_table.awk" "$results"
if command -v gnuplot >/dev/null; then
    gnuplot -e "data='$json/e2e.dat'; out='$json/e2e.svg'" "$here/e2e.gp"
fi
[ -z "$smoke" ] || jq -e 'length > 20 and all(.mb_s > 0 or .program == "optimum")' "$json/e2e.json" >/dev/null
