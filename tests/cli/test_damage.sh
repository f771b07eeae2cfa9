#!/usr/bin/env bash
# Every kind of damage to the node database that ostgen plants is found: one of the codes that its
# truth demands, at what it names; and nothing is called corrupt that it did not hit. Every image
# without damage is sound.
#
# VARIANTS names other images than the usual four, as FORMAT:CRYPT:COMPRESS; SEEDS how many of each.
. tests/cli/tap.sh
gen=${OSTGEN:-$(dirname "$OSTSCAN")/ostgen}
image=$work/image

# What a damage hit: the place itself, a structure around it, or a block or node by its id. A damage
# of `all` (a root, a cut) may have consequences anywhere. $found: one of the codes that must be
# reported is, there. $strange: corrupt findings that no damage explains.
judge='
    [.[] | select(.type == "damage")] as $damages
    | [.[] | select(.type == "finding")] as $findings
    | def around($a; $b): $a.offset != null and $b.offset != null
          and $a.offset <= $b.offset and $b.offset < $a.offset + ([$a.length // 1, 1] | max);
      def hit($d; $f): around($d; $f) or around($f; $d)
          or ($f.bid != null and ($d.bids | index($f.bid)) != null)
          or ($f.nid != null and ($d.nids | index($f.nid)) != null)
          or ($d.offset == null and any(($f.items // [])[]; . as $n | ($d.nids | index($n)) != null));
      [$damages[] | . as $d | select(all($findings[];
          . as $f | (($d.codes | index($f.code)) == null) or (hit($d; $f) | not))) | .kind] as $missed
    | [$findings[] | select(.severity == "corrupt") | . as $f | select(all($damages[];
          . as $d | (($d.codes + $d.also | index($f.code)) == null) or (($d.all or hit($d; $f)) | not)))
      ] as $strange
    | if ($damages | length) == 0 then "no damage was planted"
      elif ($missed | length) > 0 then "missed: \($missed | join(" ")); found: \($findings)"
      elif ($strange | length) > 0 then "strange: \($strange)"
      else empty end'

# What a scan says of the structure is what check says of it, whatever its items met; but that it
# inflates what items have alone, and not those that went with a page.
corrupt_in() { jq -c 'select(.type == "finding" and .severity == "corrupt") | [.code, .offset, .bid, .length, .expected, .actual]' "$@" | sort; }
same_in_scan() {
    rm -rf "$work/scan"
    "$OSTSCAN" scan -q --all-files -o "$work/scan" "$image" || return 1
    zstdcat "$work"/scan/manifests/*.zst | corrupt_in >"$work/told"
    corrupt_in "$work/out" >"$work/checked"
    diff <(grep -v inflate_failed "$work/checked") <(grep -v inflate_failed "$work/told") &&
        [ -z "$(comm -13 "$work/checked" "$work/told")" ] &&
        { grep -q btree_page_lost "$work/checked" || diff "$work/checked" "$work/told"; }
}

found() {
    local said
    "$gen" "$@" --truth items -q -o "$image" || return 1
    "$OSTSCAN" check --deep --json --fail-on never "$image" >"$work/out" 2>"$work/err" || return 1
    said=$(grep -h -e '^{"type":"damage"' -e '^{"type":"finding"' "$image.truth.jsonl" "$work/out" | jq -rs "$judge") || return 1
    [ -z "$said" ] || { echo "$said" | cut -c 1-2000; return 1; }
    same_in_scan
}

sound() {
    "$gen" "$@" --truth none -q -o "$image" || return 1
    status 0 "$OSTSCAN" check --deep --json "$image" || return 1
    grep '^{"type":"check"' "$work/out" | jq -e '.corrupt == 0 and .complete' || { cat "$work/out"; return 1; }
}

# The kinds of damage, but those that only readers of items can notice.
kinds=$("$gen" --help | sed '1,/^Kinds of damage/d' | awk '{print $1}' |
    grep -v -E '^(heap_|bth_header|value_|row_)')

# Images in which every kind has a place; none where a kind has no meaning in that variant.
arguments() {
    args=(--format "$1" --crypt "$2" --profile tiny)
    [ "$1" != unicode4k ] || args+=(--compress "$3")
    case $1:$3:$4 in
    ansi:*:header_crc_full | *:none:block_inflate) return 1 ;;
    *:zlib:block_inflate) [ "$2" != cyclic ] || args+=(--compress force) ;; # else nothing gets smaller
    *:zlib:xblock_* | *:zlib:bbt_crosses) return 1 ;; # in compressed images there is no such place
    unicode4k:none:xblock_* | unicode4k:none:bbt_crosses) args+=(--profile deep) ;;
    esac
}

for variant in ${VARIANTS:-ansi:permute:none unicode:cyclic:none unicode4k:permute:none unicode4k:none:zlib}; do
    IFS=: read -r format crypt compress <<<"$variant"
    for ((seed = 1; seed <= ${SEEDS:-1}; seed++)); do
        for kind in $kinds; do
            arguments "$format" "$crypt" "$compress" "$kind" || continue
            check "$variant $seed: $kind" found "${args[@]}" --seed "$seed" --damage "$kind"
        done
        check "$variant $seed: none" sound "${args[@]}" --seed "$seed"
    done
done
check "many at once" found --profile mixed --items 300 --damage page_flip:2 --damage page_zero:2 \
    --damage block_flip:8 --damage block_bid:4 --damage block_inflate:4 --damage amap_flip
for seed in 2 3 5; do # most XBLOCKs of these hold nothing but full leaves
    check "a short leaf first, seed $seed" found --profile deep --compress none --seed $seed --damage xblock_leaf_size
done
finish
