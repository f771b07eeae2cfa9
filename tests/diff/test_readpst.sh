#!/usr/bin/env bash
# A third witness, readpst: how many items and folders each folder holds (normal and associated
# ones together, below the top of the folders of mail, which is where readpst begins), and the
# bytes of all attachments of the items that are no associated ones.
#
# Where it differs stands in exceptions_readpst.tsv: image, what, which, ours, its, why. A line of
# it that no image gives any more fails like one that is missing.
. tests/cli/tap.sh
: "${OSTGEN:?the generator}"

exceptions=tests/diff/exceptions_readpst.tsv

# How many folders and items each folder that has any holds, by name. Bytes beyond ASCII are left
# out, for readpst prints names in the code page of the image.
names() { LC_ALL=C tr -cd '\11\12\40-\176' | LC_ALL=C sort; }
our_folders() {
    jq -rs 'map(select(.type == "folder")) |
        (map(select(.role == "ipm_subtree")) | .[0].nid) as $top |
        (map({key: (.nid | tostring), value: .parent}) | from_entries) as $up |
        (group_by(.parent) | map({key: (.[0].parent | tostring), value: length}) | from_entries) as $below |
        def inside: . == $top or (. != null and . != $up[tostring] and ($up[tostring] | inside));
        .[] | select(.nid | inside) |
        (.items + .assoc + ($below[.nid | tostring] // 0)) as $n | select($n > 0) |
        (if .nid == $top then "(top)" else .name end) + "\t" + ($n | tostring)' "$1" | names
}
its_folders() {
    sed -nE 's/^\t"(.*)" - ([0-9]+) items done, ([0-9]+) items skipped\.$/\1\t\2\t\3/p' "$1" |
        awk -F'\t' -v OFS='\t' '{ n[NR] = $1; c[NR] = $2 + $3 }
            END { n[NR] = "(top)"; for (i = 1; i <= NR; i++) if (c[i]) print n[i], c[i] }' | names
}
# Digests of bytes, each with how many attachments have it.
tally() { sort | uniq -c | awk -v OFS='\t' '{ print $2, $1 }'; }
our_attachments() {
    jq -r 'select(.type == "item" and (.assoc | not)) | .attachments[]? | .digest // empty | .[7:23]' "$1" | tally
}
its_attachments() {
    find "$1" -type f ! -regex '.*/[0-9]+\(\.[a-z]+\)*' -print0 | xargs -0r sha256sum |
        sed 's/^\\//' | cut -c 1-16 | tally
}
# Keys with a value in each file: those whose values differ. A name may stand there several times.
differences() {
    awk -F'\t' -v OFS='\t' -v what="$1" -v image="$2" '
        NR == FNR { a[$1] = a[$1] (a[$1] ? "," : "") $2; next }
        { b[$1] = b[$1] (b[$1] ? "," : "") $2 }
        END {
            for (k in a) if (!(k in b)) print image, what, k, a[k], "-"
                         else if (a[k] != b[k]) print image, what, k, a[k], b[k]
            for (k in b) if (!(k in a)) print image, what, k, "-", b[k]
        }' "$3" "$4"
}

# witness NAME IMAGE: appends what differs.
witness() {
    local name=$1 image=$2 out=$work/readpst code=0
    rm -rf "$out" "$work/scan"
    mkdir "$out"
    timeout 60 readpst -b -j 0 -D -S -o "$out" "$image" >"$work/readpst.log" 2>&1 || code=$?
    "$OSTSCAN" scan -q --all-files --engine native --digest sha256 -o "$work/scan" "$image" || return 1
    zstdcat "$work"/scan/manifests/*.zst >"$work/manifest" 2>/dev/null || : >"$work/manifest"
    images=$((images + 1))
    if [ "$code" != 0 ]; then
        printf '%s\t%s\t-\t-\t%s\n' "$name" status "$code" >>"$work/differences"
        return
    fi
    our_folders "$work/manifest" >"$work/a"
    its_folders "$work/readpst.log" >"$work/b"
    differences folder "$name" "$work/a" "$work/b" >>"$work/differences"
    compared=$((compared + $(wc -l <"$work/a")))
    our_attachments "$work/manifest" >"$work/a"
    its_attachments "$out" >"$work/b"
    differences attachment "$name" "$work/a" "$work/b" >>"$work/differences"
    bytes=$((bytes + $(awk '{ n += $2 } END { print n + 0 }' "$work/a")))
}

# made NAME OPTION…: an image of ostgen.
made() {
    local name=$1
    shift
    "$OSTGEN" -q --truth none --libpff-safe "$@" -o "$work/$name.pst" && witness "$name" "$work/$name.pst"
    rm -f "$work/$name.pst"
}

if ! command -v readpst >/dev/null; then
    skip "readpst as a witness" "it is not here (package pst-utils)"
    finish
    exit
fi
images=0 compared=0 bytes=0 absent=
: >"$work/differences"
for image in build/samples/*.ost build/samples/*.pst ../shared/corpus/*.ost ../shared/corpus/*.pst; do
    [ ! -f "$image" ] || check "readpst and we read ${image##*/}" witness "${image##*/}" "$image"
done
have_samples || { skip "the samples" "they are not here; ./dev samples fetches them by npm"; absent=1; }
[ -d ../shared/corpus ] || { skip "the corpus" "there is none beside the project"; absent=1; }
for profile in tiny mixed; do
    for variant in "ansi none" "unicode permute" "unicode cyclic" "unicode4k none"; do
        name=$profile-${variant/ /-}
        check "readpst and we read $name" made "$name" --profile $profile --items 60 --content pst \
            --format "${variant% *}" --crypt "${variant#* }"
    done
done
same_as_listed() {
    grep -v '^#' $exceptions | cut -f 1-5 | LC_ALL=C sort >"$work/listed"
    LC_ALL=C sort "$work/differences" >"$work/found"
    if [ -n "$absent" ]; then # of the images that are here
        cut -f 1 "$work/found" | sort -u >"$work/here"
        grep -Ff "$work/here" "$work/listed" >"$work/some"
        mv "$work/some" "$work/listed"
    fi
    diff "$work/listed" "$work/found"
}
check "where readpst differs is what is listed, no more and no less" same_as_listed
some() { [ "$images" -ge 8 ] && [ "$compared" -gt 20 ] && [ "$bytes" -gt 10 ]; }
check "there was something to compare" some
echo "# $images images, $compared folders with items and $bytes attachments compared, $(wc -l <"$work/differences") exceptions"
finish
