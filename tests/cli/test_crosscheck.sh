#!/usr/bin/env bash
# `ostscan scan --crosscheck`: on every healthy image, real and generated, both engines agree; of what
# libpff is no witness of, it is said that nothing was compared. tests/unit/test_crosscheck.c changes
# what one engine says, to see differences found.
. tests/cli/tap.sh
gen=${OSTGEN:-$(dirname "$OSTSCAN")/ostgen}

mkdir "$work/share" "$work/other"
for format in ansi unicode unicode4k; do
    "$gen" --format $format --profile tiny --truth none -q -o "$work/share/$format.ost"
    "$gen" --format $format --profile mixed --items 120 --content pst --crypt none --fragment 100 --truth none -q -o "$work/share/$format.pst"
    [ $format = unicode4k ] || "$gen" --format $format --crypt permute --profile tiny --content pst --truth none -q -o "$work/share/$format-permute.pst"
done
"$gen" --format unicode --crypt cyclic --profile tiny --truth none -q -o "$work/share/cyclic.ost"
if have_samples; then cp build/samples/*.[op]st "$work/share/"; fi
if [ -d ../shared/corpus ]; then
    cp ../shared/corpus/*.[op]st "$work/share/"
    rm -f "$work"/share/damaged-*
fi
"$gen" --profile tiny --damage block_flip --truth none -q -o "$work/other/damaged.ost"
"$gen" --profile tiny --crypt permute --truth none -q -o "$work/other/enciphered.ost"
cp "$work/share/unicode.ost" "$work/other/large.ost"
truncate -s 1100M "$work/other/large.ost"
head -c 100 "$work/share/unicode.ost" >"$work/other/short.ost"

# Findings of a code in all manifests of $1, as JSON.
findings() { cat "$work/$1"/manifests/*.zst | zstd -dcq | jq -c --arg c "$2" 'select(.type == "finding" and .code == $c)'; }

check "all items of all healthy images" status 0 "$OSTSCAN" scan --crosscheck 100 -q -o "$work/all" "$work/share"
check "… nothing differs" test -z "$(findings all engines_differ)"
check "… every image was compared" test "$(findings all cross_checked | wc -l)" = "$(find "$work/share" -type f | wc -l)"
check "… and nearly every item" bash -c '[ "$2" -gt 400 ] && [ $((100 * $1)) -ge $((95 * $2)) ]' - \
    "$(findings all cross_checked | jq -s 'map(.actual) | add')" "$(findings all cross_checked | jq -s 'map(.expected) | add')"
check "… the verdict is what it was" bash -c '
    [ "$(jq -c "select(.type == \"image\") | [.path, .state, .remedy]" "$1")" = "$(jq -c "select(.type == \"image\") | [.path, .state, .remedy]" "$2")" ]' - \
    "$work/all/scan.jsonl" <("$OSTSCAN" scan -q --json -o "$work/plain" "$work/share")
check "a share of them" status 0 "$OSTSCAN" scan --crosscheck 20 -q --jobs 1 -o "$work/some" "$work/share"
check "… is about that" bash -c '[ $((100 * $1)) -gt $((10 * $2)) ] && [ $((100 * $1)) -lt $((30 * $2)) ]' - \
    "$(findings some cross_checked | jq -s 'map(.expected) | add')" "$(findings all cross_checked | jq -s 'map(.expected) | add')"
same_share() {
    "$OSTSCAN" scan --crosscheck 20 -q --jobs 4 --io uring -o "$work/again" "$work/share" || return 1
    diff <(findings some cross_checked) <(findings again cross_checked)
}
check "… and the same one every time" same_share

check "images that libpff is no witness of" status 0 "$OSTSCAN" scan --crosscheck 100 -q -o "$work/no" "$work/other"
why() { zstdcat "$work/no/manifests/$1"-*.zst | jq -r 'select(.code == "not_cross_checked") | .text'; }
check "… damaged ones" bash -c '[[ "$1" == *"damaged images" ]]' - "$(why damaged.ost)"
check "… enciphered 4k ones" bash -c '[[ "$1" == *"enciphered 4k images" ]]' - "$(why enciphered.ost)"
check "… large ones" bash -c '[[ "$1" == *"does not take on an image of this size"* ]]' - "$(why large.ost)"
check "… nothing was compared" test -z "$(findings no cross_checked)$(findings no engines_differ)"
finish
