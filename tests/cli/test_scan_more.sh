#!/usr/bin/env bash
# `ostscan scan`, case by case: names of manifests, states, remedies, placeholders, progress, images
# that change while they are read, file systems without direct reads.
. tests/cli/tap.sh

corpus=../shared/corpus
image=
if [ -f build/samples/enron.pst ]; then image=build/samples/enron.pst
elif [ -d $corpus ]; then image=$corpus/aspose-outlook.pst
fi

# A field of an image's or path's line in OUT/scan.jsonl; the path by its end.
field() { jq -r --arg p "$2" 'select(.path? and (.path | endswith($p))) | .'"$3" "$1/scan.jsonl"; }
# The records of a type in the manifest that scan.jsonl names for the image.
records() { zstdcat "$1/manifests/$(field "$1" "$2" manifest)" | jq -c --arg t "$3" 'select(.type == $t)'; }
scan() { "$OSTSCAN" scan -q --progress never "$@"; }

# Progress is drawn after a while only: what waits for it runs beside the rest. Elsewhere than on a
# terminal it is a plain line every five seconds.
mkdir "$work/slow"
: >"$work/slow/x.ost"
late() {
    timeout 60 bash -c 'until [ -s "$1" ]; do sleep 0.1; done' - "$work/slow.always.err"
    sleep 0.5
    echo "$work/slow/x.ost"
}
plain() {
    late |
        "$OSTSCAN" scan -q --progress "$1" -o "$work/slow.$1" --files-from - \
            >"$work/slow.$1.out" 2>"$work/slow.$1.err"
}
terminal() {
    TERM=xterm script -qec "sleep 2 | '$OSTSCAN' scan -q --progress $1 -o '$work/tty.$1' --files-from -" \
        "$work/typescript.$1" >/dev/null </dev/null
}
slow=()
for mode in always never; do
    plain $mode &
    slow+=($!)
done
if command -v script >/dev/null; then
    for mode in always never auto; do
        terminal $mode &
        slow+=($!)
    done
fi

