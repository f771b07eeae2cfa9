#!/usr/bin/env bash
# `ostscan check`: sound images are called sound, damage is named where it is, nothing is written.
. tests/cli/tap.sh

says() { grep -qE -- "$2" "$work/$1" || { echo "no «$2» in:"; cat "$work/$1"; return 1; }; }
json() { jq -e -s "$1" "$work/out" >/dev/null || { head -c 600 "$work/out"; return 1; }; }

# Overwrites bytes at an offset of a copy.
patch_at() { printf "$2" | dd of="$1" bs=1 seek="$3" conv=notrunc status=none; }

: >"$work/empty.ost"
head -c 5000 /dev/zero >"$work/zero.pst"
check "an empty file is damage" status 4 "$OSTSCAN" check "$work/empty.ost"
check "… and is named" says out "file_empty"
check "other content is damage" status 4 "$OSTSCAN" check "$work/zero.pst"
check "--fail-on never" status 0 "$OSTSCAN" check --fail-on never "$work/zero.pst"
check "a missing file" status 3 "$OSTSCAN" check "$work/none.ost"
check "a folder without images" bash -c "mkdir '$work/none' && '$OSTSCAN' check '$work/none' | grep -q 'no images'"
check "every line of --json is JSON" bash -c "'$OSTSCAN' check --json '$work' | jq -e . >/dev/null"
check "--json closes each image" bash -c "
    [ \$('$OSTSCAN' check --json '$work' | jq -s '[.[] | select(.type == \"check\")] | length') = 2 ]"
check "--deep without check is refused" status 2 "$OSTSCAN" show --deep x
check "a closed pipe" bash -c "'$OSTSCAN' check '$work' 2>'$work/err2' | head -n 0; [ ! -s '$work/err2' ]"

# What a person meets; on made images.
gen=${OSTGEN:-$(dirname "$OSTSCAN")/ostgen}
mkdir "$work/made" "$work/other"
"$gen" --profile tiny --format unicode --truth none -q -o "$work/made/whole.ost"
"$gen" --profile mixed --items 120 --format unicode --damage block_flip:40 --damage page_zero --truth none -q \
    -o "$work/made/hurt.ost"
echo text >"$work/other/readme.txt"
check "no images: what counts as one is said" bash -c "'$OSTSCAN' check '$work/other' | grep -q -- '--all-files'"
check "… but not where it helps nobody" bash -c "! '$OSTSCAN' check --all-files '$work/other' | grep -q -- '--all-files'"
check "many findings are told in groups" status 4 "$OSTSCAN" check "$work/made/hurt.ost"
check "… the worst first" bash -c "sed -n 2p '$work/out' | grep -q '40 × corrupt block_crc: '"
check "… with a place" says out 'block_crc: .*; the first at offset [0-9]+; items hit: [0-9]+$'
check "… on a screen" bash -c "[ \$(wc -l <'$work/out') -le 15 ]"
"$gen" --profile mixed --items 300 --format unicode --truth none -q -o "$work/made/maimed.ost" \
    $(for kind in block_flip:3 block_bid:2 block_size block_signature block_misplaced bbt_refs bbt_overlap bbt_size \
        bbt_missing bbt_out_of_range page_flip page_type page_signature page_bid page_zero amap_flip amap_clear \
        header_crc_full header_amap_free header_page_counter trailing node_data subnode_order; do echo --damage $kind; done)
check "damage of every sort" status 4 "$OSTSCAN" check "$work/made/maimed.ost"
check "… on a screen of 24 lines by 80, too" bash -c "[ \$(sed '\$d' '$work/out' | fold -w 80 | wc -l) -le 24 ]"
check "… which says that there is more" says out '^    and [0-9]+ more kinds'
rm "$work/made/maimed.ost"
check "-v tells each" bash -c "[ \$('$OSTSCAN' check -v '$work/made/hurt.ost' | grep -c '    corrupt block_crc at ') = 40 ]"
check "… and what was expected" bash -c "'$OSTSCAN' check -v '$work/made/hurt.ost' | grep -q 'found 0x[0-9a-f]*, expected 0x'"
check "--fail-on finding shows what it found" status 4 "$OSTSCAN" check --fail-on finding "$work/made/whole.ost"
check "… information, too" says out '1 × info alloc_unused'
check "an image without a header is not gone through" bash -c "
    '$OSTSCAN' check '$work/zero.pst' | grep -q 'damage, not gone through to its end'"
check "each allocated byte is read once" bash -c "
    '$OSTSCAN' check --json '$work/made/whole.ost' | tail -1 | jq -e '.read < .allocated * 1.1 and .verified == .allocated'"
check "a full disk is said" bash -c "
    '$OSTSCAN' check '$work/made/whole.ost' >/dev/full 2>'$work/err'; [ \$? = 3 ] && grep -q 'standard output: No space' '$work/err'"
check "a reader that has enough is not" bash -c "
    '$OSTSCAN' check -v '$work/made' 2>'$work/err' | head -n 1; [ ! -s '$work/err' ]"
