#!/usr/bin/env bash
# ostgen: every variant, the same bytes for the same options, and other programs that agree with
# its truth. pffexport and readpst are used where they are installed.
set -u
gen=${OSTGEN:-$(dirname "${OSTSCAN:?}")/ostgen}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0
ok() {
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else
        echo "not ok $n - $2"
        bad=1
    fi
}
bad=0

# Items in a truth file: all, and without the associated ones.
items() { grep -c '^{"type":"item"' "$1"; }
normal_items() { grep '^{"type":"item"' "$1" | grep -c '"assoc":false'; }

# Folders below the top of the personal folders: all that have a role or were made by a user.
folders_below() { grep '^{"type":"folder"' "$1" | grep -c -E '"role":"[a-z_]*","search":false|"class":"IPF.Note","search":false'; }

# Item folders that pffexport made, plus those it names as skipped.
pff_items() {
    rm -rf "$dir/pff".*
    pffexport -m all -t "$dir/pff" "$1" >"$dir/log" 2>&1 || { echo failed; return; }
    local made skipped
    made=$(cd "$dir/pff.export" && find . -regextype posix-extended -type d -regex '.*/[A-Z][A-Za-z]+[0-9]{5}' -prune -print | wc -l)
    skipped=$(grep -c '^Skipped item' "$dir/log")
    echo $((made + skipped))
}

# readpst counts a folder as an item of the folder above, and associated items, too.
readpst_items() {
    rm -rf "$dir/rp" && mkdir "$dir/rp"
    readpst -D -S -j 0 -o "$dir/rp" "$1" 2>&1 |
        awk '{ for (i = 1; i < NF; i++) { if ($i == "items" && $(i+1) ~ /^(done|skipped)/) c += $(i-1) } }
             END { print c + 0 }'
}

# What pffexport wrote (pff_items) of mails and reports, against the truth: their subjects, and the
# sizes of their attachments. It gets characters beyond U+FFFF wrong, and asks no ANSI item for its
# code page: subjects with such characters are not compared.
pff_content() {
    local plain='^[\x{01}-\x{FFFF}]*$'
    [ "$1" != ansi ] || plain='^[\x{01}-\x{7F}]*$'
    find "$dir/pff.export" -name OutlookHeaders.txt -not -path '*/Attachments/*' -exec cat {} + |
        sed -n 's/^Subject:\t*//p' | LC_ALL=C.UTF-8 grep -P "$plain" | sort >"$dir/found"
    find "$dir/pff.export" -type f -not -path '*/Attachments/*/Attachments/*' -printf '%s %P\n' |
        sed -nE 's,^([0-9]+) .*/Message[0-9]{5}/Attachments/[0-9]+_[^/]*$,\1,p' |
        sort >>"$dir/found"
    grep '^{"type":"item"' "$2" >"$dir/items"
    jq -r 'select((.assoc | not) and (.kind == "mail" or .kind == "report")) | .subject' "$dir/items" |
        LC_ALL=C.UTF-8 grep -P "$plain" | sort >"$dir/wanted"
    jq -r 'select((.assoc | not) and (.kind == "mail" or .kind == "report")) |
        .attachments[] | select(.method == 1) | .size' "$dir/items" | sort >>"$dir/wanted"
    [ "$(wc -l <"$dir/wanted")" -gt 30 ] && diff "$dir/found" "$dir/wanted" | head -n 5 >&2
    cmp -s "$dir/found" "$dir/wanted"
}

for format in ansi unicode unicode4k; do
    for crypt in none permute cyclic; do
        for content in ost pst; do
            for compress in none zlib; do
                [ $format = unicode4k ] || [ $compress = none ] || continue
                what="$format $crypt $content $compress"
                image=$dir/image
                "$gen" --format $format --crypt $crypt --content $content --compress $compress \
                    --profile tiny --libpff-safe -q -o "$image"
                ok $? "$what is written"
                cp "$image" "$dir/first"
                cp "$image.truth.jsonl" "$dir/first.truth"
                "$gen" --format $format --crypt $crypt --content $content --compress $compress \
                    --profile tiny --libpff-safe -q -o "$image"
                cmp -s "$image" "$dir/first" && cmp -s "$image.truth.jsonl" "$dir/first.truth"
                ok $? "$what: the same bytes again"
                if command -v pffexport >/dev/null; then
                    [ "$(pff_items "$image")" = "$(normal_items "$image.truth.jsonl")" ]
                    ok $? "$what: pffexport finds the items of the truth"
                fi
                if command -v readpst >/dev/null; then
                    want=$(($(items "$image.truth.jsonl") + $(folders_below "$image.truth.jsonl")))
                    [ "$(readpst_items "$image")" = "$want" ]
                    ok $? "$what: readpst finds the items of the truth"
                fi
            done
        done
    done
