#!/usr/bin/env bash
# `ostscan dups`, and the duplicate groups that a scan leaves behind.
. tests/cli/tap.sh

corpus=../shared/corpus
lines() { "$OSTSCAN" dups --json "$@" 2>/dev/null; }
of_file() { zstdcat "$1/duplicates.jsonl.zst"; }
# A manifest of the image whose file name this is.
manifest() { ls "$1"/manifests/"$2"-*.jsonl.zst; }

check "no input is wrong usage" status 2 "$OSTSCAN" dups
check "an unknown --fail-on is wrong usage" status 2 "$OSTSCAN" dups --fail-on corrupt "$work"
check "--help names every option" bash -c "
    for o in output jobs memory fail-on json csv quiet verbose; do
        '$OSTSCAN' dups --help | grep -qe \"--\$o\" || { echo \$o; exit 1; }
    done"
mkdir "$work/empty"
check "a folder without manifests" status 3 "$OSTSCAN" dups "$work/empty"
check "… is named" grep -q "empty: no manifests" "$work/err"
check "a path that does not exist" status 3 "$OSTSCAN" dups "$work/nowhere"
check "… is named" grep -q "nowhere: not used (No such file" "$work/err"

if have_samples; then
    mkdir "$work/share" "$work/share/copies"
    cp build/samples/enron.pst "$work/share/a.pst"
    cp build/samples/enron.pst "$work/share/copies/b.pst"
    check "a scan of an image and its copy" status 0 "$OSTSCAN" scan -o "$work/o" "$work/share"
    check "… says so" grep -q "duplicates 71 items in 71 groups" "$work/out"
    check "… leaves the groups" test -s "$work/o/duplicates.jsonl.zst"
    check "… whole in frames that zstd verifies" zstd -qt "$work/o/duplicates.jsonl.zst"
    check "… every line of it is JSON" bash -c "zstdcat '$work/o/duplicates.jsonl.zst' | jq -e . >/dev/null"
    all_items_are_duplicates() {
        lines "$work/o" | jq -es '
            ([.[] | select(.type == "group" and .of == "image")] |
                length == 1 and .[0].count == 2 and (.[0].members[1] | has("differs") | not)) and
            ([.[] | select(.type == "group" and .of == "item")] | length == 71 and
                all(.count == 2 and .images == 2 and .exact == 1 and .candidate and
                    (.members[0].image | endswith("/a.pst")) and (.members[0] | has("tier") | not) and
                    (.members[1].image | endswith("/copies/b.pst")) and .members[1].tier == "exact" and
                    .members[0].nid == .members[1].nid and .bytes == .members[1].size)) and
            (.[-1] | .type == "end" and .complete and .of_items.duplicates == 71)' >/dev/null
    }
    check "all items are duplicates of the copy's, the image of its copy" all_items_are_duplicates
    check "the scan's file is what dups prints" bash -c "
        cmp <(zstdcat '$work/o/duplicates.jsonl.zst') <('$OSTSCAN' dups --json '$work/o')"
    check "dups -o writes the same" bash -c "
        '$OSTSCAN' dups -q -o '$work/again.jsonl.zst' '$work/o' >/dev/null &&
        cmp <(zstdcat '$work/again.jsonl.zst') <(zstdcat '$work/o/duplicates.jsonl.zst')"
    check "jobs, memory and order change nothing" bash -c "
        cmp <('$OSTSCAN' dups --json --jobs 4 --memory 16M '$work'/o/manifests/b.pst-* '$work'/o/manifests/a.pst-*) \
            <(zstdcat '$work/o/duplicates.jsonl.zst')"
    check "the table" status 0 "$OSTSCAN" dups "$work/o"
    check "… has the pair" grep -qE "^ +71 .* $work/share/a.pst, $work/share/copies/b.pst$" "$work/out"
    check "… the kinds" grep -qE "^ +71 .* mail$" "$work/out"
    check "… the totals" grep -q "^items *71 groups, 71 duplicates (71 exact, 0 by core alone)" "$work/out"
    check "-v" status 0 "$OSTSCAN" dups -v "$work/o"
    check "… shows groups with members" bash -c "
        grep -A2 '^item (mail) \"New OBA' '$work/out' | grep -q '^  = $work/share/copies/b.pst: .*: 2097188$'"
    check "--csv has a row for each member" test \
        "$("$OSTSCAN" dups --csv "$work/o" | grep -c ',item,')" = 142
    check "--fail-on duplicate" status 4 "$OSTSCAN" dups --fail-on duplicate "$work/o"
    check "… not without one" status 0 "$OSTSCAN" dups --fail-on duplicate "$(manifest "$work/o" a.pst)"

    cp "$(manifest "$work/o" a.pst)" "$work/same.jsonl.zst"
    check "one image by two manifests is no duplicate" \
        status 0 "$OSTSCAN" dups --fail-on duplicate "$work/same.jsonl.zst" "$(manifest "$work/o" a.pst)"
    check "… and that is said" grep -q "counted once" "$work/err"
    head -c -50 "$work/same.jsonl.zst" >"$work/cut.jsonl.zst"
    check "an incomplete manifest ends with 3" \
        status 3 "$OSTSCAN" dups "$work/cut.jsonl.zst" "$(manifest "$work/o" b.pst)"
    check "… is named" grep -q "cut.jsonl.zst: incomplete" "$work/err"
    check "… and what is there of it takes part" grep -q "^items *71 groups" "$work/out"
    check "what --fail-on names wins" status 4 "$OSTSCAN" dups --fail-on duplicate \
        "$work/cut.jsonl.zst" "$(manifest "$work/o" b.pst)"

    cp build/samples/enron.pst "$work/c.pst"
    check "a later run of the same OUT" status 0 "$OSTSCAN" scan -q -o "$work/o" "$work/c.pst"
    check "… compares with the earlier ones" test \
        "$(of_file "$work/o" | jq -s '[.[] | select(.of == "item" and .count == 3)] | length')" = 71
    check "an OUT for each of two machines" bash -c "
        '$OSTSCAN' scan -q -o '$work/m1' '$work/share/a.pst' && '$OSTSCAN' scan -q -o '$work/m2' '$work/c.pst'"
    check "… gives groups across them" test \
        "$(lines "$work/m1" "$work/m2" | jq -s '[.[] | select(.of == "item")] | length')" = 71
    check "the digests of different algorithms never match" bash -c "
        '$OSTSCAN' scan -q --digest sha256 -o '$work/m3' '$work/c.pst' &&
        '$OSTSCAN' dups --fail-on duplicate '$work/m1' '$work/m3' 2>'$work/err' >/dev/null && grep -q sha256 '$work/err'"
    check "SHA-256 makes no candidates" bash -c "
        cp '$work/share/a.pst' '$work/d.pst' && '$OSTSCAN' scan -q --digest sha256 -o '$work/m3' '$work/d.pst' &&
        '$OSTSCAN' dups --json '$work/m3' | jq -es '[.[] | select(.type == \"group\")] |
            length > 71 and all(has(\"candidate\") | not)' >/dev/null"
    check "a full standard output is noticed" bash -c "'$OSTSCAN' dups '$work/o' >/dev/full 2>&1; [ \$? = 3 ]"
    check "a reader that went away is no trouble" bash -c "
        set -o pipefail; '$OSTSCAN' dups -v '$work/o' | head -n 1 >/dev/null"
    check "a file that cannot be written" status 3 "$OSTSCAN" dups -o "$work/nowhere/x" "$work/o"
    check "no temporary file is left" test -z "$(find "$work" -name '*.tmp' -o -name '.ostscan*')"
else
    skip "an image and its copy" "no sample images"
fi

if [ -d $corpus ]; then
    # One mailbox at two times, checked by hand: in each image one message lies in two folders, and
    # the later one has three more that the earlier has not.
    "$OSTSCAN" scan -q -o "$work/t" $corpus/tghanem-user1-a.pst $corpus/tghanem-user1-b.pst
    two_times() {
        of_file "$work/t" | jq -es '
            [.[] | select(.type == "group")] as $g | ($g | length) == 1 and ($g[0] |
            .of == "item" and .subject == "Test1" and .count == 4 and .exact == 3 and
            .bytes == 3 * 4735 and
            ([.members[] | [(.image | .[-5:]), .nid, .folder, .differs]] ==
                [["a.pst", 2097380, 33154, null], ["a.pst", 2097412, 33186, ["state"]],
                 ["b.pst", 2097380, 33154, null], ["b.pst", 2097412, 33186, ["state"]]])) and
            (.[-1] | .items == 7 and .assoc == 4)' >/dev/null
    }
    check "one mailbox at two times" two_times
    # A store and two parts that a tool split off it, checked by hand: nine messages were carried over
    # with changes that leave who, when and what alone. Four more were not carried over whole ("HTML
    # body" has 12 attachments in the store and 3 in the parts; embedded messages differ).
    "$OSTSCAN" scan -q -o "$work/p" $corpus/aspose-outlook.pst $corpus/aspose-outlook-part0.pst \
        $corpus/aspose-outlook-part1.pst
    parts() {
        of_file "$work/p" | jq -es '
            [.[] | select(.type == "group" and .of == "item")] |
            length == 9 and all(.count == 2 and .exact == 0 and .members[1].tier == "core")' >/dev/null
    }
    check "a store and its parts" parts
else
    skip "one mailbox at two times" "no corpus"
fi
finish
