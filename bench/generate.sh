#!/bin/bash
# Measures how fast ostgen writes images of its profile `mail`: uncompressed in MB/s of the file,
# compressed against zlib alone at level 6 over the very same blocks. Rounds take turns, the best of
# each counts.
#
#   bench/generate.sh [--size 1G] [--folder DIR] [--build DIR] [--rounds N] [--smoke]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
size=1G
folder=${TMPDIR:-/tmp}
build=$here/../build/release
rounds=3
smoke=
usage() { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }

while [ $# -gt 0 ]; do
    [ "$1" = --smoke ] || [ $# -gt 1 ] || usage
    case $1 in
    --size) size=$2; shift ;;
    --folder) folder=$2; shift ;;
    --build) build=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --smoke) smoke=yes; size=2M; rounds=1 ;;
    *) usage ;;
    esac
    shift
done
work=$(mktemp -d "$folder/ostscan-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Nanoseconds that a generation takes. Writing anew is slower than writing over, so the file goes.
generate() {
    local from
    rm -f "$work/image"
    from=$(date +%s%N)
    "$build/ostgen" --profile mail --truth none -q -o "$work/image" "$@"
    echo $(($(date +%s%N) - from))
}

least() { [ "$1" = 0 ] || [ "$2" -lt "$1" ] && echo "$2" || echo "$1"; }

[ -n "$smoke" ] || { date -u +%F; uname -rm; lscpu | grep -E '^(Model name|CPU\(s\))' || true; }
for format in ansi unicode unicode4k; do
    best=0
    for ((i = 0; i < rounds; i++)); do
        best=$(least $best "$(generate --format $format --compress none --size "$size")")
    done
    echo "$format uncompressed: $(($(stat -c %s "$work/image") * 1000 / best)) MB/s"
done
best=0
zlib=0
for ((i = 0; i < rounds; i++)); do
    best=$(least $best "$(generate --format unicode4k --compress zlib --size "$size")")
    read -r blocks bytes ns < <("$build/bench-deflate" "$work/image")
    zlib=$(least $zlib "$ns")
done
[ "$blocks" -gt 0 ]
echo "unicode4k compressed: $((bytes * 1000 / best)) MB/s of $blocks blocks, zlib alone" \
    "$((bytes * 1000 / zlib)) MB/s: $(awk -v a="$zlib" -v b="$best" 'BEGIN { printf "%.2f", a / b }') of it"