done

# The same bytes from every compiler: a change of what ostgen writes changes these sums on purpose.
sums='ansi 98e3cacccb9973b7
unicode e847d61eb2e4dfd7
unicode4k c4999e4e743bd3a9'
while read -r format sum; do
    "$gen" --format "$format" --compress none --content pst --profile tiny --truth none -q -o "$dir/image" &&
        [ "$(sha256sum <"$dir/image" | cut -c 1-16)" = "$sum" ]
    ok $? "$format: the bytes that every build writes"
done <<<"$sums"

image=$dir/image
"$gen" --profile tiny --seed 2 -q -o "$image" && ! cmp -s "$image" "$dir/first"
ok $? "another seed, other bytes"
for format in ansi unicode unicode4k; do
    "$gen" --format $format --crypt permute --profile mixed --items 150 --fragment 100 --libpff-safe -q -o "$image"
    ok $? "$format: all blocks permuted"
    if command -v pffexport >/dev/null; then
        [ "$(pff_items "$image")" = "$(normal_items "$image.truth.jsonl")" ]
        ok $? "$format: pffexport finds the items among permuted blocks"
        pff_content $format "$image.truth.jsonl"
        ok $? "$format: … their subjects and attachments"
    fi
    # Compressed internal blocks, which only readpst can read.
    compress=none
    [ $format != unicode4k ] || compress=force
    "$gen" --format $format --compress $compress --profile deep --content pst -q -o "$image"
    ok $? "$format: deep is written"
    if command -v readpst >/dev/null; then
        want=$(($(items "$image.truth.jsonl") + $(folders_below "$image.truth.jsonl")))
        [ "$(readpst_items "$image")" = "$want" ]
        ok $? "$format: readpst finds the items of deep"
    fi
done
if command -v pffexport >/dev/null; then
    "$gen" --format unicode --profile deep --content pst --libpff-safe -q -o "$image"
    [ "$(pff_items "$image")" = "$(normal_items "$image.truth.jsonl")" ] &&
        pff_content unicode "$image.truth.jsonl"
    ok $? "pffexport finds the items of deep, their subjects and attachments"
fi
"$gen" --format unicode --profile deep --content pst -q -o "$image"
ok $? "deep is written"
grep -q '"kind":"xxblock"' "$image.truth.jsonl" && grep -q '"kind":"siblock"' "$image.truth.jsonl"
ok $? "deep has XXBLOCKs and SIBLOCKs"

"$gen" --profile mixed --items 200 --duplicates 40 -q -o "$image"
[ "$(grep -c '"copy_of":' "$image.truth.jsonl")" -gt 50 ] && grep -q '"change":"' "$image.truth.jsonl"
ok $? "duplicates and near-duplicates are planted"
"$gen" --profile mixed --items 200 --drift 30 --side ost -q -o "$image"
"$gen" --profile mixed --items 200 --drift 30 --side server --content pst --format ansi -q -o "$dir/server"
fates() { grep -o '"position":[0-9]*\|"fate":"[a-z_]*"' "$1" | paste - - | sort; }
[ -s "$image.truth.jsonl" ] && [ "$(fates "$image.truth.jsonl")" = "$(fates "$dir/server.truth.jsonl")" ]
ok $? "both sides of a comparison agree on every item's fate"

kinds=$("$gen" --help | sed '1,/^Kinds of damage/d' | awk '{print $1}')
[ "$(echo "$kinds" | wc -l)" -gt 40 ]
ok $? "--help lists the kinds of damage"
for kind in $kinds; do
    case $kind in
    block_inflate) args=(--format unicode4k) ;;
    xblock_*) args=(--format unicode --profile attach) ;;
    *) args=(--format unicode) ;;
    esac
    "$gen" --profile mixed --items 150 "${args[@]}" --damage "$kind" -q -o "$image" &&
        [ "$(grep -c "^{\"type\":\"damage\",\"kind\":\"$kind\"" "$image.truth.jsonl")" = 1 ]
    ok $? "damage $kind is made and told"
done

"$gen" --damage nonsense -q -o "$image" 2>/dev/null
[ $? = 2 ]
ok $? "an unknown kind of damage is wrong usage"
"$gen" --format ansi --compress zlib -q -o "$image" 2>/dev/null
[ $? = 2 ]
ok $? "compression of an ANSI image is wrong usage"
"$gen" --profile tiny -q -o "$dir/no/such/folder" 2>/dev/null
[ $? = 1 ]
ok $? "a place that cannot be written is a failure"
echo "1..$n"
exit $bad
