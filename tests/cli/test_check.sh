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
finish
