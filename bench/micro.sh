#!/bin/bash
# Measures the inner operations of a scan one by one (bench-micro), over an image of mail made by
# ostgen, or over those given. Tables go to standard output, JSON to --json FOLDER.
#
#   bench/micro.sh [--size 256M] [--images "FILE..."] [--folder DIR] [--build DIR] [--rounds N]
#                  [--json DIR] [--smoke]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
size=256M
images=
folder=${TMPDIR:-/tmp}
build=$here/../build/release
rounds=5
json=
smoke=()
usage() { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }

while [ $# -gt 0 ]; do
    [ "$1" = --smoke ] || [ $# -gt 1 ] || usage
    case $1 in
    --size) size=$2; shift ;;
    --images) images=$2; shift ;;
    --folder) folder=$2; shift ;;
    --build) build=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --json) json=$2; shift ;;
    --smoke) smoke=(--smoke); size=2M; rounds=1 ;;
    *) usage ;;
    esac
    shift
done
work=$(mktemp -d "$folder/ostscan-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
[ -n "$json" ] || json=$work
mkdir -p "$json"
if [ -z "$images" ]; then
    images=$work/mail.pst
    "$build/ostgen" --profile mail --size "$size" --format unicode --content pst --truth none -q -o "$images"
fi
[ -n "${smoke[*]}" ] || { date -u +%F; uname -rm; lscpu | grep -E '^(Model name|CPU\(s\)|L[23])' || true; }
for image in $images; do
    echo "== $(basename "$image")"
    "$build/bench-micro" --folder "$work" --rounds "$rounds" "${smoke[@]}" \
        --json "$json/$(basename "$image").json" "$image"
    if [ -n "${smoke[*]}" ]; then
        for name in CRC XXH3-128 cyclic 'inflate, as a block' 'property context' 'recipient table' \
            'contents table' 'digests of an item' 'record of an item, JSON' 'container, written'; do
            grep -q "\"name\":\"$name\",\"each\":\"[a-z]*\",\"ops\":[1-9]" "$json/$(basename "$image").json"
        done
    fi
done
