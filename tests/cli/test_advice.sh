#!/usr/bin/env bash
# The verdict of a scan and `ostscan advice`: each remedy by an image of its own and by its neighbours
# that differ in one thing; signs of data on this computer alone; logs of synchronizing; the steps.
. tests/cli/tap.sh
gen=${OSTGEN:-$(dirname "$OSTSCAN")/ostgen}
corpus=../shared/corpus

make() { # NAME OPTION…: an image in $work/images
    local name=$1
    shift
    "$gen" -q --profile tiny --synced --truth items "$@" -o "$work/images/$name" ||
        { echo "ostgen $name"; return 1; }
    mv "$work/images/$name.truth.jsonl" "$work/truth/"
}
mkdir "$work/images" "$work/truth"
ost="--content ost --exchange"
made=0
while read -r name options; do
    # shellcheck disable=SC2086 # options are words
    make "$name" $options || made=1
done <<LIST
clean.ost $ost
clean.imap.ost --content ost
clean.pst --content pst
flag.ost $ost --damage header_amap_flag
flag.pst --content pst --damage header_amap_flag
block.ost $ost --damage block_flip
block.imap.ost --content ost --damage block_flip
block.pst --content pst --damage block_flip
row.ost $ost --damage row_missing
ghost.ost $ost --damage row_ghost
row.imap.ost --content ost --damage row_missing
row.pst --content pst --damage row_missing
page.ost $ost --damage page_flip
page.imap.ost --content ost --damage page_flip
page.pst --content pst --damage page_flip
both.ost $ost --damage page_flip --damage block_flip
header.ost $ost --damage header_crc
header.pst --content pst --damage header_crc
value.ost $ost --damage value_type
value.pst --content pst --damage value_type
rowvalue.ost $ost --damage value_type --damage row_ghost
failures.ost $ost --local failures
conflicts.ost $ost --local conflicts
unsent.ost $ost --local unsent
outbox.ost $ost --local outbox
folder.ost $ost --local folder
client-key.ost $ost --local client-key
no-key.ost $ost --local no-key
no-key.imap.ost --content ost --local no-key
unsent.imap.ost --content ost --local unsent
unsent.pst --content pst --local unsent
logs.ost $ost --local logs --seed 1
unsent.page.ost $ost --local unsent --damage page_flip
unsent.block.ost $ost --local unsent --damage block_flip
unsent.value.ost $ost --local unsent --damage value_type
LIST
check "images for every remedy" test $made = 0
check "a scan of them" status 0 "$OSTSCAN" scan --progress never -o "$work/o" "$work/images"
cp "$work/out" "$work/scan.txt"

manifest() { ls "$work"/o/manifests/"$1"-*.jsonl.zst; }
verdict() { zstdcat "$(manifest "$1")" | jq -c 'select(.type == "verdict")'; }
has_remedy() { # REMEDY IMAGE…
    local want=$1 image got
    shift
    for image; do
        got=$(verdict "$image" | jq -r .remedy)
        [ "$got" = "$want" ] || { echo "$image: $got, not $want: $(verdict "$image")"; return 1; }
        grep -q "/$image: .*; remedy $want" "$work/scan.txt" ||
            { echo "$image is not printed with $want"; return 1; }
    done
}
check "sound images, and such with a harmless finding, need nothing" has_remedy none \
    clean.ost clean.imap.ost clean.pst flag.ost flag.pst
check "damage in named folders of an Exchange OST: resync_folders" has_remedy resync_folders block.ost
check "deficits of its folders: resync_folders" has_remedy resync_folders row.ost ghost.ost
check "damage in what all folders rest on: rebuild" has_remedy rebuild page.ost header.ost both.ost
check "the same of PSTs and other accounts: repair_copy" has_remedy repair_copy \
    block.imap.ost block.pst page.imap.ost page.pst header.pst
check "what cannot be read, and nothing proves damage: unknown" has_remedy unknown \
    value.ost value.pst rowvalue.ost
check "deficits of other images prove nothing: unknown" has_remedy unknown row.imap.ost row.pst

named_folder() {
    local hit
    hit=$(jq -r 'select(.type == "damage") | .nids[0] as $n | $n' "$work/truth/row.ost.truth.jsonl")
    hit=$(jq -r --argjson n "$hit" 'select(.type == "item" and .nid == $n) | .folder' "$work/truth/row.ost.truth.jsonl")
    [ "$(verdict row.ost | jq -c '[.folders[] | {nid, orphaned, remedy}]')" = \
        "[{\"nid\":$hit,\"orphaned\":1,\"remedy\":\"resync_folders\"}]" ] || { verdict row.ost; return 1; }
}
check "the folder to be synchronized is the one that was hit" named_folder

