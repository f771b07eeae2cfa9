#!/usr/bin/env bash
# one_folder.sh ITEMS MEMORY [FOLDER]: an OST with ITEMS items in one folder, scanned within MEMORY
# (as 64M) by the formula of memory:
#
#     --memory + 64 MiB + 48 bytes a block + 32 bytes a node
#
# Each item must be read whole, with the change key, change list and time that its contents row alone
# has. FOLDER (TMPDIR, else /tmp) takes 1.7 KB an item. ostscan and ostgen: $OSTSCAN, $OSTGEN.
#
#     tests/campaign/one_folder.sh 1000000 64M
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

items=$1 memory=$2
ostscan=$(realpath "${OSTSCAN:-build/release/ostscan}")
ostgen=$(realpath "${OSTGEN:-$(dirname "$ostscan")/ostgen}")
peak=$(dirname "$ostgen")/campaign_peak
work=$(mktemp -d -p "${3:-${TMPDIR:-/tmp}}")
trap 'rm -rf "$work"' EXIT

"$ostgen" --profile notes --items "$items" --one-folder --truth none -q -o "$work/large.ost"
start=$(date +%s%N)
TMPDIR=$work "$peak" "$work/peak" "$ostscan" scan --memory "$memory" --jobs 1 -q -o "$work/out" "$work/large.ost"
milliseconds=$((($(date +%s%N) - start) / 1000000))

manifest() { zstdcat "$work"/out/manifests/*.zst; }
count() { grep -c "$@" || true; }
image=$(manifest | grep '^{"type":"image"')
blocks=$(jq .blocks <<<"$image")
nodes=$(jq .nodes <<<"$image")
most=$(($(numfmt --from=iec "$memory") + (64 << 20) + 48 * blocks + 32 * nodes))
took=$(cat "$work/peak")
whole=$(manifest | grep '^{"type":"item"' | grep '"change_key":"' | grep '"pcl":"' | grep '"modified":"' | count -v '"partial":')
verdict=$(manifest | grep '^{"type":"verdict"')

printf '%d items, %d blocks, %d nodes, %d bytes: %d ms; peak %d of %d bytes; %d items whole; remedy %s\n' \
    "$items" "$blocks" "$nodes" "$(stat -c %s "$work/large.ost")" "$milliseconds" "$took" "$most" "$whole" "$(jq -r .remedy <<<"$verdict")"
[ "$whole" = "$items" ] || { echo "not every item was read whole"; exit 1; }
[ "$took" -le "$most" ] || { echo "more memory than the formula allows"; exit 1; }
jq -e --argjson n "$items" '.remedy == "none" and .coverage.items_expected == $n and .coverage.items_read == $n' <<<"$verdict" >/dev/null ||
    { echo "the verdict is $verdict"; exit 1; }
