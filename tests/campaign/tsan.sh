#!/usr/bin/env bash
# The pipeline under the thread sanitizer: scan, check, dups and compare with 8 threads, over io_uring and by
# pread, sound images and damaged ones, within much memory and little. Nothing is suppressed; what the
# kernel writes into buffers, the reader tells the sanitizer (io/reader_uring.c).
#
#   tests/campaign/tsan.sh [ROUNDS [BUILD]]     1, build/tsan (./dev build tsan ostscan ostgen)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-1}
build=${2:-build/tsan}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TSAN_OPTIONS=exitcode=66:halt_on_error=0
unset TSAN_SUPPRESSIONS
fail() { echo "tsan.sh: $*" >&2; exit 1; }

# A race is seen here, and told by the exit status that is looked for.
cat >"$work/race.c" <<'END'
#include <pthread.h>
static int shared;
static void *touch(void *unused) { shared++; return unused; }
int main(void)
{
    pthread_t a, b;
    pthread_create(&a, NULL, touch, NULL);
    pthread_create(&b, NULL, touch, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return shared > 2;
}
END
${CC:-cc} -fsanitize=thread -g -o "$work/race" "$work/race.c"
status=0
"$work/race" 2>"$work/err" || status=$?
[ $status = 66 ] || fail "the sanitizer does not tell a race (status $status)"
grep -q __tsan_write_range "$build/ostscan" || fail "$build/ostscan is not built for the thread sanitizer"

runs=0
run() {
    local status=0
    "$build/ostscan" "$@" >"$work/out" 2>"$work/err" || status=$?
    runs=$((runs + 1))
    if [ $status = 66 ] || grep -q ThreadSanitizer "$work/err" || [ $status -gt 4 ]; then
        cat "$work/err" >&2
        fail "ostscan $* (status $status)"
    fi
}
for ((round = 1; round <= rounds; round++)); do
    rm -rf "$work/in" "$work"/out.*
    mkdir "$work/in"
    for format in ansi unicode unicode4k; do
        "$build/ostgen" -q --truth none --profile mixed --items 150 --format $format --fragment 60 --seed $round \
            -o "$work/in/$format.ost"
        "$build/ostgen" -q --truth none --profile mixed --items 150 --format $format --seed $round --duplicates 30 \
            --damage block_flip:3 --damage page_flip:1 --damage value_hid:2 -o "$work/in/$format.hurt.pst" --content pst
    done
    "$build/ostgen" -q --truth none --profile mixed --items 1500 --fragment 30 --seed $round -o "$work/in/large.ost"
    "$build/ostgen" -q --truth none --profile attach --items 20 --format unicode --seed $round -o "$work/in/attach.pst"
    "$build/ostgen" -q --truth none --profile attach --items 10 --fragment 30 --damage block_flip:2 --seed $round \
        -o "$work/in/attach.ost"
    head -c 32 /dev/urandom >"$work/key"
    for io in uring pread; do
        for memory in 16M 512M; do
            run scan --progress always --jobs 8 --io $io --memory $memory -o "$work/out.$io.$memory" "$work/in"
            run scan -q --jobs 8 --io $io --memory $memory -o "$work/out.$io.$memory" "$work/in"
        done
        run scan -q --jobs 2 --io $io --crosscheck 20 --redact --redact-key "$work/key" -o "$work/out.$io.x" "$work/in"
        run check --jobs 8 --io $io --deep "$work/in"
        run check --jobs 8 --io $io --json "$work/in/large.ost"
    done
    run dups --jobs 8 --memory 16M "$work/out.uring.16M"
    run dups --jobs 8 "$work/out.uring.16M" "$work/out.pread.512M"
    run compare --io uring "$(ls "$work"/out.uring.512M/manifests/unicode.ost-*)" "$work/in/unicode.hurt.pst"
done
echo "$runs runs, no race"
