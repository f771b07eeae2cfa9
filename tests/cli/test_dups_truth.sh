#!/usr/bin/env bash
# `ostscan dups` over a mailbox in four images that differ in format, cipher and kind, and another one,
# with duplicates planted, and near-duplicates that differ in one field: what it says is, in every
# cell, what the truth files give (tests/cli/dups/want.jq).
. tests/cli/tap.sh
gen=${OSTGEN:-$(dirname "$OSTSCAN")/ostgen}
cells=tests/cli/dups

# plant FILE OPTION…
plant() {
    local file=$1
    shift
    "$gen" -q --profile tiny --truth items "$@" -o "$work/share/$file"
}
plant_all() {
    mkdir "$work/share"
    plant a.ost --seed 183 --items 500 --duplicates 60 --format unicode --crypt permute &&
        plant b.pst --seed 183 --items 250 --duplicates 30 --format unicode4k --crypt cyclic --content pst &&
        plant c.ost --seed 183 --items 500 --duplicates 60 --format unicode4k --crypt none &&
        plant d.pst --seed 183 --items 500 --duplicates 60 --format unicode --content pst &&
        plant e.ost --seed 135 --items 500 --duplicates 60 # has what could belong to either of two Message-IDs
}
truth() {
    local image
    for image in "$work"/share/?.???; do
        jq -c --arg path "$image" --argjson bytes "$(stat -c %s "$image")" \
            --argjson seed "$(jq 'select(.type == "truth") | .seed' "$image.truth.jsonl")" \
            'select(.type == "item" or .type == "folder") | .path = $path | .bytes = $bytes |
                if .content then .content += $seed * 1000000 else . end' "$image.truth.jsonl"
    done
}
check "two mailboxes in five images" plant_all
check "… is scanned" status 0 "$OSTSCAN" scan -q -o "$work/o" "$work"/share/?.???
truth >"$work/truth"
check "the truth gives a table" bash -c "jq -n -f $cells/want.jq '$work/truth' >'$work/want'"

# Each field changed alone, and each contradiction and tier that there is: else this shows little.
planted() {
    [ "$(jq -r '.change // empty' "$work/truth" | sort -u | wc -l)" = 15 ] &&
        jq -e '[.[] | select(.type == "group") | .members[]] |
            ([.[].differs // [] | .[]] | unique) == ["bcc", "class", "folders", "html", "message_id", "name", "rtf",
                "search_key", "state", "text"] and ([.[].tier] | unique) == [null, "core", "exact"]' "$work/want" &&
        jq -e '[.[] | .of // empty] | unique == ["attachment", "image", "item"]' "$work/want" &&
        jq -s -e '[.[] | select(.type == "item" and .kind == "mail" and ([.text, .html, .rtf, .subject] | map(. == null) ==
            [true, true, true, false]))] | group_by(.content) | any(.[]; (map(.message_id) | unique | length > 2) and
            any(.[]; .message_id == null))' "$work/truth" &&
        jq -e '.[-1] | .counts.group > 250 and .counts.kind == 13 and .of_items.duplicates - .of_items.exact > 20' "$work/want"
}
check "… with every change, contradiction and tier" planted

json_is_true() {
    "$OSTSCAN" dups --json "$@" "$work/o" | jq -s -S -f $cells/got.jq >"$work/got" &&
        diff <(jq -S . "$work/want") "$work/got"
}
check "dups --json: every cell is the truth's" json_is_true
check "… by one thread in little memory too" json_is_true --jobs 1 --memory 16M
csv_is_true() {
    "$OSTSCAN" dups --csv "$work/o" | tr -d '\r' | sed '1d; s/,[^,]*$//' | sort >"$work/got" &&
        diff <(jq -r -f $cells/rows.jq "$work/want" | sort) "$work/got"
}
check "dups --csv: every cell is the truth's" csv_is_true
table_is_true() {
    "$OSTSCAN" dups -v "$work/o" | grep -vE '^$|^by ' | sed -E 's/^ +//; s/  +/ /g' | sort >"$work/got" &&
        diff <(jq -r -f $cells/table.jq "$work/want" | sed -E 's/  +/ /g' | sort) "$work/got"
}
check "dups -v: every cell is the truth's" table_is_true
finish
