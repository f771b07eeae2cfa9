#!/usr/bin/env bash
# What a scan may take: memory by the rule of README.md (--memory, 64 MiB, 48 bytes a block and 32 a
# node), however large values are and wherever blocks lie; and bytes asked of the device against the
# bytes of blocks and pages.
. tests/cli/tap.sh

peak="$(dirname "$OSTGEN")/campaign_peak"
gen() { "$OSTGEN" -q --truth none -o "$work/$1" "${@:2}"; }
scan() { # IMAGE OPTION...
    rm -rf "$work/o"
    timeout 300 "$peak" "$work/took" \
        "$OSTSCAN" scan -q --progress never "${@:2}" -o "$work/o" "$work/$1" >"$work/err" 2>&1
}
manifest() { zstdcat "$work"/o/manifests/*; }
within() { # MEMORY_MIB
    local took rule
    took=$(cat "$work/took")
    rule=$(manifest | jq --argjson m "$1" 'select(.type == "image") | ($m + 64) * 1048576 + 48 * .blocks + 32 * .nodes')
    echo "# peak $((took >> 20)) MiB of $((rule >> 20)) MiB"
    [ "$took" -gt 1000000 ] && [ "$took" -le "$rule" ]
}
# Bytes asked for in thousandths of those of blocks and pages.
asked() {
    local bytes allocated
    bytes=$(jq 'select(.type == "end") | .timing.read | .plan + .sweep + .gaps + .again' "$work/o/scan.jsonl")
    allocated=$(manifest | jq 'select(.type == "image") | .allocated')
    echo "# $bytes of $allocated"
    per_mille=$((bytes * 1000 / allocated))
}
asks_at_most() { asked; [ "$per_mille" -ge 900 ] && [ "$per_mille" -le "$1" ]; }

gen mail.pst --profile mail --format unicode --size 24M --seed 2
for how in "--device flash" "--device disk" "--io pread"; do
    # shellcheck disable=SC2086
    check "a scan of mails, $how" scan mail.pst $how
    check "… asks for little more than there is" asks_at_most 1110
done
for image in enron.pst pstextractortest@outlook.com.ost pstextractortestpdf@outlook.com.ost; do
    if [ -f "build/samples/$image" ]; then
        ln -s "$PWD/build/samples/$image" "$work/$image"
        for device in flash disk; do
            check "a scan of $image, --device $device" scan "$image" --device $device
            check "… asks for little more than there is" asks_at_most 1060
        done
    else
        skip "a scan of $image" "it is not there"
    fi
done

# A sanitizer's own memory is no part of the promise.
if grep -q __asan_init "$OSTSCAN"; then
    skip "peaks of memory" "the address sanitizer takes memory of its own"
    finish
    exit
fi
gen permuted.pst --profile mail --format unicode --fragment 100 --size 120M --seed 3
gen attachment.pst --profile mail --format unicode --items 50 --attachment 160M --seed 4
gen attachment.ost --profile mail --items 50 --attachment 160M --seed 4
gen scattered.ost --profile mail --fragment 100 --compress none --items 50 --attachment 160M --seed 5
for image in permuted.pst attachment.pst attachment.ost scattered.ost; do
    for jobs in 1 2 7; do
        check "a scan of $image with --memory 16M --jobs $jobs" scan $image --memory 16M --jobs $jobs
        check "… keeps to its memory" within 16
        # With more threads what is carried, and so what is dropped, is a matter of which goes ahead.
        [ $jobs = 1 ] || continue
        [ $image = attachment.pst ] || [ $image = attachment.ost ] || continue
        check "… and reads nothing twice" asks_at_most 1050
    done
    check "… and reads nothing more than twice" asks_at_most 2150
    rm "$work/$image"
done
finish
