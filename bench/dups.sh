#!/bin/bash
# Measures `ostscan dups` over more and more synthetic manifests: work and memory for each number.
#
#   bench/dups.sh [--memory 512M] [--items 100000] [--steps "25 50 100 200"] [--folder DIR]
#                 [--build DIR] [--smoke]
#
# Each manifest has --items items; a sixth of all are duplicates. 200 of 100,000 take 2.8 GiB in
# --folder, and dups as much again for a while; both are removed at the end.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
memory=512M
items=100000
steps="25 50 100 200"
folder=${TMPDIR:-/tmp}
build=$here/../build/release
usage() { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }

while [ $# -gt 0 ]; do
    [ "$1" = --smoke ] || [ $# -gt 1 ] || usage
    case $1 in
    --memory) memory=$2; shift ;;
    --items) items=$2; shift ;;
    --steps) steps=$2; shift ;;
    --folder) folder=$2; shift ;;
    --build) build=$2; shift ;;
    --smoke) memory=16M; items=2000; steps="2 4" ;;
    *) usage ;;
    esac
    shift
done

work=$(mktemp -d "$folder/ostscan-dups.XXXXXX")
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work TIMEFORMAT='%R %U %S'
mkdir "$work/manifests"
most=0
for n in $steps; do [ "$n" -le "$most" ] || most=$n; done
"$build/bench-manifests" "$work/manifests" "$most" "$items" 20

# GNU time where it is installed; it alone knows the peak of memory.
measure=()
[ ! -x /usr/bin/time ] || measure=(/usr/bin/time -o "$work/peak" -f %M)
printf '%12s %12s %12s %12s %12s\n' items duplicates processor elapsed peak
for n in $steps; do
    mapfile -t files < <(find "$work/manifests" -name '*.zst' | sort | head -n "$n")
    echo 0 >"$work/peak"
    { time "${measure[@]}" "$build/ostscan" dups --memory "$memory" "${files[@]}" >"$work/summary"; } 2>"$work/time"
    read -r elapsed user system <"$work/time"
    awk -v items=$((n * items)) -v elapsed="$elapsed" -v user="$user" -v system_="$system" \
        -v peak="$(cat "$work/peak")" '
        $1 == "read" && $4 != items { print "not all items were read"; bad = 1 }
        $1 == "items" {
            printf "%12d %12d %10.1f s %10.1f s %8d MiB\n", items, $4, user + system_, elapsed, peak / 1024
            done_ = 1
        }
        END { exit bad || !done_ }' "$work/summary"
done
