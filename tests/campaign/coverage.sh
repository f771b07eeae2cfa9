#!/usr/bin/env bash
# Which lines of the program its tests and the fuzz targets reach, by clang's source-based coverage.
#
#   tests/campaign/coverage.sh [-t] [-m] [FOLDER…]
#
# Builds tests and fuzz targets with counters into build/coverage and build/coverage-fuzz, runs every
# test program, then every fuzz target over what build/fuzz/corpus holds for it (tests/campaign/fuzz.sh
# leaves that there) and RUNS (default 4000) inputs made from its seeds. A line counts that either of
# both builds has reached. Prints a table by file for each FOLDER (default scanner/ost scanner/check)
# with its sum, and the sum of all; -m also each line that was missed, -t takes the counters of the
# last run as they are. The exit status is 1 below LEAST (default 95) percent in all, or if a test
# failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
run=1 missed=0
while getopts tm option; do
    case $option in
    t) run=0 ;;
    m) missed=1 ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
folders=("$@")
[ $# -gt 0 ] || folders=(scanner/ost scanner/check)
here=$PWD/build/coverage failed=0

# What the counters are written with at a program's end, the sandbox forbids: it is left out.
run_tests() {
    rm -rf "$here/raw" && mkdir -p "$here/raw"
    LLVM_PROFILE_FILE=$here/raw/%2m.profraw ctest --test-dir build/coverage -j "$(nproc)" -E '^bench_|^test_sandbox$' \
        >"$here/test.log" 2>&1 || failed=1
    grep -E '\*\*\*(Failed|Timeout|Exception)' "$here/test.log" || true
}

run_fuzzers() {
    local target corpus
    mkdir -p "$here/made"
    for target in tests/fuzz/fuzz_*.c; do
        target=${target##*/fuzz_}
        target=${target%.c}
        rm -rf "$here/made/$target"
        mkdir -p "$here/made/$target"
        corpus=build/fuzz/corpus/$target
        [ -d "$corpus" ] || corpus=
        LLVM_PROFILE_FILE=$here/raw/fuzz-$target.profraw "build/coverage-fuzz/tests/fuzz_$target" -seed=1 \
            -runs="${RUNS:-4000}" -max_len=65536 -timeout=300 -artifact_prefix="$here/made/" \
            "$here/made/$target" ${corpus:+"$corpus"} >"$here/fuzz_$target.log" 2>&1 || {
            failed=1
            echo "fuzz_$target stopped: $here/fuzz_$target.log"
        }
    done
}

# lines OBJECTS-FOLDER PROFILE…: "FILE LINE COUNT" for each line with code of the folders.
lines() {
    local objects=() file
    for file in $1; do objects+=(-object "$file"); done
    shift
    llvm-profdata merge -sparse "$@" -o "$here/merged.profdata"
    llvm-cov export -format=lcov -instr-profile="$here/merged.profdata" "${objects[@]:1}" 2>>"$here/export.log" |
        awk -F: -v root="$PWD/" -v folders="${folders[*]}" '
            BEGIN { n = split(folders, list, " ") }
            /^SF:/ {
                file = substr($0, 4)
                if (index(file, root) == 1) file = substr(file, length(root) + 1)
                sub(/^build\/[^\/]*\/\.\.\/\.\.\//, "", file)
                of = 0
                for (i = 1; i <= n; i++) of = of || index(file, list[i] "/") == 1
            }
            of && /^DA:/ { split($2, f, ","); print file, f[1], f[2] }'
}

if [ $run = 1 ]; then
    ./dev build coverage
    ./dev build coverage-fuzz $(basename -s .c tests/fuzz/fuzz_*.c)
    run_tests
    run_fuzzers
fi
programs() { find "build/$1" -maxdepth 2 -type f -perm -u+x ! -name '*.sh' ! -name '*.so*' -not -path '*/CMakeFiles/*'; }
: >"$here/export.log"
{
    lines "$(programs coverage)" $(find "$here/raw" -name '*.profraw' ! -name 'fuzz-*')
    lines "$(programs coverage-fuzz | grep /fuzz_)" "$here"/raw/fuzz-*.profraw
} >"$here/lines"
awk -v folders="${folders[*]}" -v missed=$missed -v least="${LEAST:-95}" '
    { key = $1 " " $2; if (!(key in count)) { count[key] = 0; of[$1]++ } count[key] += $3 }
    function row(name, hit, all) { printf "%-34s %6d %6d %6.1f %%\n", name, hit, all, all ? 100 * hit / all : 100 }
    END {
        for (key in count) if (count[key]) { split(key, p, " "); hit[p[1]]++ }
        printf "%-34s %6s %6s %8s\n", "file", "hit", "lines", "share"
        n = split(folders, list, " ")
        for (i = 1; i <= n; i++) {
            sort = "sort"; h = a = 0
            for (file in of) if (index(file, list[i] "/") == 1) {
                printf "%-34s %6d %6d %6.1f %%\n", file, hit[file], of[file], 100 * hit[file] / of[file] | sort
                h += hit[file]; a += of[file]
            }
            close(sort); row(list[i], h, a); all_hit += h; all += a
        }
        row("all", all_hit, all)
        if (missed) { for (key in count) if (!count[key]) print key | "sort -k1,1 -k2,2n" }
        exit all == 0 || 100 * all_hit < least * all
    }' "$here/lines" || failed=1
exit $failed
