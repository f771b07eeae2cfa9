#!/usr/bin/env bash
# The real sample images: counts that must be met, results that must not depend on how they were
# read, manifests that notice every cut.
. tests/cli/tap.sh

if ! have_samples; then
    skip "real sample images" "they are not here; ./dev samples fetches them by npm"
    finish
    exit
fi
samples=$(realpath build/samples)

manifest() { echo "$1"/manifests/"$2"-*.jsonl.zst; }
counts() {
    zstdcat $(manifest "$work/a" "$1") | jq -r 'if .type == "item" then "item \(.assoc // false)" else "\(.type) false" end' | sort | uniq -c |
        awk '{ n[$2 " " $3] = $1 } END { print n["folder false"] "/" n["item false"] "/" n["item true"] }'
}
check "a scan of all three" status 0 "$OSTSCAN" scan -o "$work/a" --jobs 1 --io pread "$samples"
check "another, in parallel by io_uring" status 0 "$OSTSCAN" scan -o "$work/b" --jobs 4 --io uring "$samples"
check "57 folders, 183 messages, 31 associated" test "$(counts pstextractortest@outlook.com.ost)" = 57/183/31
check "53 folders, 162 messages, 17 associated" test "$(counts pstextractortestpdf@outlook.com.ost)" = 53/162/17
no_silence() {
    local f failed
    for f in "$work"/a/manifests/*.zst; do
        failed=$(zstdcat "$f" | jq -r 'select(.type == "item" and .partial and (.digest | not)) | .nid' | sort)
        [ "$failed" = "$(zstdcat "$f" | jq -r 'select(.type == "finding" and .code == "item_failed") | .nid' | sort)" ] ||
            { echo "$f: failed items without a finding"; return 1; }
    done
}
check "an item that is not handed out has its finding" no_silence
same_result() {
    local f g
    for f in "$work"/a/manifests/*.zst; do
        g=$work/b/manifests/${f##*/}
        cmp <(zstdcat "$f" | jq -c 'select(.type != "scan") | del(.scan_digest)') \
            <(zstdcat "$g" | jq -c 'select(.type != "scan") | del(.scan_digest)') || return 1
        cmp <(zstdcat "$f" | sed '1d;$d') <(zstdcat "$g" | sed '1d;$d') || return 1
    done
}
check "both scans give the same manifests" same_result
m=$(manifest "$work/a" enron.pst)
check "show reads it" status 0 "$OSTSCAN" show "$m"
check "show --json gives every line" bash -c "cmp <('$OSTSCAN' show --json '$m') <(zstdcat '$m')"
check "show --csv --type item" bash -c "
    [ \$('$OSTSCAN' show --csv --type item '$m' | wc -l) -gt \$(zstdcat '$m' | grep -c '\"type\":\"item\"') ]"
check "show into a closed pipe" bash -c "'$OSTSCAN' show '$m' 2>'$work/err2' | head -n 1 >/dev/null; [ ! -s '$work/err2' ]"
cuts_noticed() {
    local size cut
    size=$(stat -c %s "$m")
    for cut in 0 1 100 $((size / 3)) $((size / 2)) $((size - 100)) $((size - 9)) $((size - 1)); do
        head -c "$cut" "$m" >"$work/cut.zst"
        status 3 "$OSTSCAN" show "$work/cut.zst" || { echo "cut at $cut"; return 1; }
    done
}
check "a manifest cut anywhere is noticed" cuts_noticed
check "show of what is no manifest" status 3 "$OSTSCAN" show README.md
check "show of a missing file" status 3 "$OSTSCAN" show "$work/none.zst"
by_sha256() {
    status 0 "$OSTSCAN" scan --digest sha256 -o "$work/c" "$samples/pstextractortest@outlook.com.ost" &&
        zstdcat "$work"/c/manifests/*.zst | jq -s -e '
            [.[] | select(.type == "item") | .digest.exact | test("^sha256:[0-9a-f]{64}$")] |
            length > 0 and all'
}
check "--digest sha256" by_sha256
check "--direct gives the same" bash -c "
    '$OSTSCAN' scan -q --direct -o '$work/d' '$samples' &&
    for f in '$work'/a/manifests/*.zst; do
        cmp <(zstdcat \"\$f\" | sed '1d;\$d') <(zstdcat '$work'/d/manifests/\"\${f##*/}\" | sed '1d;\$d') || exit 1
    done"
libpff_counts() {
    status 0 "$OSTSCAN" scan -q --engine libpff -o "$work/n" "$samples" || return 1
    cp "$work"/n/manifests/*.zst "$work/a/manifests/"
    [ "$(counts pstextractortest@outlook.com.ost)/$(counts pstextractortestpdf@outlook.com.ost)" = 57/183/31/53/162/17 ]
}
check "libpff hands out the same items" libpff_counts
interrupted() {
    local pid got=0
    mkdir -p "$work/many"
    for i in $(seq 1 12); do cp "$samples/enron.pst" "$work/many/$i.pst"; done
    "$OSTSCAN" scan --jobs 2 -o "$work/e" "$work/many" >"$work/out" 2>"$work/err" &
    pid=$!
    until [ -n "$(ls "$work/e/manifests" 2>/dev/null)" ] || ! kill -0 $pid; do sleep 0.05; done
    kill -INT $pid
    wait $pid || got=$?
    [ $got = 130 ] || { echo "exit status $got"; return 1; }
    [ -z "$(find "$work/e" -name '*.tmp')" ] || { echo "temporary files stay"; return 1; }
    [ "$(tail -n 1 "$work/e/scan.jsonl" | jq .complete)" = false ]
}
check "Ctrl-C ends cleanly" interrupted
finish
