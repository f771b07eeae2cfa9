#!/usr/bin/env bash
# A soak: one scan over very many small images. Memory and descriptors must be as flat at its end as they
# were when it had warmed up: no image may leave anything behind.
#
#   tests/campaign/soak.sh [--images 10000] [--jobs 2] [--io auto] [--folder DIR]
#
# The process is looked at from outside while it runs, by /proc, thirty times a second; what it has after a
# fifth of the images is held against what it has at the end.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
: "${OSTSCAN:=$here/../../build/release/ostscan}" "${OSTGEN:=$here/../../build/release/ostgen}"
images=10000 jobs=2 io=auto folder=${TMPDIR:-/tmp}
# What a run keeps of each image until its end: where its line of scan.jsonl and its notes of duplicates
# are, its manifest's name, and its place in the journal's table.
image_bytes=384
slack_kib=3072 # … and that; of fewer than 5,000 images memory may still be warming up, and is bound as a whole
usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || usage
    case $1 in
    --images) images=$2 ;;
    --jobs) jobs=$2 ;;
    --io) io=$2 ;;
    --folder) folder=$2 ;;
    *) usage ;;
    esac
    shift 2
done
work=$(mktemp -d "$folder/ostscan-soak.XXXXXX")
pid=
trap '[ -z "$pid" ] || kill $pid 2>/dev/null || true; rm -rf "$work"' EXIT
fail() { echo "soak.sh: $*" >&2; exit 1; }

# Twelve kinds of images, sound and damaged; each of the others is a copy with a name of its own.
mkdir "$work/kinds" "$work/images"
formats=(ansi unicode unicode4k)
for ((i = 0; i < 12; i++)); do
    damage=()
    ((i % 4 != 3)) || damage=(--damage block_flip:3 --damage value_hid:1)
    "$OSTGEN" -q --truth none --profile mail --items $((4 + 4 * (i % 4))) --format "${formats[i % 3]}" \
        --seed "$i" "${damage[@]}" -o "$work/kinds/$i.ost"
done
# Sparse and shared where the file system can; a 4k image is 16 MiB long, nearly all of it empty.
for ((i = 0; i < images; i++)); do
    cp --sparse=always --reflink=auto "$work/kinds/$((i % 12)).ost" "$work/images/$i.ost"
done

"$OSTSCAN" scan -q --progress never --jobs "$jobs" --io "$io" --memory 64M -o "$work/out" "$work/images" &
pid=$!
: >"$work/samples"
while kill -0 $pid 2>/dev/null; do
    rss=$(awk '/^VmRSS/ { print $2 }' /proc/$pid/status 2>/dev/null) || break
    [ -n "$rss" ] || break
    fds=$(ls /proc/$pid/fd 2>/dev/null | wc -l) || break
    # Those of io_uring's are the kernel's.
    threads=$(cat /proc/$pid/task/*/comm 2>/dev/null | grep -vc '^iou-') || true
    scanned=0
    [ ! -f "$work/out/scan.journal" ] || scanned=$(grep -c " keep " "$work/out/scan.journal") || true
    echo "$scanned $rss $fds $threads" >>"$work/samples"
    sleep 0.03
done
status=0
wait $pid || status=$?
pid=
[ $status = 0 ] || fail "the scan ended with status $status"

manifests=$(find "$work/out/manifests" -name '*.jsonl.zst' | wc -l)
[ "$manifests" = "$images" ] || fail "$manifests manifests of $images images"
lines=$(grep -c '^{"type":"image"' "$work/out/scan.jsonl")
[ "$lines" = "$images" ] || fail "$lines lines of $images images"
[ -z "$(find "$work/out" -name '*.tmp')" ] || fail "a temporary file stayed behind"
# The duplicates at the end are another matter, and have their own bound: they are looked at no more.
awk -v images="$images" -v most=$((128 * 1024)) -v growth=$((images / 2 * image_bytes / 1024 + slack_kib)) '
    $1 < images / 5 { next }
    $1 <= images / 2 { n1++; if ($2 > rss1) rss1 = $2; if ($3 > fds1) fds1 = $3; if ($4 > th1) th1 = $4; next }
    $1 < images { n2++; if ($2 > rss2) rss2 = $2; if ($3 > fds2) fds2 = $3; if ($4 > th2) th2 = $4 }
    END {
        printf "%d images: resident %d KiB in the first half (%d samples), %d KiB in the second (%d); descriptors %d, %d; threads %d, %d\n",
            images, rss1, n1, rss2, n2, fds1, fds2, th1, th2
        if (n1 + n2 < 3 || (images >= 5000 && (n1 < 3 || n2 < 3))) { print "too few samples" > "/dev/stderr"; exit 1 }
        if (rss1 > most || rss2 > most) { print "more than --memory and 64 MiB" > "/dev/stderr"; exit 1 }
        if (images >= 5000 && rss2 > rss1 + growth) { print "memory grows" > "/dev/stderr"; exit 1 }
        if (fds2 > fds1 + 2) { print "descriptors grow" > "/dev/stderr"; exit 1 }
        if (th2 > th1) { print "threads grow" > "/dev/stderr"; exit 1 }
    }' "$work/samples" || fail "not flat"
