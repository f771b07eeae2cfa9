#!/usr/bin/env bash
# What `ostscan scan` writes depends on the images alone: manifests, line by line, whatever the number
# of threads, the memory and the way of reading, of sound images and damaged ones, with blocks in any
# order so that memory is scarce; and with a bound on the rate.
. tests/cli/tap.sh

gen() { "$OSTGEN" -q --truth none -o "$work/images/$1" "${@:2}"; }
mkdir "$work/images"
gen permuted.pst --profile mixed --format unicode --fragment 100 --items 900 --seed 3
gen zlib.ost --profile mixed --fragment 100 --items 500 --seed 4
gen cipher.pst --profile mail --format ansi --crypt permute --fragment 50 --items 200 --seed 5
gen deep.ost --profile deep --compress none --fragment 100 --attachment 12M
gen damaged.pst --profile mixed --format unicode --fragment 100 --items 400 --seed 6 \
    --damage block_flip:20 --damage block_zero:5 --damage block_bid:3 --damage block_misplaced:2 --damage subnode_cycle:2 --damage heap_map:3 \
    --damage value_hid:5 --damage subnode_dangling:3
# Blocks, pages and internal ones overwritten anywhere, and a file that was cut.
cp "$work/images/permuted.pst" "$work/images/torn.pst"
size=$(stat -c %s "$work/images/torn.pst")
for ((i = 1; i <= 60; i++)); do
    head -c 512 /dev/zero | tr '\0' "\\$((i % 7 + 1))" |
        dd of="$work/images/torn.pst" bs=1 seek=$(((i * 7919 * 104729) % (size - 20000) + 18000)) conv=notrunc status=none
done
head -c $((size * 2 / 3)) "$work/images/permuted.pst" >"$work/images/cut.pst"

# All that manifests say, but for their first line and its digest.
contents() { # OUT
    local file
    for file in "$1"/manifests/*; do
        basename "$file"
        zstd -dcq "$file" | sed -e 1d -e 's/"scan_digest":"[^"]*",//'
    done
}
scan() { # NAME OPTION...
    local name=$1
    shift
    "$OSTSCAN" scan -q --progress never --force "$@" -o "$work/o" "$work/images" >/dev/null 2>"$work/err" || return 1
    contents "$work/o" >"$work/$name"
}
check "a scan to hold the others against" scan golden --jobs 1 --memory 2G --io pread
check "… of every image" test "$(ls "$work/o/manifests" | wc -l)" = 7
items() { grep -c '"type":"item"' "$work/golden"; }
findings() { grep -c '"type":"finding"' "$work/golden"; }
check "… with items and findings" test "$(items)" -gt 2000 -a "$(findings)" -gt 50
same() { # OPTION...
    scan now "$@" && cmp "$work/golden" "$work/now" >"$work/differs" 2>&1
}
for jobs in 1 2 7; do
    for memory in 16M 64M 2G; do
        for io in uring pread; do
            [ "$jobs$memory$io" = 12Gpread ] ||
                check "the same with --jobs $jobs --memory $memory --io $io" same --jobs $jobs --memory $memory --io $io
        done
    done
done
check "the same through --direct" same --jobs 2 --memory 16M --direct
check "the same from a disk that seeks" same --jobs 3 --memory 16M --device disk
check "the same at a bounded rate" same --jobs 3 --memory 64M --max-rate 400M/s

# A bound on the rate bounds it: no upper limit of time, which depends on the machine.
bytes=$(stat -c %s "$work/images/permuted.pst")
took_at_least() { # MILLISECONDS COMMAND...
    local least=$1 before after
    shift
    before=$(date +%s%3N)
    "$@" >/dev/null 2>&1 || return 1
    after=$(date +%s%3N)
    [ $((after - before)) -ge "$least" ]
}
check "--max-rate bounds a scan" took_at_least 700 "$OSTSCAN" scan -q --force --max-rate "$bytes" -o "$work/o" "$work/images/permuted.pst"
check "--max-rate bounds a check" took_at_least 700 "$OSTSCAN" check -q --fail-on never --max-rate "$bytes" "$work/images/permuted.pst"
check "--max-rate bounds the libpff engine" took_at_least 100 "$OSTSCAN" scan -q --force --engine libpff --jobs 1 --max-rate "$((bytes * 2))" -o "$work/o" "$work/images/cipher.pst"
check "--max-rate wants a rate" status 2 "$OSTSCAN" check --max-rate 0 "$work/images"
check "… and a number" status 2 "$OSTSCAN" check --max-rate fast "$work/images"
finish
