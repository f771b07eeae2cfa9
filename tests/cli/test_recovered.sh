#!/usr/bin/env bash
# Images whose B-trees lost a root or a page: what is found again is read, and is what it was.
. tests/cli/tap.sh
gen=${OSTGEN:-$(dirname "$OSTSCAN")/ostgen}

# $1: folder for the scan of the image that the other arguments make
scanned() {
    local out=$1
    shift
    rm -rf "$out"
    "$gen" --profile mixed --items 200 "$@" --truth none -q -o "$out.image" &&
        status 0 "$OSTSCAN" scan -q --all-files -o "$out" "$out.image" &&
        zstdcat "$out"/manifests/*.zst >"$out.jsonl"
}

# Every item is there, whole, and the same as without the damage.
all_found() {
    local format=$1 recovered=$2
    shift 2
    scanned "$work/hurt" --format "$format" "$@" || return 1
    jq -en --argjson recovered "$recovered" --slurpfile sound "$work/$format.jsonl" --slurpfile hurt "$work/hurt.jsonl" '
        def items: [.[] | select(.type == "item")] | sort_by(.nid);
        ($sound | items) as $before | ($hurt | items) as $after
        | all($after[]; (.recovered // false) == $recovered and (.partial // .failed // false | not))
          and ($before | map([.nid, .folder, .digest, .attachments])) == ($after | map([.nid, .folder, .digest, .attachments]))
          and ([$hurt[] | select(.type == "folder") | [.nid, .path, .rows]] == [$sound[] | select(.type == "folder") | [.nid, .path, .rows]])
          and any($hurt[]; .type == "verdict" and .remedy != "none" and .coverage.items_read == ($after | length))' >/dev/null
}

# What is there is what was there.
true_as_far() {
    local format=$1
    shift
    scanned "$work/hurt" --format "$format" "$@" || return 1
    jq -en --slurpfile sound "$work/$format.jsonl" --slurpfile hurt "$work/hurt.jsonl" '
        ([$sound[] | select(.type == "item") | {key: "\(.nid)", value: .digest.exact}] | from_entries) as $was
        | [$hurt[] | select(.type == "item")] as $after
        | ($after | length) > 20
          and all($after[]; $was["\(.nid)"] != null)
          and all($after[]; .failed or .partial or .digest.exact == $was["\(.nid)"])' >/dev/null
}

for format in ansi unicode unicode4k; do
    check "$format: the image without damage" scanned "$work/$format" --format $format
    check "$format: the node B-tree without a root" all_found $format true --damage root_nbt
    check "$format: the block B-tree without one" all_found $format false --damage root_bbt
    check "$format: both without" all_found $format true --damage root_nbt --damage root_bbt
    check "$format: pages without anything" true_as_far $format --damage page_zero:4
done
finish
