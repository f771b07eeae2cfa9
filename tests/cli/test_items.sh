#!/usr/bin/env bash
# Damage that only readers of items notice (heaps, properties, rows; tests/gen/DAMAGE.md): each kind
# in each format is found where it is, the item that it hit is partial, failed or orphaned, and every
# other item is the same as without the damage.
. tests/cli/tap.sh
gen=${OSTGEN:-$(dirname "$OSTSCAN")/ostgen}

# $1: folder for the scan of the image that the other arguments make
scanned() {
    local out=$1
    shift
    "$gen" --profile tiny --crypt permute "$@" --truth items -q -o "$out.image" &&
        status 0 "$OSTSCAN" scan -q --all-files -o "$out" "$out.image" &&
        zstdcat "$out"/manifests/*.zst >"$out.jsonl"
}

# [damages of the truth, items without and with the damage, findings, verdict] → what is wrong
judge='
    def hit($d): .nid as $n | ($d.nids | index($n)) != null;
    ($damage[0]) as $d
    | [$sound[] | select(.type == "item")] as $before
    | [$hurt[] | select(.type == "item")] as $after
    | [$hurt[] | select(.type == "finding") | .code as $c | select(($d.codes | index($c)) and hit($d))] as $told
    | [$hurt[] | select(.type == "verdict")][0] as $verdict
    | ([$hurt[] | select(.type == "folder") | .rows // 0] | add) as $rows
    | ([$sound[] | select(.type == "folder") | .rows // 0] | add) as $rows_before
    | [$after[] | select(hit($d))] as $theirs
    | def told_in_damage: any(.damage[]?; .code as $c | $d.codes | index($c));
      if ($damage | length) != 1 then "\($damage | length) damages"
      elif ($told | length) == 0 then "not told: \([$hurt[] | select(.type == "finding") | {code, nid}])"
      elif [$before[] | select(hit($d) | not)] != [$after[] | select(hit($d) | not)] then "another item changed"
      elif [$before[].nid] != [$after[].nid] then "other items"
      elif $kind == "row_ghost" then
          if ($theirs | length) == 0 and $rows == $rows_before + 1 and $before == $after then empty
          else "rows \($rows_before), then \($rows)" end
      elif $kind == "row_twice" then
          if $rows == $rows_before + 1 and $before == $after then empty
          else "rows \($rows_before), then \($rows)" end
      elif ($theirs | length) != 1 then "\($theirs | length) items hit"
      elif $kind == "row_missing" then
          if $theirs[0].orphan and ($theirs[0].partial | not) and $rows == $rows_before - 1
              and $theirs[0].digest == ([$before[] | select(hit($d))][0].digest) then empty
          else "row_missing: \($theirs)" end
      elif $kind | startswith("value_") then
          if $theirs[0].partial and ($theirs[0] | told_in_damage) and $theirs[0].class == ([$before[] | select(hit($d))][0].class)
          then empty else "not partial: \($theirs)" end
      elif $theirs[0].failed or ($theirs[0].partial and ($theirs[0] | told_in_damage)) then empty
      else "neither partial nor failed: \($theirs)" end
    , if $verdict.remedy != "none" then empty else "remedy none" end
    , $verdict.coverage as $c
    | (if $kind == "row_twice" then 1 else 0 end) as $more
    | if $c.items_expected - $c.items_orphaned + $more == $c.rows - $c.rows_without_item
          and $c.items_expected == $c.items_read + $c.items_failed and $c.rows == ($rows + ([$hurt[] | select(.type == "folder") | .assoc_rows // 0] | add))
          and $c.items_orphaned == (if $kind == "row_missing" then 1 else 0 end)
          and $c.rows_without_item == (if $kind == "row_ghost" then 1 else 0 end) then empty
      else "the ledger does not add up: \($c)" end'

found() {
    local format=$1 kind=$2 said
    scanned "$work/hurt" --format "$format" --damage "$kind" || return 1
    said=$(jq -rn --arg kind "$kind" --slurpfile damage <(grep '^{"type":"damage"' "$work/hurt.image.truth.jsonl") \
        --slurpfile sound "$work/$format.jsonl" --slurpfile hurt "$work/hurt.jsonl" "$judge") || return 1
    [ -z "$said" ] || { echo "$said" | cut -c 1-1500; return 1; }
}

kinds=$("$gen" --help | sed '1,/^Kinds of damage/d' | awk '{print $1}' | grep -E '^(heap_|bth_header|value_|row_)')
check "there are kinds to be planted" test "$(wc -w <<<"$kinds")" -ge 10
for format in ansi unicode unicode4k; do
    check "$format: the image without damage" scanned "$work/$format" --format $format
    check "$format: … is sound" jq -es '[.[] | select(.type == "finding" and .severity != "info")] | length == 0' "$work/$format.jsonl"
    for kind in $kinds; do
        check "$format: $kind" found $format "$kind"
    done
done
finish