# An image that changes while it is read, and the same one at rest
changing() {
    local try writer state
    mkdir -p "$work/live"
    for try in 1 2 3 4 5; do
        cp "$work/images/clean.ost" "$work/live/x.ost"
        while :; do printf x >>"$work/live/x.ost"; done &
        writer=$!
        status 0 "$OSTSCAN" scan -q --progress never --engine libpff -o "$work/o.live" "$work/live" ||
            { kill $writer; return 1; }
        kill $writer
        wait $writer 2>/dev/null
        state=$(jq -r 'select(.type == "image") | .remedy' "$work/o.live/scan.jsonl")
        [ "$state" != retry_closed ] || return 0
    done
    echo "never seen in $try scans: $state"
    return 1
}
check "an OST that changes while it is read: retry_closed" changing
check "… whose steps are to close Outlook and scan again" bash -c "
    [ \"\$('$OSTSCAN' advice --json '$work'/o.live/manifests/*.zst | jq -r '.steps | map(.step) | join(\" \")')\" = 'close_outlook scan_again' ]"
# In use, by what a scan said of it: there is no manifest
mkdir -p "$work/o.use/manifests"
printf '%s\n' '{"type":"image","path":"/s/held.ost","state":"in_use","reason":"it is in use","remedy":"retry_closed","export_first":"unknown"}' \
    '{"type":"image","path":"/s/gone.ost","state":"unreadable","reason":"No such file"}' \
    '{"type":"skipped","path":"/s/x","reason":"symlink"}' '{"type":"end"}' >"$work/o.use/scan.jsonl"
check "images without a manifest are in the list" status 0 "$OSTSCAN" advice --json "$work/o.use"
check "… the unreadable one first" test "$(jq -r '"\(.path) \(.remedy) \(.why)"' "$work/out" | tr '\n' '|')" = \
    "/s/gone.ost unknown No such file|/s/held.ost retry_closed it is in use|"

# Nothing that only a server can refill is ever advised of any other image, whatever damages it
every_damage() {
    local kind
    mkdir "$work/d"
    for kind in $("$gen" --help | sed -n '/^Kinds of damage/,$p' | awk 'NR > 1 { print $1 }'); do
        "$gen" -q --profile tiny --truth none --content pst --damage "$kind" -o "$work/d/$kind.pst" 2>/dev/null
        "$gen" -q --profile tiny --truth none --content ost --damage "$kind" -o "$work/d/$kind.ost" 2>/dev/null
    done
    # No place in such a small image for some.
    [ "$(ls "$work/d" | wc -l)" -gt 100 ] || { ls "$work/d"; return 1; }
    status 0 "$OSTSCAN" scan -q --progress never -o "$work/o.d" "$work/d" || return 1
    jq -r 'select(.type == "image") | .remedy' "$work/o.d/scan.jsonl" | sort | uniq -c >"$work/remedies"
    cat "$work/remedies"
    ! grep -qE "rebuild|resync_folders" "$work/remedies" && grep -q repair_copy "$work/remedies"
}
check "no damage of a PST or of another account's OST is rebuilt or resynchronized" every_damage
if [ -d $corpus ]; then
    corpus_is_safe() {
        status 0 "$OSTSCAN" scan -q --progress never -o "$work/o.corpus" $corpus || return 1
        jq -r 'select(.type == "image") | "\(.path) \(.remedy) \(.export_first)"' "$work/o.corpus/scan.jsonl" >"$work/corpus"
        ! grep -E "\.pst (rebuild|resync_folders)| nothing_found" "$work/corpus" && grep -q "damaged-.* repair_copy" "$work/corpus"
    }
    check "no real PST is rebuilt or resynchronized" corpus_is_safe
else
    skip "no real PST is rebuilt or resynchronized" "the corpus is not here"
fi
check "no scan finds that nothing needs an export" bash -c "
    ! cat '$work'/o*/scan.jsonl | grep '\"export_first\":\"nothing_found\"'"

# Signs of data on this computer alone
export_reasons() { verdict "$1" | jq -c "[.reasons[] | select(.about == \"export_first\")]"; }
has_sign() { # IMAGE STRENGTH EXPORT WORD
    local nids
    nids=$(jq -c --arg k "${1%%.*}" -s '[.[] | select(.type == "item" and .local == $k) | .nid] | sort' "$work/truth/$1.truth.jsonl")
    [ "$(jq length <<<"$nids")" = 3 ] && [ "$(verdict "$1" | jq -r .export_first)" = "$3" ] &&
        export_reasons "$1" | jq -e --argjson n "$nids" --arg s "$2" --arg w "$4" '
            length == 1 and .[0].strength == $s and .[0].count == 3 and .[0].items == $n and
            (.[0].text | contains($w)) and (.[0].folders | length) == 1' >/dev/null ||
        { verdict "$1"; return 1; }
}
check "items in Local Failures require an export" has_sign failures.ost strong required "Local Failures"
check "items in Conflicts require an export" has_sign conflicts.ost strong required Conflicts
check "unsent mail requires an export" has_sign unsent.ost strong required unsent
check "… in an OST of any account" has_sign unsent.imap.ost strong required unsent
check "other items in the Outbox are a weak sign" has_sign outbox.ost weak unknown Outbox
check "a folder of this computer is a weak sign" has_sign folder.ost weak unknown "this computer only"
check "change keys of client form are a weak sign" has_sign client-key.ost weak unknown "client form"
check "items without a change key are a weak sign" has_sign no-key.ost weak unknown "no change key"
none_found() {
    export_reasons "$1" | jq -e 'length == 1 and (.[0] | has("strength") | not) and
        (.[0].text | startswith("no sign") and contains("does not show that there is none"))' >/dev/null ||
        { verdict "$1"; return 1; }
}
check "none found is worded as that" none_found clean.ost
check "… where change keys mean nothing, too" none_found no-key.imap.ost
check "a PST is where its data are" test "$(export_reasons unsent.pst)" = "[]"
check "the scan says what to export first" grep -q "/unsent.ost: .*; export first: 3 unsent items in the Outbox" "$work/scan.txt"

# Logs of synchronizing, as text and as RTF
logged() {
    local want got
    # The logs name folders in English, as this image does not all of: Inbox is one's role only.
    want=$(jq -r 'select(.type == "item" and .local == "logs") | .nid' "$work/truth/logs.ost.truth.jsonl" | sort -n | jq -cs .)
    got=$(verdict logs.ost | jq -c '.reasons[] | select(.about == "sync")')
    jq -e --argjson n "$want" '.items == $n and .count == 3 and
        ([.errors[].count] | add) == 3 and all(.errors[]; (.code | test("^0x8[0-9a-f]{7}$")) and .first <= .last) and
        ([.errors[] | select(.code == "0x80040102" or .code == "0x8004010f")] | length) >= 1' <<<"$got" >/dev/null || { echo "$got"; return 1; }
}
check "logs are summed up by code and folder" logged
log_folder() {
    local project
    project=$(jq -r 'select(.type == "folder" and .name == "Project 1") | .nid' "$work/truth/logs.ost.truth.jsonl")
    verdict logs.ost | jq -e --argjson p "$project" 'any(.reasons[] | select(.about == "sync") | .errors[]; .folder == $p)' >/dev/null ||
        { verdict logs.ost; return 1; }
}
check "… the folder that RTF names in a font of its own, too" log_folder
check "advice tells them with their times" bash -c "
    '$OSTSCAN' advice '$(manifest logs.ost)' | grep -E '0x80[0-9a-f]{6}, 1 time, in .*, 20[12][0-9]-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}'"
check "logs are no reason for a remedy" has_remedy none logs.ost
if have_samples; then
    check "the log of a real OST is read" status 0 "$OSTSCAN" scan -q --progress never -o "$work/o.real" build/samples/pstextractortest@outlook.com.ost
    check "… its code, and its folder by name" bash -c "
        zstdcat '$work'/o.real/manifests/*.zst | jq -se '.[] | select(.type == \"verdict\").reasons[] | select(.about == \"sync\").errors |
            . == [{code: \"0x00000000\", folder: 33154, count: 1, first: \"2021-08-12T20:41:51.741Z\", last: \"2021-08-12T20:41:51.741Z\"}]'"
else
    skip "the log of a real OST is read" "the samples are not here"
fi

# What has to be downloaded again
downloads() {
    local want
    want=$(jq -cs '{items: [.[] | select(.type == "item")] | length, bytes: [.[] | select(.type == "item") | .size] | add}' "$work/truth/clean.ost.truth.jsonl")
    [ "$(verdict clean.ost | jq -c .download)" = "$want" ] || { verdict clean.ost; echo "$want"; return 1; }
    [ "$(verdict unsent.ost | jq .download.items)" = "$(jq .items <<<"$want")" ]
}
check "a rebuild downloads what the server has, not what only the computer has" downloads
check "there is none for images that no server refills" bash -c "
    ! zstdcat '$(manifest clean.imap.ost)' '$(manifest clean.pst)' | grep -q '\"download\"'"

# The steps
advice() { "$OSTSCAN" advice "$@"; }
steps() { advice --json "$(manifest "$1")" | jq -r '[.steps[].step] | join(" ")'; }
has_steps() { [ "$(steps "$1")" = "$2" ] || { echo "$1: $(steps "$1")"; return 1; }; }
check "nothing to do" has_steps clean.ost nothing
check "a sound file with unsent mail" has_steps unsent.ost export_items
check "resync" has_steps block.ost "export_or_compare clear_offline_items update_folder import_missing scan_again"
check "resync after an export" has_steps unsent.block.ost \
    "export_items export_or_compare clear_offline_items update_folder import_missing scan_again"
check "rebuild" has_steps page.ost \
    "export_or_compare close_outlook rename_old start_outlook compare_old_new import_missing keep_old"
check "rebuild after an export" has_steps unsent.page.ost \
    "export_items export_or_compare close_outlook rename_old start_outlook compare_old_new import_missing keep_old"
check "repair of a copy" has_steps page.pst "close_outlook copy_file scanpst open_copy compare_copy"
check "… of an OST that no server is known for" has_steps page.imap.ost \
    "close_outlook copy_file scanpst open_copy compare_copy not_rebuilt"
check "unknown" has_steps value.ost "scan_again change_nothing folders"
check "unknown with unsent mail" has_steps unsent.value.ost "scan_again change_nothing export_items folders"

check "advice for people" status 0 advice "$(manifest unsent.block.ost)"
for word in "remedy: resync_folders" "block_crc" "export first: required" "3 unsent items" "Clear Offline" "Outbox\|Postausgang\|envoi\|送信" "to download"; do
    check "… tells: $word" grep -q "$word" "$work/out"
done
check "… with the subject of each item" bash -c "
    jq -r 'select(.local == \"unsent\").subject' '$work/truth/unsent.block.ost.truth.jsonl' | while read -r s; do
        grep -qF \"\$s\" '$work/out' || { echo \"\$s\"; exit 1; }
    done"
check "… never that something is safe to delete" bash -c "! grep -qi 'safe to delete' '$work/out'"
check "rebuild names the file to rename" bash -c "'$OSTSCAN' advice '$(manifest page.ost)' | grep -q 'Rename the file to .old.*images/page.ost'"

# A line an image
check "advice of an OUT" status 0 advice "$work/o"
ordered() {
    awk '{ print $1 }' "$work/out" | uniq | tr '\n' ' ' >"$work/order"
    [ "$(cat "$work/order")" = "rebuild repair_copy resync_folders unknown none " ] || { cat "$work/order"; return 1; }
    [ "$(wc -l <"$work/out")" = "$(ls "$work/images" | wc -l)" ]
}
check "… the worst first" ordered
check "… what requires an export before the rest of its kind" bash -c "
    head -n 1 '$work/out' | grep -q 'unsent.page.ost: .*export first: 3 items (unsent'"
check "advice as CSV" status 0 advice --csv "$work/o"
check "… a row an image, with as many fields as titles" bash -c "
    python3 -c 'import csv, sys; r = list(csv.reader(open(sys.argv[1], newline=\"\"))); assert len(r) == $(ls "$work/images" | wc -l) + 1 and len({len(x) for x in r}) == 1 and r[0][:3] == [\"remedy\", \"export_first\", \"path\"]' '$work/out' 2>/dev/null ||
    awk -F, 'NR > 1 && NF != n { exit 1 } { n = NF }' '$work/out'"
check "advice as JSON" status 0 advice --json "$work/o"
check "… tells what the manifests tell" bash -c "
    [ \"\$(jq -r '[.path, .remedy, .export_first] | @tsv' '$work/out' | sort)\" = \
      \"\$(jq -r 'select(.type == \"image\") | [.path, .remedy, .export_first] | @tsv' '$work/o/scan.jsonl' | sort)\" ]"

# With a server: what it holds sharpens the verdict
side() { # NAME OPTION…
    local name=$1
    shift
    "$gen" -q --items 120 --seed 5 --synced --truth items "$@" -o "$work/$name"
}
server="--side server --content pst --format unicode --crypt permute"
mirror() {
    # shellcheck disable=SC2086 # options are words
    side same.ost --exchange --side ost && side same.pst $server &&
        side drift.ost --exchange --side ost --drift 30 && side drift.pst $server --drift 30 &&
        side more.ost --exchange --side ost --local unsent &&
        side hurt.ost --exchange --side ost --damage block_flip &&
        "$OSTSCAN" scan -q --progress never -o "$work/o.side" "$work"/{same,drift,more,hurt}.ost "$work"/{same,drift}.pst
}
check "both sides of a mailbox" mirror
with_server() { # IMAGE SERVER OPTION… → "remedy export_first"
    local image=$1 server=$2
    shift 2
    status 0 "$OSTSCAN" advice --json --server "$server" "$@" "$(ls "$work"/o.side/manifests/"$image"-*.jsonl.zst)" || return 1
    jq -r '"\(.remedy) \(.export_first)"' "$work/out"
}
says() { local want=$1; shift; [ "$(with_server "$@")" = "$want" ] || { cat "$work/out"; return 1; }; }
check "a full comparison without a difference finds nothing to export" says "none nothing_found" same.ost "$work/same.pst"
check "… by the server's manifest, too" says "none nothing_found" same.ost "$(ls "$work"/o.side/manifests/same.pst-*)"
check "… and its steps need none" bash -c "! jq -r '.steps[].step' '$work/out' | grep -q export"
check "unsent items of the image require it all the same" says "none required" more.ost "$work/same.pst"
check "items that could not be read whole leave it open" says "resync_folders unknown" hurt.ost "$work/same.pst"
check "what is in the OST alone requires an export, and what it lacks a resync" says "resync_folders required" drift.ost "$work/drift.pst" --window all
evidence() {
    local want got
    want=$(jq -s '[.[] | select(.type == "item" and .fate == "only_ost" and (.assoc | not)) | .nid] | sort' -c "$work/drift.ost.truth.jsonl")
    got=$(jq -c '[.reasons[] | select(.text == "items that the server lacks") | .items[]] | sort' "$work/out")
    [ "$want" = "$got" ] && [ "$want" != "[]" ] || { echo "$want"; echo "$got"; return 1; }
    jq -e '[.items[].subject] | length > 0' "$work/out" >/dev/null && jq -e '.folders | length > 0 and all(.[]; .path and .remedy == "resync_folders")' "$work/out" >/dev/null
}
check "… each such item, by name, and each folder" evidence
printf 'FolderPath,VisibleItemsInFolder\n/Inbox,1\n' >"$work/counts.csv"
check "counts alone leave it open" says "none unknown" same.ost "$work/counts.csv"
check "another OST is no server" says "none unknown" same.ost "$(ls "$work"/o.side/manifests/same.ost-*)"
check "a PST's advice does not change" says "none unknown" same.pst "$(ls "$work"/o.side/manifests/drift.pst-*)"
check "compare tells the verdict" status 0 "$OSTSCAN" compare "$(ls "$work"/o.side/manifests/same.ost-*)" "$work/same.pst"
check "… in a line" grep -q "remedy none, export first: nothing_found" "$work/out"
check "… and as a record" bash -c "'$OSTSCAN' compare --json '$(ls "$work"/o.side/manifests/drift.ost-* 2>/dev/null)' '$work/drift.pst' | jq -se '[.[] | select(.type == \"verdict\")] | length == 1 and .[0].export_first == \"required\"'"
mkdir "$work/servers"
cp "$work/same.pst" "$work/drift.pst" "$work/servers/"
check "a folder of servers' files" status 3 "$OSTSCAN" advice --csv --server "$work/servers" "$work/o.side"
check "… belongs to the images of the same name" grep -q "^none,nothing_found,.*/same.ost," "$work/out"
check "… and the others are named" grep -q "more.ost: no file of the server's belongs to it" "$work/err"

# Input that is none
head -c -10 "$(manifest page.ost)" >"$work/cut.jsonl.zst"
check "an incomplete manifest" status 3 advice "$work/cut.jsonl.zst"
check "… is said" grep -q "cut.jsonl.zst: " "$work/err"
check "… and nothing rests on it" grep -q "remedy: unknown" "$work/out"
echo hello >"$work/no"
check "no manifest" status 3 advice "$work/no"
check "… is said" grep -q "no: no manifest" "$work/err"
check "a path that does not exist" status 3 advice "$work/nowhere"
check "no path is wrong usage" status 2 advice
check "--help names every option" bash -c "
    for o in json csv quiet verbose server map window memory; do '$OSTSCAN' advice --help | grep -qe \"--\$o\" || { echo \$o; exit 1; }; done"
finish
