#!/usr/bin/env bash
# Mutated images through the whole scan and the check: COUNT (3000) of them, an equal share of
# images of every variant and, where they are there, the real samples. tests/campaign/mutate.c says
# what must hold.
#
#   tests/campaign/mutate.sh [COUNT [BUILD [KEEP]]]     BUILD: build/asan-ubsan; KEEP: a folder for
#                                                       the images that fail
#
# SEED (1) comes from the environment: another one gives other damages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
count=${1:-3000}
build=${2:-build/asan-ubsan}
keep=${3:-}
seed=${SEED:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A quarantine of freed memory is no memory of ours.
export ASAN_OPTIONS=quarantine_size_mb=8:exitcode=99:${ASAN_OPTIONS:-}

images=()
make() {
    local name=$1
    shift
    "$build/ostgen" -q --truth none -o "$work/$name" "$@"
    images+=("$work/$name")
}
for content in ost pst; do
    make "ansi-permute.$content" --format ansi --crypt permute --content $content --profile tiny
    make "unicode-none.$content" --format unicode --crypt none --content $content --profile tiny --fragment 100
    make "4k-zlib.$content" --format unicode4k --content $content --profile tiny --fragment 50
done
make ansi-cyclic-fragmented.pst --format ansi --crypt cyclic --content pst --profile tiny --fragment 100
make ansi-none-mixed.pst --format ansi --crypt none --content pst --profile mixed --items 120 --fragment 30
make unicode-cyclic-mixed.ost --format unicode --crypt cyclic --profile mixed --items 120
make unicode-permute-mixed.pst --format unicode --crypt permute --content pst --profile mixed --items 120 --fragment 60
make 4k-none-mixed.ost --format unicode4k --compress none --profile mixed --items 120 --fragment 100
make 4k-force-permute.ost --format unicode4k --compress force --crypt permute --profile mixed --items 120
make unicode-cyclic-deep.pst --format unicode --crypt cyclic --content pst --profile deep
for sample in build/samples/*.ost build/samples/*.pst; do
    [ ! -f "$sample" ] || images+=("$sample")
done

share=$(((count + ${#images[@]} - 1) / ${#images[@]}))
status=0
mkdir "$work/run"
printf '%-36s %5s %3s %8s %8s %7s %8s\n' image damages misses untouched touched seconds memory
for image in "${images[@]}"; do
    [ "$count" -gt 0 ] || break
    [ "$share" -le "$count" ] || share=$count
    "$build/campaign_mutate" "$share" "$seed" "$image" "$work/run" ${keep:+"$keep"} || status=1
    count=$((count - share))
done
exit $status
