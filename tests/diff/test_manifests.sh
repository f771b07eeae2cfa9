#!/usr/bin/env bash
# The manifests of both engines: the real images have all their folders and items in the native
# one's, and wherever libpff reads an image whole the records of folders and items are the same.
. tests/cli/tap.sh

corpus=../shared/corpus

# record NAME ENGINE: the lines of an image's manifest.
record() { zstdcat "$work/$2/manifests/$1"-*.jsonl.zst; }
# Folders and items in the order of their nids: engines have an order of their own.
content() {
    record "$1" "$2" | jq -S -c -s '.[] | select(.type == "folder" or .type == "item")' |
        jq -c -s 'sort_by(.type, .nid)[]'
}
counts() {
    content "$1" "$2" | jq -r 'if .type == "item" then "item \(.assoc // false)" else "folder false" end' |
        awk '{ n[$0]++ } END { print n["folder false"] + 0 "/" n["item false"] + 0 "/" n["item true"] + 0 }'
}
whole() { # every item was read, and read whole
    [ "$(content "$1" native | jq -c 'select(.type == "item" and (.partial or (.digest | not)))')" = "" ]
}
sound() { # nothing is found but information, and what folders, tables and items say adds up
    record "$1" native | jq -e -s '
        ([.[] | select(.type == "finding" and .severity != "info")] | length) == 0
        and any(.[]; .type == "verdict" and .remedy == "none" and (.coverage
            | .verified == .allocated and .items_read == .items_expected and .items_failed == 0
              and .items_orphaned == 0 and .rows == .items_expected and .rows_without_item == 0))' >/dev/null
}
same() {
    content "$1" native >"$work/a"
    content "$1" libpff >"$work/b"
    [ -s "$work/a" ] && diff "$work/a" "$work/b" | cut -c 1-300 && cmp -s "$work/a" "$work/b"
}
both() {
    local engine
    for engine in native libpff; do
        "$OSTSCAN" scan -q --engine $engine -o "$work/$engine" "$@" || return 1
    done
}
# The number of messages by the list that came with the corpus, from its node B-trees.
listed() { awk -F'\t' -v f="$1" '$1 == f { print $16 }' $corpus/PROVENANCE.tsv; }
all_messages() { [ "$(content "$1" native | jq -c 'select(.type == "item" and (.assoc | not))' | wc -l)" = "$(listed "$1")" ]; }
gave_up() { record "$1" libpff | jq -e -n 'any(inputs; .type == "finding" and (.code | . == "item_failed" or . == "table_failed"))' >/dev/null; }
# All but one item, whose recipient has an empty address that libpff cannot give: that and the exact
# digest differ, no more (exceptions_real.tsv).
without_empty() {
    jq -c --argjson n "$1" 'if .nid == $n then del(.digest.exact) |
        .to |= map(if .address == "" then del(.address) else . end) else . end' "$2"
}
only_empty_of() {
    same "$1" && return 1
    diff <(without_empty "$2" "$work/a") <(without_empty "$2" "$work/b") | cut -c 1-300
    [ "${PIPESTATUS[0]}" = 0 ]
}

if have_samples; then
    ost=pstextractortest@outlook.com.ost ost2=pstextractortestpdf@outlook.com.ost
    check "both engines scan the samples" both build/samples
    for engine in native libpff; do
        check "$engine: 57 folders, 183 messages, 31 associated" test "$(counts $ost $engine)" = 57/183/31
        check "$engine: 53 folders, 162 messages, 17 associated" test "$(counts $ost2 $engine)" = 53/162/17
    done
    for image in $ost $ost2 enron.pst; do
        check "every item of $image is read whole" whole "$image"
        check "… and its ledger adds up" sound "$image"
    done
    check "the same manifests of $ost but for an empty address" only_empty_of $ost $((0x202b44))
    check "the same manifests of $ost2" same $ost2
    check "the same manifests of enron.pst" same enron.pst
else
    skip "manifests of the samples" "they are not here; ./dev samples fetches them by npm"
fi

if [ -d $corpus ]; then
    # What libpff gives up, in part (exceptions_real.tsv proves it).
    unread=" aspose-folders-part10.pst aspose-outlook-part0.pst aspose-outlook-part1.pst aspose-test-part1.pst "
    check "both engines scan the corpus" both $corpus
    for path in $corpus/*.pst $corpus/*.ost; do
        image=${path##*/}
        case $image in damaged-*) continue ;; esac
        check "every item of $image is read whole" whole "$image"
        check "… and its ledger adds up" sound "$image"
        check "every message node of $image is in the manifest" all_messages "$image"
        case $unread in
        *" $image "*) check "libpff gives up on $image, in part" gave_up "$image" ;;
        *) check "the same manifests of $image" same "$image" ;;
        esac
    done
else
    skip "manifests of the corpus" "there is none beside the project"
fi
finish
