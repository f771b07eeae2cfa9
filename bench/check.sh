#!/bin/bash
# Measures `ostscan check` against the best raw read of the same extents, on an image of each
# variant made by ostgen, one after the other. Tables go to standard output, JSON to --json FOLDER.
#
#   bench/check.sh [--size 4G] [--profile mail] [--formats "ansi unicode unicode4k unicode4k-zlib"]
#                  [--folder DIR] [--build DIR] [--rounds N] [--json DIR] [--smoke]
#
# An ANSI image has 32-bit offsets: it is made of 2 GB, the most that Outlook allows, whatever more
# --size asks for. The image is removed at the end, and only one is there at a time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
size=4G
profile=mail
formats="ansi unicode unicode4k unicode4k-zlib"
folder=${TMPDIR:-/tmp}
build=$here/../build/release
rounds=5
probe=512
json=
smoke=
usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2; }

while [ $# -gt 0 ]; do
    [ "$1" = --smoke ] || [ $# -gt 1 ] || usage
    case $1 in
    --size) size=$2; shift ;;
    --profile) profile=$2; shift ;;
    --formats) formats=$2; shift ;;
    --folder) folder=$2; shift ;;
    --build) build=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --json) json=$2; shift ;;
    --smoke) smoke=yes; size=4M; rounds=1; probe=1 ;;
    *) usage ;;
    esac
    shift
done

bytes=$(numfmt --from=iec "$size")
limit=$((2000 * 1024 * 1024))
ansi=$size
[ "$bytes" -le "$limit" ] || ansi=2000M
work=$(mktemp -d "$folder/ostscan-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
[ -n "$json" ] || json=$work
mkdir -p "$json"

measure() { # NAME SIZE OSTGEN-OPTION...
    local name=$1 of=$2
    shift 2
    echo "== $name: ostgen --profile $profile --size $of $*"
    "$build/ostgen" --profile "$profile" --size "$of" --truth none -q "$@" -o "$work/image.ost"
    cat "$work/image.ost" >/dev/null
    "$build/bench-check" --ostscan "$build/ostscan" --rounds "$rounds" --probe-mib "$probe" \
        --json "$json/$name.json" "$work/image.ost"
    rm "$work/image.ost"
    if [ -n "$smoke" ]; then
        grep -q '"raw_best_mb_s":[1-9][0-9]*,"check":\[{' "$json/$name.json"
    fi
}

[ -n "$smoke" ] || { date -u +%F; uname -rm; lscpu | grep -E '^(Model name|CPU\(s\)|L[23])' || true; }
for format in $formats; do
    case $format in
    ansi) measure "$format" "$ansi" --format ansi ;;
    unicode) measure "$format" "$size" --format unicode ;;
    unicode4k) measure "$format" "$size" --format unicode4k --compress none ;;
    unicode4k-zlib) measure "$format" "$size" --format unicode4k --compress zlib ;;
    *) usage ;;
    esac
done
