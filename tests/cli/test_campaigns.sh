#!/usr/bin/env bash
# A sample of tests/campaign/run.sh: flipped bits and lost B-tree pages, in every variant.
. tests/cli/tap.sh
gen=${OSTGEN:-$(dirname "$OSTSCAN")/ostgen}
programs=$(dirname "$gen")
image=$work/image
small=(header amap nbt_leaf nbt_branch bbt_leaf bbt_branch data xblock slblock)

flips() { "$programs/campaign_flips" "$@"; }

for variant in ansi:cyclic:none unicode:permute:none unicode4k:none:zlib; do
    IFS=: read -r format crypt compress <<<"$variant"
    options=(-q --format $format --crypt $crypt --compress $compress -o "$image")
    check "$variant: a small image" "$gen" "${options[@]}" --profile tiny
    check "… flipped bits" flips 450 1 "$image" "${small[@]}"
    check "… a structure that is not there is missed" bash -c "! '$programs/campaign_flips' 0 1 '$image' siblock"
    check "$variant: a deep image" "$gen" "${options[@]}" --profile deep
    check "… flipped bits" flips 110 2 "$image" "${small[@]}" xxblock siblock
    check "$variant: an image with stale pages" "$gen" "${options[@]}" --profile mixed --items 700
    check "… lost pages" "$programs/campaign_lost_pages" 3 "$image"
done

# Where the truth says nothing of a byte, no finding is good: the campaign can fail.
"$gen" -q --format unicode --profile tiny -o "$image"
jq -c 'if .type == "structure" and .kind == "nbt_leaf" then .covered = [] else . end' "$image.truth.jsonl" \
    >"$work/truth" && mv "$work/truth" "$image.truth.jsonl"
check "a wrong truth is noticed" bash -c "! '$programs/campaign_flips' 300 1 '$image'"
# A node that was deleted, were it not, would be found: the campaign can fail there, too.
"$gen" -q --format unicode --profile mixed --items 100 -o "$image"
nid=$(jq -r 'select(.type == "folder").nid' "$image.truth.jsonl" | head -n 1)
sed "s/^{\"type\":\"deleted\",\"nid\":[0-9]*}/{\"type\":\"deleted\",\"nid\":$nid}/" "$image.truth.jsonl" >"$work/truth"
mv "$work/truth" "$image.truth.jsonl"
check "a deleted node that is there is noticed" bash -c "! '$programs/campaign_lost_pages' 1 '$image'"
finish
