#!/usr/bin/env bash
# `ostscan compare`: both sides of a planted mailbox, real images checked by hand, each input format.
. tests/cli/tap.sh
export TMPDIR=$work # what others leave in theirs is not our trouble

corpus=../shared/corpus
cells=tests/cli/compare
compare() { "$OSTSCAN" compare "$@" 2>"$work/err"; }
manifest() { ls "$1"/manifests/"$2"-*.jsonl.zst; }
total() { jq -s -c '.[] | select(.type == "total") | '"$1" "$2"; }

check "no input is wrong usage" status 2 "$OSTSCAN" compare
check "one side is wrong usage" status 2 "$OSTSCAN" compare "$work"
check "an unknown window is wrong usage" status 2 "$OSTSCAN" compare --window 12 a b
check "an unknown --fail-on is wrong usage" status 2 "$OSTSCAN" compare --fail-on corrupt a b
check "--help names every option" bash -c "
    for o in window map memory fail-on json csv quiet verbose engine; do
        '$OSTSCAN' compare --help | grep -qe \"--\$o\" || { echo \$o; exit 1; }
    done"

# Both sides of one mailbox: an OST and the server's mailbox as a PST of another format and cipher.
# plant NAME PROFILE ITEMS SEED DRIFT DUPLICATES OST-FORMAT SERVER-FORMAT SERVER-CRYPT
plant() {
    local common=(-q --profile "$2" --seed "$4" --drift "$5" --duplicates "$6" --truth items)
    [ "$3" = 0 ] || common+=(--items "$3")
    "$OSTGEN" "${common[@]}" --side ost --format "$7" --crypt none -o "$work/$1.ost" &&
        "$OSTGEN" "${common[@]}" --side server --format "$8" --crypt "$9" --content pst -o "$work/$1.pst" &&
        "$OSTSCAN" scan -q -o "$work/$1" "$work/$1.ost"
}
# The table of a comparison is, in every cell, the one the truth gives. NAME FROM WINDOW…
table_is_true() {
    local name=$1 from=$2
    shift 2
    compare --json "$@" "$work/$name"/manifests/*.zst "$work/$name.pst" >"$work/$name.json" || return
    jq -n -S --argjson from "$from" --slurpfile ost "$work/$name.ost.truth.jsonl" \
        --slurpfile server "$work/$name.pst.truth.jsonl" -f $cells/cells.jq >"$work/want" &&
        jq -s -S -f $cells/got.jq "$work/$name.json" >"$work/got" && diff "$work/want" "$work/got" &&
        [ "$(jq length "$work/want")" -gt 50 ]
}
# Both tables of it have the same cells. NAME
columns='["ost", "server", "same", "moved", "state_differs", "content_differs", "only_ost", "only_server", "outside_window",
    "header_only", "ambiguous", "not_comparable"] as $names | select(.type == "folder" or .type == "total") | . as $f |'
tables_agree() {
    compare -v "$work/$1"/manifests/*.zst "$work/$1.pst" --window 2015-01-01 | grep -E '^ +[0-9]+ +[0-9]' | sed -E 's/^ +//; s/ +/ /g' >"$work/got" &&
        jq -r "$columns [\$f[\$names[]], (.path // \"total\")] | map(tostring) | join(\" \")" "$work/$1.json" >"$work/want" &&
        diff "$work/want" "$work/got" &&
        compare --csv "$work/$1"/manifests/*.zst "$work/$1.pst" --window 2015-01-01 | tr -d '\r' |
        sed 1d | sed -E 's/"[^"]*"//g' | cut -d, -f 1,9-22,26- >"$work/got" &&
        jq -r "$columns [.type, \$f[\$names[:2][], \"found\", \"found_server\", \$names[2:][]], (.only_ost_bytes // 0),
            (.only_server_bytes // 0)] | map(tostring) | join(\",\")" "$work/$1.json" >"$work/want" && diff "$work/want" "$work/got"
}
for planted in "mail mail 600 5 30 0 unicode4k unicode permute" "copies mail 600 8 30 60 unicode unicode4k cyclic" \
    "mixed mixed 0 7 40 20 unicode4k unicode cyclic"; do
    name=${planted%% *}
    # shellcheck disable=SC2086
    check "plant both sides: $name" plant $planted
    check "… every cell is the truth's" table_is_true "$name" 1 --window 2015-01-01
    check "… and without a window given, but for what is older than its folder's oldest" \
        table_is_true "$name" 0
    compare --json "$work/$name"/manifests/*.zst "$work/$name.pst" --window 2015-01-01 >"$work/$name.json"
    check "… the tables for people and spreadsheets have the same cells" tables_agree "$name"
    check "… with little memory the same" bash -c "
        cmp <('$OSTSCAN' compare --memory 16M --json --window 2015-01-01 '$work/$name'/manifests/*.zst '$work/$name.pst') \
            <('$OSTSCAN' compare --json --window 2015-01-01 '$work/$name'/manifests/*.zst '$work/$name.pst')"
done
parts_are_named() {
    jq -r 'select(.fate == "content_differs" and .type == "item") |
        {subject: "headers", sender: "headers", submitted: "headers", to: "recipients", cc: "recipients",
         body: "body"}[.change] as $part | [.nid, $part] | @tsv' "$work/mail.pst.truth.jsonl" | sort >"$work/want"
    jq -r 'select(.type == "item" and .result == "content_differs") |
        [.server_nid, (.differs - ["change_key", "state", "properties"])[]] | @tsv' "$work/mail.json" | sort >"$work/got"
    [ -s "$work/want" ] && diff "$work/want" "$work/got"
}
check "what differs is named as it was changed" parts_are_named
sha256_too() {
    "$OSTSCAN" scan -q --digest sha256 -o "$work/sha" "$work/mail.ost" >/dev/null || return
    compare --json "$work"/sha/manifests/*.zst "$work/mail.pst" | jq 'select(.type == "total") | del(.statements)' >"$work/a"
    jq 'select(.type == "total") | del(.statements)' "$work/mail.json" >"$work/b"
    cmp "$work/a" "$work/b"
}
check "a server's image is scanned with the digests of the manifest" sha256_too
check "--fail-on difference" status 4 "$OSTSCAN" compare --fail-on difference "$work/mail" "$work/mail.pst"
check "the table says what the server's side is" grep -qE '^against .*/mail.pst \(an image: by change_key, search_key, message_id, core\)$' "$work/out"
check "… it has the totals" grep -qE "^ +547 +565 .* total$" "$work/out"
check "… and says which window it took" grep -q "window inferred for each folder" "$work/out"
check "… and what to export" grep -qE "^- 35 items .* export before" "$work/out"
check "nothing is called safe to delete" bash -c "! grep -qiE 'safe|may be deleted|can be deleted' '$work/out'"
check "-v lists items" bash -c "'$OSTSCAN' compare -v '$work/mail' '$work/mail.pst' | grep -qE '^content_differs +[0-9]+ .* differs: '"
check "--csv has a row a folder and the totals" bash -c "
    '$OSTSCAN' compare --csv '$work/mail' '$work/mail.pst' >'$work/csv' &&
    [ \$(grep -c ^folder, '$work/csv') = \$(jq -s '[.[] | select(.type == \"folder\")] | length' '$work/mail.json') ] &&
    grep -q ^total,.*,547,565,512,512,415, '$work/csv'"
check "no temporary file is left" test -z "$(find "$work" -maxdepth 1 -name 'ostscan-compare-*' -newer "$work/mail.pst" 2>/dev/null)"

# Before and after: the old file lacked and altered what the server has; then nothing differs.
before_and_after() {
    "$OSTGEN" -q --items 300 --seed 5 --drift 30 --side server --truth none -o "$work/new.ost" &&
        "$OSTSCAN" scan -q -o "$work/new" "$work/new.ost" >/dev/null && touch -d 2026-01-02 "$work/new.ost" &&
        cp "$work/mail.ost" "$work/outlook.ost.old" &&
        "$OSTSCAN" scan -q -o "$work/old" "$work/outlook.ost.old" >/dev/null &&
        compare --json "$work"/old/manifests/*.zst "$work"/new/manifests/*.zst >"$work/ba"
}
check "the .old file against the rebuilt OST" before_and_after
check "… the OST was the cause" bash -c "
    jq -es '.[] | select(.type == \"total\") | any(.statements[]; .word == \"cause_ost\")' '$work/ba' >/dev/null"
cp "$work/mail.ost" "$work/again.ost"
"$OSTSCAN" scan -q -o "$work/again" "$work/again.ost" >/dev/null
check "an equal one was not" bash -c "
    '$OSTSCAN' compare '$work'/mail/manifests/*.zst '$work'/again/manifests/*.zst | grep -q 'the OST was not the cause'"

# Inputs that say less. The OST's own items written as each of them: whatever is claimed is true.
items() { zstdcat "$work"/mail/manifests/*.zst | jq -c 'select(.type == "item" and (.assoc | not))'; }
graph() {
    zstdcat "$work"/mail/manifests/*.zst | jq -c 'def b64: [while(length > 0; .[2:]) | .[:2]] |
            map(explode | map(if . > 96 then . - 87 else . - 48 end) | .[0] * 16 + .[1]) |
            [_nwise(3)] | map((.[0] * 65536 + (.[1] // 0) * 256 + (.[2] // 0)) as $n | length as $l |
            [$n / 262144 | floor, ($n / 4096 | floor) % 64, ($n / 64 | floor) % 64, $n % 64] | .[:$l + 1] |
            map("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[.:. + 1]) | add + ("=" * (3 - $l) // "")) |
            add;
        if .type == "folder" and .path then {id: "f\(.nid)", displayName: .name, parentFolderId: "f\(.parent)",
            totalItemCount: .items} + (if .role == "ipm_subtree" then {wellKnownName: "msgfolderroot"} else {} end)
        elif .type == "item" then {id: "i\(.nid)", parentFolderId: "f\(.folder)", subject, isRead: (.flags % 2 == 1),
            receivedDateTime: .delivered, internetMessageId: .message_id, singleValueExtendedProperties: [
            {id: "Binary 0x300b", value: (.search_key | b64)}, {id: "Binary 0x65E2", value: (.change_key | b64)}]}
        else empty end'
}
graph >"$work/graph.jsonl"
check "Graph, JSON Lines: all the same by change key" status 0 "$OSTSCAN" compare --json "$work/mail" "$work/graph.jsonl"
check "… and whole" bash -c "jq -es '.[] | select(.type == \"total\") | .same == 547 and .whole and (.different | not)' '$work/out' >/dev/null"
{ echo '{"@odata.context":"x","value":['; sed '$!s/$/,/' "$work/graph.jsonl" | head -n 300 | sed '$s/,$//'
  echo '],"@odata.nextLink":"https://y"}{"value":['; tail -n +301 "$work/graph.jsonl" | sed '$!s/$/,/'; echo ']}'; } |
    iconv -t UTF-16 >"$work/pages.json"
check "Graph, pages in UTF-16: the same" bash -c "
    '$OSTSCAN' compare --json '$work/mail' '$work/pages.json' | jq -es '.[] | select(.type == \"total\") | .same == 547 and .whole' >/dev/null"
head -n 300 "$work/graph.jsonl" >"$work/some.jsonl"
check "Graph, some of the items: nothing is called missing in folders not listed whole" bash -c "
    '$OSTSCAN' compare --json '$work/mail' '$work/some.jsonl' | jq -es '.[] | select(.type == \"total\") |
        .only_ost == 0 and .why.not_listed > 200 and (.whole | not)' >/dev/null"
grep -v '"displayName"' "$work/graph.jsonl" >"$work/nofolders.jsonl"
check "Graph without folders: the same" bash -c "
    '$OSTSCAN' compare --json '$work/mail' '$work/nofolders.jsonl' | jq -es '.[] | select(.type == \"total\") | .same == 547' >/dev/null"
{ printf '\xEF\xBB\xBFInternet message ID;Subject/Title;Sender/Author;Received;Original path;Size\r\n'
  zstdcat "$work"/mail/manifests/*.zst | jq -r 'if .type == "folder" then empty else . end | select(.type == "item") |
    [.message_id // "", .subject // "", .from.name // "", .delivered, "u@x.com\\Top of Information Store\\Inbox", .size] |
    map(tostring | "\"" + gsub("\""; "\"\"") + "\"") | join(";")'; } | head -n 301 >"$work/ediscovery.csv"
check "eDiscovery: found, and no more said than it says" bash -c "
    '$OSTSCAN' compare --json '$work/mail' '$work/ediscovery.csv' | jq -es '.[] | select(.type == \"total\") |
        .found == 300 and .same == 0 and .content_differs == 0 and .why.shallow + .moved == 300 and
        .only_ost + .why.not_listed == 247' >/dev/null"
{ echo '#TYPE Selected.x'; echo '"Name","FolderPath","FolderType","VisibleItemsInFolder","FolderSize"'
  zstdcat "$work"/mail/manifests/*.zst | jq -r 'select(.type == "folder" and .path and (.path | test("IPM_SUBTREE/"))) |
    [.name, "/" + (.path | sub(".*IPM_SUBTREE/"; "") | gsub("%2F"; "\uF8FF") | gsub("%25"; "%")), "User Created",
     (if .role == "inbox" then .items - 3 elif .role == "sent" then .items + 5 else .items end | tostring), "1 KB (1,024 bytes)"] | @csv'; } >"$work/statistics.csv"
check "folder statistics: counts alone call no item anything" status 4 "$OSTSCAN" compare --json --fail-on difference "$work/mail" "$work/statistics.csv"
check "… a surplus is one, a deficit may be the window's" bash -c "jq -es '
    (.[] | select(.type == \"total\") | .not_comparable == 547 and .only_ost == 0 and .only_server == 0) and
    ([.[] | select(.type == \"folder\" and .surplus)] | length == 1 and .[0].surplus == 3 and .[0].path == \"Inbox\") and
    ([.[] | select(.type == \"folder\" and .deficit)] | length == 0)' '$work/out' >/dev/null"
check "… unless the window is all" bash -c "
    '$OSTSCAN' compare --json --window all '$work/mail' '$work/statistics.csv' |
    jq -es '[.[] | select(.type == \"folder\" and .deficit)] | length == 1 and .[0].deficit == 5' >/dev/null"

# What is none of them, and what is broken.
echo "hello, world" >"$work/none.csv"
check "a file that is none of them ends with 3" status 3 "$OSTSCAN" compare "$work/mail" "$work/none.csv"
check "… and is told what is accepted" grep -q "none.csv: not the server's side .*Get-MailboxFolderStatistics.*Graph.*eDiscovery" "$work/err"
echo "FolderPath,Name" >"$work/lacking.csv"
check "a missing column is named" bash -c "'$OSTSCAN' compare '$work/mail' '$work/lacking.csv' 2>&1 | grep -q 'a column is missing: VisibleItemsInFolder or ItemsInFolder'"
echo '[{"a":1}]' >"$work/other.json"
check "JSON of something else" status 3 "$OSTSCAN" compare "$work/mail" "$work/other.json"
check "… is named" grep -q "other.json: nothing in it can be compared" "$work/err"
check "a path that does not exist" status 3 "$OSTSCAN" compare "$work/mail" "$work/nowhere"
head -c -50 "$work"/again/manifests/*.zst >"$work/cut.jsonl.zst"
check "a server's manifest cut short ends with 3" status 3 "$OSTSCAN" compare "$work/mail" "$work/cut.jsonl.zst"
check "… and proves nothing missing" grep -q "the server's input is not complete" "$work/out"
head -c 300000 "$work/mail.pst" >"$work/cut.pst"
check "a damaged PST proves nothing missing" bash -c "
    '$OSTSCAN' compare --json '$work/mail' '$work/cut.pst' 2>/dev/null | jq -es 'all(.[] | select(.type == \"total\"); .only_ost == 0)' >/dev/null"
check "a full standard output is noticed" bash -c "'$OSTSCAN' compare '$work/mail' '$work/graph.jsonl' >/dev/full 2>&1; [ \$? = 3 ]"

# A folder of files against all images of a scan.
mkdir "$work/nothing"
check "a folder of the server's without a file ends with 3" status 3 "$OSTSCAN" compare --json --fail-on difference "$work/mail" "$work/nothing"
check "… and each image is named as compared with none" bash -c "
    grep -q 'mail.ost: no file of the server' '$work/err' &&
    jq -es 'any(.[]; .type == \"unmatched\" and (.image | endswith(\"mail.ost\"))) and .[-1].complete == false' '$work/out' >/dev/null"
mkdir "$work/share" "$work/files"
cp "$work/mail.ost" "$work/share/ann@x.com.ost"
"$OSTGEN" -q --items 50 --seed 77 --truth none -o "$work/share/bob.ost"
"$OSTGEN" -q --items 50 --seed 77 --truth none --content pst -o "$work/files/mailbox-2.pst"
"$OSTGEN" -q --items 20 --seed 78 --truth none -o "$work/share/carol.ost"
cp "$work/graph.jsonl" "$work/files/Ann@X.com.jsonl"
cp "$work/statistics.csv" "$work/files/dave.csv"
"$OSTSCAN" scan -q -o "$work/fleet" "$work/share" >/dev/null
check "files are matched to images" status 3 "$OSTSCAN" compare --json "$work/fleet" "$work/files"
check "… by name" bash -c "jq -es '[.[] | select(.type == \"image\")] | length == 1 and (.[0].server.file | endswith(\"Ann@X.com.jsonl\"))' '$work/out' >/dev/null"
check "… and those that match nothing are named" bash -c "
    [ \$(jq -s '[.[] | select(.type == \"unmatched\")] | length' '$work/out') = 4 ] && grep -q 'dave.csv: belongs to none' '$work/err' &&
    grep -q 'carol.ost: no file' '$work/err'"
printf 'image;server\r\nbob.ost;mailbox-2.pst\r\n' >"$work/files/map.csv"
check "… by a mapping among them" bash -c "
    '$OSTSCAN' compare --json '$work/fleet' '$work/files' 2>/dev/null | jq -es '[.[] | select(.type == \"image\")] | length == 2' >/dev/null"
mv "$work/files/map.csv" "$work/map.csv"
check "… or one given" bash -c "
    '$OSTSCAN' compare --map '$work/map.csv' --json '$work/fleet' '$work/files' 2>/dev/null | jq -es '[.[] | select(.type == \"image\")] | length == 2' >/dev/null"

printf 'image,server\nbob.ost,mailbox-3.pst\n' >"$work/wrong.csv"
check "a mapping to a file that is not there is said" bash -c "
    '$OSTSCAN' compare --map '$work/wrong.csv' '$work/fleet' '$work/files' 2>&1 | grep -q 'bob.ost: the file that is mapped to it is not among'"

# By the mailbox's address, which is the name of the image's store (as ostgen names it)
mkdir "$work/named"
cp "$work/mail.ost" "$work/share/by-store.ost"
rm "$work"/share/ann@x.com.ost "$work"/share/bob.ost "$work"/share/carol.ost
"$OSTSCAN" scan -q -o "$work/stores" "$work/share/by-store.ost" >/dev/null
cp "$work/graph.jsonl" "$work/named/Owner@Contoso.com.jsonl"
check "… or by the name of the store" bash -c "
    '$OSTSCAN' compare --json '$work/stores' '$work/named' | jq -es '[.[] | select(.type == \"image\")] | length == 1' >/dev/null"
cp "$work/statistics.csv" "$work/named/owner@contoso.com.csv"
check "two files for one image are none" status 3 "$OSTSCAN" compare --json "$work/stores" "$work/named"
check "… and that is said" grep -q "by-store.ost: several of the server's files could be its: see --map" "$work/err"

if [ -d $corpus ]; then
    # One mailbox at two times, by hand: the later one has three more messages in two folders that the
    # earlier has not; the two that both have are untouched.
    "$OSTSCAN" scan -q -o "$work/t" $corpus/tghanem-user1-a.pst $corpus/tghanem-user1-b.pst >/dev/null
    two_times() {
        compare --json "$(manifest "$work/t" tghanem-user1-a.pst)" $corpus/tghanem-user1-b.pst | jq -es '
            ([.[] | select(.type == "item")] | map([.result, .server_nid, .folder, .subject]) | sort) ==
                [["only_server", 2097476, "FolderWithMessagesWithAttachments", "TestWithTextFileAttachment"],
                 ["only_server", 2097572, "FolderWithMessagesWithAttachments", "TestWithEmbeddedMessage"],
                 ["only_server", 2097668, "FolderWithSampleMessages", "TestWithBodyOf4KCharacters"]] and
            (.[] | select(.type == "total") | .same == 2 and .ost == 2 and .server == 5 and .whole)' >/dev/null
    }
    check "one mailbox at two times" two_times
    other_way() {
        compare --json "$(manifest "$work/t" tghanem-user1-b.pst)" $corpus/tghanem-user1-a.pst | jq -es '
            .[] | select(.type == "total") | .same == 2 and .only_ost == 3 and .only_server == 0' >/dev/null
    }
    check "… the other way round" other_way
    # A store and two parts that a tool split off it, by hand: 13 of its 16 visible messages were carried
    # over, all marked unread, with properties changed; of four an attachment differs (an embedded
    # message, or 9 of 12 attachments lost); "Multiple attachments" was sent, but not carried over, nor
    # were the appointment and the contact. The free/busy data are no part of a mailbox.
    "$OSTSCAN" scan --engine native -q -o "$work/p" $corpus/aspose-outlook.pst >/dev/null
    for n in 0 1; do
        compare --engine native --json "$work"/p/manifests/*.zst $corpus/aspose-outlook-part$n.pst >"$work/part$n"
    done
    parts() {
        jq -es '[.[] | select(.type == "total") | [.ost, .server, .found, .content_differs, .only_ost, .not_comparable]] ==
                [[17, 2, 2, 2, 14, 1], [17, 11, 11, 11, 5, 1]] and
            ([.[] | select(.result == "content_differs")] | length == 13 and
                ([.[] | select(.differs | index("attachments")) | .subject] | sort) ==
                    ["HTML body", "HTML body", "this message contains embedded MSG", "this message contains embedded MSG"] and
                all(.[]; .differs | index("state")) and
                ([.[] | .differs - ["state", "attachments", "properties"]] | unique) == [[]]) and
            ([.[] | select(.why == "hidden_folder") | .subject] | unique) == ["LocalFreebusy"]' \
            "$work/part0" "$work/part1" >/dev/null &&
            diff <(jq -r 'select(.result == "only_ost") | .nid' "$work/part0" | sort) \
                <(jq -r 'select(.result == "only_ost") | .nid' "$work/part1" | sort) | wc -l >"$work/n" &&
            [ "$(comm -12 <(jq -r 'select(.result == "only_ost") | .nid' "$work/part0" | sort) \
                <(jq -r 'select(.result == "only_ost") | .nid' "$work/part1" | sort) | tr '\n' ' ')" = "2097444 2097796 2097860 " ]
    }
    check "a store and its two parts" parts
else
    skip "real images" "../shared/corpus is not here"
fi
finish
