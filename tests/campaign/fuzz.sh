#!/usr/bin/env bash
# Fuzzing under the address and undefined-behaviour sanitizers.
#
#   tests/campaign/fuzz.sh [SECONDS] [TARGET…]
#
# Builds the targets of tests/fuzz, then runs each TARGET (default: those of the node database;
# `all`: every one) for SECONDS of processor time (default 520, which is an hour for the seven), one
# process at a time. Each makes its own seeds; what leads somewhere new stays in
# build/fuzz/corpus/TARGET, and the next run goes on from there. An input that crashes, hangs or
# takes too much memory lies in build/fuzz/crashes/ with its log; then the exit status is 1. Prints
# a table, which build/fuzz/fuzz.txt keeps: a line a target, with the edges of the program covered.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-520}
[ $# = 0 ] || shift
targets=("$@")
[ $# -gt 0 ] || targets=(check plan subnode datatree block page header)
folder=build/fuzz
if [ "${targets[*]}" = all ]; then
    targets=()
    for file in tests/fuzz/fuzz_*.c; do
        file=${file##*/fuzz_}
        targets+=("${file%.c}")
    done
fi

./dev build fuzz "${targets[@]/#/fuzz_}"

# The largest input that is of use to a target.
most_bytes() {
    case $1 in
    check | native) echo 524288 ;;
    plan | block | heap | bth | pc | tc | namemap | manifest | wire) echo 65536 ;;
    *) echo 8192 ;;
    esac
}

# Slices of at most a minute until the processor time is used up; a busy machine takes longer.
fuzz() {
    local target=$1 log=$folder/fuzz_$1.log used=0 slice
    local corpus=$folder/corpus/$target TIMEFORMAT='%U %S'
    mkdir -p "$corpus" "$folder/crashes"
    : >"$log"
    while [ "$used" -lt $((seconds * 1000)) ]; do
        slice=$(((seconds * 1000 - used + 999) / 1000))
        { time "$folder/tests/fuzz_$target" -max_total_time=$((slice < 60 ? slice : 60)) \
            -max_len="$(most_bytes "$target")" -timeout=300 -rss_limit_mb=2048 -print_final_stats=1 \
            -artifact_prefix="$folder/crashes/$target-" "$corpus" >>"$log" 2>&1; } 2>"$log.time" || return 1
        # A slice counts for at least a tenth of a second, so that none can be endless.
        used=$((used + $(awk '{ ms = ($1 + $2) * 1000; print int(ms < 100 ? 100 : ms) }' "$log.time")))
        echo "cpu_ms: $used" >>"$log"
    done
}

table() {
    printf '%-10s %12s %8s %8s %8s\n' target executions cpu_s edges crashes
    local target
    for target in "${targets[@]}"; do
        awk -v target="$target" -v crashes="$(find "$folder/crashes" -name "$target-*" | wc -l)" '
            /number_of_executed_units/ { runs += $2 }
            /^cpu_ms:/ { ms = $2 }
            match($0, /cov: [0-9]+/) { edges = substr($0, RSTART + 5, RLENGTH - 5) }
            END { printf "%-10s %12.0f %8.0f %8d %8d\n", target, runs, ms / 1000, edges, crashes }' \
            "$folder/fuzz_$target.log"
    done
}

failed=0
for target in "${targets[@]}"; do
    fuzz "$target" || {
        failed=1
        echo "fuzz_$target stopped; the end of its log:"
        tail -n 40 "$folder/fuzz_$target.log"
    }
done
table | tee "$folder/fuzz.txt"
exit $failed