# Names of manifests
long=$(printf 'n%.0s' {1..199})
mkdir -p "$work/names/one" "$work/names/two"
echo one >"$work/names/one/same.ost"
echo two >"$work/names/two/same.ost"
echo cut >"$work/names/${long}nnnnnn.ost"
echo cut >"$work/names/${long}é.ost"
check "a scan of images of the same name" status 0 scan -o "$work/o.names" "$work/names"
each_its_own() {
    local one two
    one=$(field "$work/o.names" one/same.ost manifest)
    two=$(field "$work/o.names" two/same.ost manifest)
    [[ $one =~ ^same\.ost-[0-9a-f]{16}\.jsonl\.zst$ && $two =~ ^same\.ost-[0-9a-f]{16}\.jsonl\.zst$ ]] &&
        [ "$one" != "$two" ] &&
        [ "$(records "$work/o.names" one/same.ost image | jq -r .path)" = "$work/names/one/same.ost" ] &&
        [ "$(records "$work/o.names" two/same.ost image | jq -r .path)" = "$work/names/two/same.ost" ]
}
check "images of the same name have a manifest each" each_its_own
name_of() { field "$work/o.names" "$1" manifest | sed -E 's/-[0-9a-f]{16}\.jsonl\.zst$//'; }
check "a long name is cut to 200 bytes" test "$(name_of nnnnnn.ost)" = "${long}n"
check "… and not within a character" test "$(name_of é.ost)" = "$long"
check "there is no other manifest" test "$(ls "$work/o.names/manifests" | wc -l)" = 4
check "the name is the same from another folder" bash -c "
    cd '$work/names/one' && '$OSTSCAN' scan -q -o '$work/o.same' same.ost ../two/same.ost &&
    [ \"\$(ls '$work/o.same/manifests')\" = \"\$(ls '$work/o.names/manifests' | grep ^same)\" ]"

# States, and the remedy in both places
damaged=(o.hurt)
"${OSTGEN:-$(dirname "$OSTSCAN")/ostgen}" --profile tiny --format unicode --damage block_flip --truth none -q -o "$work/hurt.pst"
check "a scan of an image with a damaged block" status 0 scan -o "$work/o.hurt" "$work/hurt.pst"
check "an image of which something could not be read is partial" test "$(field "$work/o.hurt" hurt.pst state)" = partial
if [ -d $corpus ]; then
    check "a scan of damaged images" status 0 scan -o "$work/o.corpus" $corpus/aspose-folders-part10.pst $corpus/damaged-header-crc.pst
    check "what libpff gives up on is read" \
        test "$(field "$work/o.corpus" part10.pst 'state, .items, .failed' | xargs)" = "ok 3 0"
    check "an image whose lost page was found again is damaged" test "$(field "$work/o.corpus" header-crc.pst state)" = damaged
    check "… and says why" bash -c '[[ "$1" == *checksum* ]]' - "$(field "$work/o.corpus" header-crc.pst reason)"
    damaged+=(o.corpus)
    check "a scan of damaged images by libpff" status 0 scan --engine libpff -o "$work/o.libpff" $corpus/aspose-folders-part10.pst $corpus/damaged-header-crc.pst
    check "an image of which libpff could not read something is partial" \
        test "$(field "$work/o.libpff" part10.pst 'state, .items, .failed' | xargs)" = "partial 3 3"
    check "an image that libpff cannot use is failed" test "$(field "$work/o.libpff" header-crc.pst state)" = failed
    damaged+=(o.libpff)
else
    skip "partial and failed images" "the corpus is not here"
fi
if have_samples; then
    mkdir "$work/cut"
    head -c 7000000 build/samples/enron.pst >"$work/cut/half.pst"
    head -c 3500000 build/samples/pstextractortest@outlook.com.ost >"$work/cut/quarter.ost"
    cp build/samples/enron.pst "$work/cut/gap.pst"
    dd if=/dev/zero of="$work/cut/gap.pst" bs=1M seek=2 count=1 conv=notrunc status=none
    cp build/samples/enron.pst "$work/cut/whole.pst"
    check "a scan of truncated images" status 0 scan -o "$work/o.cut" "$work/cut"
    check "an image without its B-trees is failed" test "$(field "$work/o.cut" half.pst 'state, .items' | xargs)" = "failed 0"
    check "an image without some of its content is partial" test "$(field "$work/o.cut" quarter.ost state)" = partial
    check "… and items are told that were read in part" test "$(field "$work/o.cut" quarter.ost partial)" -gt 0
    check "the truncation is told" test "$(field "$work/o.cut" quarter.ost reason)" = "the file is shorter than its header says"
    check "an image with a gap is partial" test "$(field "$work/o.cut" gap.pst state)" = partial
    check "… and items are told that failed" test "$(field "$work/o.cut" gap.pst failed)" -gt 0
    check "a whole image is ok" test "$(field "$work/o.cut" whole.pst 'state, .partial, .failed' | xargs)" = "ok 0 0"
    check "an image cut in half is to be repaired as a copy" test "$(field "$work/o.cut" half.pst remedy)" = repair_copy
    damaged+=(o.cut)
else
    skip "truncated images" "the samples are not here"
fi
same_remedy() {
    local out path all=
    for out in "$@"; do
        while read -r path; do
            [ "$(field "$work/$out" "$path" 'remedy, .export_first')" = "$(records "$work/$out" "$path" verdict | jq -r '.remedy, .export_first')" ] ||
                { echo "$path: $(records "$work/$out" "$path" verdict)"; return 1; }
            all+="$(field "$work/$out" "$path" remedy)"$'\n'
        done < <(jq -r 'select(.type == "image") | .path' "$work/$out/scan.jsonl")
    done
    [ "$(sort -u <<<"$all" | grep -c .)" -ge 2 ] || { echo "one remedy is no test: $all"; return 1; }
}
if [ ${#damaged[@]} -gt 0 ]; then
    check "scan.jsonl and manifest tell the same remedy" same_remedy o.names "${damaged[@]}"
else
    skip "scan.jsonl and manifest tell the same remedy" "there is no image here"
fi

# Placeholders of an archive tier: a size, but no blocks
mkdir "$work/tier"
truncate -s 1M "$work/tier/x.ost"
if [ "$(stat -c %b "$work/tier/x.ost")" = 0 ]; then
    check "a placeholder is not read" status 0 "$OSTSCAN" scan -o "$work/o.tier" "$work/tier"
    check "… but told" test "$(field "$work/o.tier" x.ost 'type, .reason' | xargs)" = "skipped placeholder"
    check "… with the way to read it" grep -q -- "x.ost: .*--recall" "$work/err"
    check "… and has no manifest" test -z "$(ls "$work/o.tier/manifests")"
    check "--recall reads it" status 0 "$OSTSCAN" scan --recall -o "$work/o.recall" "$work/tier"
    check "… as an image" test "$(field "$work/o.recall" x.ost 'type, .state, .size' | xargs)" = "image failed 1048576"
    check "… with a manifest" test "$(records "$work/o.recall" x.ost finding | jq -r .code | head -n 1)" = magic_wrong
else
    skip "placeholders" "this file system has no files without blocks"
fi

# An image that changes while it is read
changed() {
    local try writer
    mkdir -p "$work/live"
    for try in 1 2 3 4 5; do
        cp "$image" "$work/live/x.pst"
        while :; do printf x >>"$work/live/x.pst"; done &
        writer=$!
        status 0 scan -o "$work/o.live" "$work/live" || { kill $writer; return 1; }
        kill $writer
        wait $writer 2>/dev/null
        [ "$(field "$work/o.live" x.pst state)" != changed ] || return 0
    done
    echo "never seen in $try scans"
    return 1
}
if [ -n "$image" ]; then
    check "an image that changes while it is read is changed" changed
    check "… to be tried again when closed" test "$(field "$work/o.live" x.pst remedy)" = retry_closed
    check "… in the manifest too" test "$(records "$work/o.live" x.pst verdict | jq -r .remedy)" = retry_closed
    check "… with its finding" test "$(records "$work/o.live" x.pst finding | jq -r .code | grep -c changed_while_read)" = 1
else
    skip "an image that changes while it is read" "there is no image here"
fi

# --direct where it is refused. Files of the kernel's own are regular, and cannot be read directly.
refusing() {
    local f
    for f in "$@"; do
        [ -f "$f" ] && [ -r "$f" ] || continue
        dd if="$f" of=/dev/null bs=4096 count=1 iflag=direct 2>/dev/null || { echo "$f"; return; }
    done
}
refused=$(refusing /sys/kernel/notes /proc/version)
if [ -n "$refused" ]; then
    check "--direct where it is refused" status 0 "$OSTSCAN" scan --direct -o "$work/o.direct" "$refused" /proc/stat
    check "… is said once" test "$(grep -c "refuses direct reads: reading through the page cache" "$work/err")" = 1
    check "… and the file is read all the same" test "$(field "$work/o.direct" "$refused" manifest)" != null
    check "without --direct nothing is said" bash -c "
        '$OSTSCAN' scan --progress never -o '$work/o.buffered' '$refused' 2>&1 >/dev/null | grep . && exit 1 || exit 0"
else
    skip "--direct where it is refused" "no file system here refuses it"
fi

# Progress
wait "${slow[@]}"
drawn() { grep -q "images 0/0+ items 0 findings 0" "$work/typescript.$1"; }
silent() { [ -s "$work/typescript.$1" ] && ! drawn "$1"; }
if command -v script >/dev/null; then
    check "--progress always draws on a terminal" drawn always
    check "--progress never does not" silent never
    check "--progress auto is silent with -q" silent auto
else
    skip "progress on a terminal" "script(1) is not here"
fi
check "--progress always prints to standard error" \
    grep -Eqx "ostscan: 0 B/0 B 0 B/s images 0/0\+ items 0 findings 0" "$work/slow.always.err"
check "… and not to standard output" test ! -s "$work/slow.always.out"
check "--progress never prints nothing" test ! -s "$work/slow.never.err"
check "both read what came late" test "$(field "$work/slow.always" x.ost type)$(field "$work/slow.never" x.ost type)" = imageimage

# What was asked of the device stands in scan.jsonl: all that is allocated, and not much beside it.
"$OSTGEN" --profile mail --items 2000 --format unicode --truth none -q -o "$work/read.pst"
scan -o "$work/o.read" "$work/read.pst"
allocated=$(records "$work/o.read" read.pst image | jq .allocated)
check "all that is allocated was read, and at most half as much beside it" \
    jq -es --argjson allocated "$allocated" \
    'all(.timing.read | .plan > 0 and .plan + .sweep >= $allocated and .plan + .sweep + .gaps + .again <= 1.5 * $allocated)' \
    "$work/o.read/scan.jsonl"

# What is said goes into no file, though its descriptor was closed when the program began.
said_nowhere() {
    local closed=$1
    "${OSTGEN:-$(dirname "$OSTSCAN")/ostgen}" --profile tiny --truth none -q -o "$work/said.ost" || return 1
    rm -rf "$work/said"
    bash -c "'$OSTSCAN' scan -v -o '$work/said' '$work/said.ost' '$work/none.ost' $closed"
    [ $? = 3 ] && ! grep -rqaE 'said.ost: ok|ostscan: .*No such' "$work/said"/scan.j* "$work/said"/dup* &&
        status 0 "$OSTSCAN" show "$work"/said/manifests/*.zst
}
for closed in '>&-' '2>&- >/dev/null' '<&- >&- 2>&-'; do
    check "with $closed" said_nowhere "$closed"
done
finish
