#!/usr/bin/env bash
# Under one key compare, dups and advice say what they say of plain manifests, field by field: the same
# but for texts, ids and digests, and of these each has one other in its place, whatever says it.
. tests/cli/tap.sh

head -c 32 /dev/urandom >"$work/key"
scan() { "$OSTSCAN" scan -q --progress never "$@"; }
# Both ways: $work/p.NAME and $work/k.NAME.
scan_both() {
    local name=$1
    shift
    scan -o "$work/p.$name" "$@" && scan --redact --redact-key "$work/key" -o "$work/k.$name" "$@"
}

# A line a value: where it stands, and what it is.
flat() {
    sed "s|$work/[pk]\.|$work/|g" | jq -rc --stream 'select(length == 2) | "\(.[0] | tojson)\t\(.[1] | tojson)"'
}
# The pairs of texts are added to $work/pairs, and are one to one there at the end.
same_but_for_texts() {
    [ -s "$1" ] && cmp <(flat <"$1" | cut -f1) <(flat <"$2" | cut -f1) || return 1
    paste <(flat <"$1") <(flat <"$2") | awk -F'\t' '
        $2 == $4 { next }
        $4 ~ /hmac-/ || $4 ~ /^"((xxh3|sha256):)?[0-9a-f]+"$/ { print $2 "\t" $4; next }
        { print "other: " $0 > "/dev/stderr"; bad++ }
        END { exit bad > 0 }' >>"$work/pairs"
}
one_to_one() {
    sort -u "$work/pairs" | awk -F'\t' '
        ($1 in to) || ($2 in from) { print; bad++ }
        { to[$1] = from[$2] = 1; n++ }
        END { print n " texts"; exit bad || n < 1000 }'
}
# Members of a group that agree in `core` alone stand in the order of their digests, which a key changes.
by_place() {
    jq -sc '(reduce (.[] | select(.type == "image")) as $i ({}; .[$i.path] = length)) as $n | .[] |
        if .members then .members |= .[:1] + (.[1:] | sort_by(.tier, $n[.image], .nid, .attachment)) else . end' "$1"
}
# COMMAND ARGUMENT…: ARGUMENTs that begin with @ are below $work/p. or $work/k.
same() {
    local command=$1 side status argument arguments
    shift
    for side in p k; do
        arguments=()
        for argument; do
            case $argument in
            @*) arguments+=("$work/$side."${argument#@}) ;;
            *) arguments+=("$argument") ;;
            esac
        done
        "$OSTSCAN" $command --json "${arguments[@]}" >"$work/$side.said" 2>"$work/$side.err"
        status=$?
        [ $side = p ] && expected=$status
        [ $status = "$expected" ] || { cat "$work/$side.err"; return 1; }
    done
    [ $command != dups ] || for side in p k; do
        by_place "$work/$side.said" >"$work/$side.placed"
        mv "$work/$side.placed" "$work/$side.said"
    done
    same_but_for_texts "$work/p.said" "$work/k.said"
}
# The n-th manifests of both, in the order of discovery.
manifest() { jq -r 'select(.manifest).manifest' "$work/$1/scan.jsonl" | sed -n "$2p"; }
link_manifests() {
    local name=$1 side n
    for side in p k; do
        for ((n = 1; ; n++)); do
            [ -n "$(manifest $side.$name $n)" ] || break
            ln -s "$work/$side.$name/manifests/$(manifest $side.$name $n)" "$work/$side.$name-$n"
        done
    done
    images=$((n - 1))
}

for seed in 7 8; do
    for side in ost server; do
        "$OSTGEN" -q --profile mixed --items 200 --seed $seed --drift 40 --duplicates 20 --side $side \
            $([ $side = ost ] || echo --content pst --format unicode) -o "$work/$seed.$side.pst"
        scan_both $seed.$side "$work/$seed.$side.pst"
        link_manifests $seed.$side
    done
    check "compare, seed $seed" same compare --window 2015-01-01 @$seed.ost-1 @$seed.server-1
    check "… all of the window, and every item" same compare --window all -v @$seed.ost-1 @$seed.server-1
    check "… the other way round" same compare --window all @$seed.server-1 @$seed.ost-1
    check "… as OUT and folder" same compare @$seed.ost @$seed.server/manifests
    check "dups over both" same dups @$seed.ost @$seed.server
    check "advice" same advice @$seed.ost-1
    check "advice with the server's" same advice --server @$seed.server-1 @$seed.ost-1
done

# What advice speaks of
"$OSTGEN" -q --profile mixed --items 60 --seed 5 --damage heap_signature:2 --damage value_hid:2 \
    --damage node_parent:2 --damage header_crc -o "$work/hurt.ost"
"$OSTGEN" -q --profile mixed --items 80 --seed 6 --synced --local unsent --local logs \
    --local failures -o "$work/local.ost"
scan_both hurt "$work/hurt.ost" "$work/local.ost"
link_manifests hurt
check "two images" test "$images" = 2
check "advice of a damaged image" same advice @hurt-1
check "… with the items concerned" test "$(jq '.items | length' "$work/k.said")" -gt 3
check "advice of what only this computer has" same advice @hurt-2
check "… which must be exported" jq -e '.export_first == "required"' "$work/k.said"

if have_samples; then
    mkdir "$work/real"
    for file in build/samples/*.?st ../shared/corpus/*.?st; do
        [ ! -e "$file" ] || cp -- "$file" "$work/real"
    done
    check "real images, both ways" scan_both real "$work/real"
    link_manifests real
    check "all of them" test "$images" = "$(ls "$work/real" | wc -l)"
    check "dups over $images real images" same dups @real
    for ((n = 1; n <= images; n++)); do
        check "advice of real image $n" same advice @real-$n
        check "compare it with the next" same compare --window all -v @real-$n @real-$((n % images + 1))
    done
else
    skip "real images" "they are not here; ./dev samples fetches them by npm"
fi
check "every text has one other in its place, and no two the same" one_to_one
finish