check "names with control characters do no harm" bash -c "
    cp '$work/made/whole.ost' '$work/other/'\$'a\e[31m\nb.ost'
    [ \$('$OSTSCAN' check '$work/other' | grep -c \$'\e') = 0 ] && '$OSTSCAN' check --json '$work/other' | jq -es 'last.path | contains(\"\\u001b\")'"
check "names come from a file or a pipe" bash -c "
    find '$work/other' -name '*.ost' -print0 | '$OSTSCAN' check --files-from - --null | grep -q '^1 image: 1 sound'"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chmod 755 "$work" "$work/other" "$work/made"
    cp "$OSTSCAN" "$work/ostscan"
    cp "$work/made/whole.ost" "$work/made/locked.ost" && chmod 0 "$work/made/locked.ost"
    check "an image that may not be read" status 3 "${nobody[@]}" "$work/ostscan" check "$work/made/locked.ost"
    check "… and why" says out 'locked.ost: not checked: Permission denied'
    check "… with -q, too" status 3 "${nobody[@]}" "$work/ostscan" check -q "$work/made/locked.ost"
    check "… which leaves no error out" says out 'locked.ost: not checked: Permission denied'
    rm "$work/made/locked.ost"
else
    skip "an image that may not be read" "not root"
fi
# Stopped while more paths are to come: what was finished is told, and that it is not all.
mkfifo "$work/paths"
check "Ctrl-C" bash -c "
    rm '$work/out'
    exec 3<>'$work/paths'
    '$OSTSCAN' check --files-from '$work/paths' >'$work/out' 2>'$work/err' 3>&- &
    pid=\$!
    echo '$work/made/whole.ost' >&3
    for ((i = 0; i < 100; i++)); do [ -s '$work/out' ] && break; sleep 0.1; done
    kill -INT \$pid; wait \$pid; [ \$? = 130 ] && grep -q '^ostscan: interrupted' '$work/err'"
check "… what was done is told" says out 'whole.ost: structure sound'

# Large enough that one image is worth several threads, and its trees' levels several parts
"$gen" -q --profile notes --items 25000 --format unicode --truth none --damage page_flip:3 \
    --damage block_flip:5 -o "$work/large.ost"
truncate -s 260M "$work/large.ost"
check "threads within an image agree with one" bash -c "
    cmp <('$OSTSCAN' check --json --jobs 1 '$work/large.ost') <('$OSTSCAN' check --json --jobs 4 '$work/large.ost')"
check "… of a damaged image" status 4 "$OSTSCAN" check --json --jobs 4 "$work/large.ost"
check "… whose damage is told" json '[.[] | select(.type == "finding" and .severity == "corrupt")] | length > 5'
rm "$work/large.ost"

if ! have_samples; then
    skip "real sample images" "they are not here; ./dev samples fetches them by npm"
    finish
    exit
fi
samples=$(realpath build/samples)
before=$(ls -lR --time-style=full-iso "$samples" | sha256sum)
check "healthy images are sound" status 0 "$OSTSCAN" check --deep "$samples"
check "… all three" says out '^3 images: 3 sound, 0 damaged, 0 not checked; 0 corrupt'
check "… and untouched" test "$before" = "$(ls -lR --time-style=full-iso "$samples" | sha256sum)"
check "--io pread finds the same" bash -c "
    cmp <('$OSTSCAN' check --json --io pread --jobs 1 '$samples') <('$OSTSCAN' check --json --io uring --jobs 3 '$samples')"
check "--direct finds the same" bash -c "
    cmp <('$OSTSCAN' check --json '$samples') <('$OSTSCAN' check --direct --json '$samples' 2>/dev/null)"

cp "$samples/enron.pst" "$work/hurt.pst"
# The root page of the block B-tree: the header of a Unicode image names its place at 240.
root=$(od -An -tu8 -j240 -N8 "$work/hurt.pst" | tr -d ' ')
patch_at "$work/hurt.pst" '\377' $((root + 490))
check "a damaged page is damage" status 4 "$OSTSCAN" check --json "$work/hurt.pst"
check "… with its place, and nowhere else" json "
    [.[] | select(.type == \"finding\" and .severity == \"corrupt\") | .offset] | length > 0 and all(. == $root)"
head -c 9000000 "$samples/enron.pst" >"$work/cut.pst"
check "a cut image is damage" status 4 "$OSTSCAN" check "$work/cut.pst"
check "… and is named" says out "file_truncated"
# Threads without an image leave when the last one is done, whoever looks when.
many_ends() {
    local i
    for ((i = 0; i < 60; i++)); do
        timeout 60 "$OSTSCAN" check -q --jobs 8 "$work/ends.ost" >"$work/out" 2>"$work/err" || return 1
    done
}
"$(dirname "$OSTSCAN")/ostgen" -q --profile tiny --truth none -o "$work/ends.ost"
check "a check of many threads ends" many_ends

finish
