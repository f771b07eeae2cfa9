#!/usr/bin/env bash
# The large matrix of the differential tests: `tests/diff/run.sh [PRESET]` (release). The default
# run of the tests has images of a few dozen items and one seed; here are other seeds, images ten
# times as large (libpff's time grows with the square of the items), fragmented ones and ones with
# planted copies. Takes minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=build/${1:-release}/tests/test_diff_made
failed=0

round() {
    local result=passed
    env "$@" "$program" >"$log" 2>&1 || result=FAILED
    [ $result = passed ] || { failed=1; grep -v '^\[' "$log" | tail -n 40; }
    echo "$* $result: $(grep -m 1 'facts compared' "$log")"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for seed in 2 3 4 5; do
    round DIFF_SEED=$seed
done
round DIFF_SEED=6 DIFF_FRAGMENT=100
round DIFF_SEED=7 DIFF_DUPLICATES=20 DIFF_FRAGMENT=30
round DIFF_SEED=8 DIFF_SCALE=10
[ $failed = 0 ]
