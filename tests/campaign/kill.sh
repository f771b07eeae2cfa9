#!/usr/bin/env bash
# Kills a scan at random moments, over and over, each time with the same command again, and holds
# what stands in OUT at the end against a scan that nobody disturbed. Nothing may be lost, nothing
# that was finished be read again, no temporary file stay behind.
#
#   tests/campaign/kill.sh [--images 100] [--kills 200] [--jobs 2] [--seed N] [--folder DIR]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
: "${OSTSCAN:=$here/../../build/release/ostscan}" "${OSTGEN:=$here/../../build/release/ostgen}"
images=100 kills=200 jobs=2 seed=1 folder=${TMPDIR:-/tmp}
usage() { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || usage
    case $1 in
    --images) images=$2 ;;
    --kills) kills=$2 ;;
    --jobs) jobs=$2 ;;
    --seed) seed=$2 ;;
    --folder) folder=$2 ;;
    *) usage ;;
    esac
    shift 2
done
RANDOM=$seed
work=$(mktemp -d "$folder/ostscan-kill.XXXXXX")
trap 'rm -rf "$work"' EXIT
fail() { echo "kill.sh: $*" >&2; exit 1; }

mkdir "$work/images"
formats=(ansi unicode unicode4k)
for ((i = 0; i < images; i++)); do
    "$OSTGEN" --profile mail --items $((10 + i % 5 * 10)) --format "${formats[i % 3]}" --seed "$i" \
        --truth none -q -o "$work/images/$i.ost"
done
scan() { exec "$OSTSCAN" scan -q --progress never --jobs "$jobs" -o "$1" "$work/images"; }

began=$(date +%s%N)
(scan "$work/whole") || fail "the undisturbed scan failed"
took_us=$((($(date +%s%N) - began) / 1000))

# The manifests that the journal vouches for, and what file each of them is.
finished() {
    [ ! -f "$work/out/scan.journal" ] ||
        sed -nE 's/.* keep .*"manifest":"([^"]*)".*/\1/p' "$work/out/scan.journal" | sort
}
manifests() {
    [ ! -d "$work/out/manifests" ] ||
        find "$work/out/manifests" -name '*.zst' -printf '%f %i %T@\n' | sort
}

killed=0 rounds=0 in_flight=0 scanned=0
begin_round() {
    rm -rf "$work/out"
    rounds=$((rounds + 1))
}

# One run, killed after a random while: how far it came, and what it had in hand.
one_run() {
    local pid status=0 left new
    finished >"$work/finished.before"
    manifests >"$work/manifests.before"
    (scan "$work/out") &
    pid=$!
    sleep "$(printf '0.%06d' $((RANDOM * 32768 + RANDOM)) | awk -v most="$took_us" '{ print $1 * most * 0.4 / 1e6 }')"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || status=$?
    finished >"$work/finished.after"
    manifests >"$work/manifests.after"
    # A manifest that was vouched for is still the same file.
    join "$work/finished.before" "$work/manifests.before" >"$work/vouched"
    comm -23 "$work/vouched" "$work/manifests.after" | grep . && fail "a finished image was read again"
    [ -z "$(uniq -d "$work/finished.after")" ] || fail "an image was finished twice"
    [ ! -f "$work/out/scan.journal" ] || ! grep -q ' drop ' "$work/out/scan.journal" ||
        fail "a finished image was given up"
    left=$(find "$work/out" -name '.*.jsonl.zst.*.tmp' -path '*/manifests/*' 2>/dev/null | wc -l)
    new=$(comm -13 "$work/manifests.before" "$work/manifests.after" | wc -l)
    scanned=$((scanned + left + new))
    left=$((left + new - $(comm -13 "$work/finished.before" "$work/finished.after" | wc -l)))
    [ "$left" -le "$jobs" ] || fail "$left images were in hand of $jobs workers"
    in_flight=$((in_flight + left))
    [ $status != 0 ] || return 0
    killed=$((killed + 1))
    [ $status = 137 ] || fail "a scan ended with status $status"
    return 1
}

check_round() {
    "$here/same_out.sh" "$work/whole" "$work/out" || fail "the result differs from the undisturbed one"
    [ -z "$(find "$work/out" -name '*.tmp')" ] || fail "a temporary file stayed behind"
}

begin_round
while [ $killed -lt "$kills" ]; do
    if one_run; then
        check_round
        begin_round
    fi
done
# The last round is brought to its end undisturbed.
took_us=1000000000
finished >"$work/finished.before"
manifests >"$work/manifests.before"
(scan "$work/out") || fail "the last run failed"
manifests >"$work/manifests.after"
scanned=$((scanned + $(comm -13 "$work/manifests.before" "$work/manifests.after" | wc -l)))
check_round
[ $scanned -le $((images * rounds + in_flight)) ] ||
    fail "$scanned images were scanned, $((images * rounds)) are there and $in_flight were in hand"
echo "$killed kills in $rounds scans of $images images ($jobs workers, seed $seed): $scanned images" \
    "scanned, $in_flight of them in hand at a kill; every result as the undisturbed one"
