#!/usr/bin/env bash
# `ostscan scan` over a share as it comes: many files, damaged ones, foreign ones, traps.
. tests/cli/tap.sh

share=$work/share
mkdir -p "$share/sub/deep"

# One line of scan.jsonl for a path, by the end of its name.
line_of() { jq -c --arg p "$1" 'select(.path? and (.path | endswith($p)))' "$work/out.d/scan.jsonl"; }
field() { line_of "$1" | jq -r ".$2"; }
every_line_is_json() {
    local f
    jq -e . "$work/out.d/scan.jsonl" >/dev/null || return 1
    for f in "$work"/out.d/manifests/*.zst; do
        zstdcat "$f" || { echo "$f"; return 1; }
    done | jq -e . >/dev/null
}

# 50 files with the right name and random content, the same in every run
for i in $(seq 1 50); do
    openssl enc -aes-128-ctr -K "$(printf %032x "$i")" -iv 0 -in /dev/zero 2>/dev/null |
        head -c $((i * 37)) >"$share/random$i.ost"
done
: >"$share/empty.ost"
printf '!BDN' >"$share/sub/short.pst"
mkfifo "$share/pipe.ost"
ln -s .. "$share/sub/loop"
ln -s nowhere "$share/sub/dangling.ost"
ln "$share/random1.ost" "$share/sub/again.ost"
printf 'not an image\n' >"$share/readme.txt"
images=52
if [ -d ../shared/corpus ]; then
    for f in ../shared/corpus/*.[op]st; do
        cp "$f" "$share/sub/deep/"
        images=$((images + 1))
    done
fi
while [ $images -lt 299 ]; do
    head -c $((images + 600)) /dev/zero >"$share/sub/zero$images.OLD"
    images=$((images + 1))
done

# What only other users than root are kept from reading: tested as nobody where we are root.
cp "$share/random2.ost" "$share/sub/secret.ost"
chmod 000 "$share/sub/secret.ost"
chmod 755 "$work"
mkdir -m 777 "$work/out.d"
as_user() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}
cp "$OSTSCAN" "$work/ostscan"

check "the scan ends with 3: a file could not be read" \
    status 3 as_user "$work/ostscan" scan -o "$work/out.d" --progress never "$share"
check "every line of every file is JSON" every_line_is_json
accounted() {
    diff <(find "$share" \( -name '*.ost' -o -name '*.pst' -o -name '*.OLD' -o -name loop \) | sort) \
        <(jq -r '.path // empty' "$work/out.d/scan.jsonl" | sort)
}
check "every path is accounted for" accounted
check "300 images were found" test "$(jq -s '[.[] | select(.type == "image")] | length' "$work/out.d/scan.jsonl")" = 300
check "a file in use is told to be retried closed" test "$(field /secret.ost state)/$(field /secret.ost remedy)" = in_use/retry_closed
check "an empty file has a clear reason" bash -c '[[ "$1" == *"no bytes"* ]]' - "$(field /empty.ost reason)"
check "a short file has a clear reason" bash -c '[[ "$1" == *"too short"* ]]' - "$(field /short.pst reason)"
check "other content has a clear reason" bash -c '[[ "$1" == *"!BDN"* ]]' - "$(field /random50.ost reason)"
check "a FIFO is named" test "$(field /pipe.ost reason)" = special
check "a symlink is named, not followed" test "$(field /sub/loop reason)" = symlink
check "a hard link is seen once" test "$(field /sub/again.ost reason)" = duplicate
check "other names are left alone" test -z "$(line_of readme.txt)"
check "scan.jsonl is closed" test "$(tail -n 1 "$work/out.d/scan.jsonl" | jq -r .complete)" = true
check "no temporary file is left" test -z "$(find "$work/out.d" -name '*.tmp')"
check "the output is private" test "$(find "$work/out.d" -type f ! -perm 600 | wc -l)" = 0
damaged_named() {
    [ -d ../shared/corpus ] || return 0
    [[ "$(field /damaged-header-crc.pst reason)" == *checksum* ]] &&
        [[ "$(field /damaged-truncated-in-header.pst reason)" == *"too short"* ]]
}
check "the damaged images of the corpus are named" damaged_named
check "OUT below a folder of a list is not scanned" bash -c "
    mkdir -p '$work/a/out'; cp '$share/empty.ost' '$work/a/x.ost'; cp '$share/empty.ost' '$work/a/out/y.ost'
    echo '$work/a' | '$OSTSCAN' scan -q -o '$work/a/out' --files-from - && ! grep -q y.ost '$work/a/out/scan.jsonl'"

check "a PATH that does not exist" status 3 "$OSTSCAN" scan -o "$work/o2" "$work/nowhere"
check "… is named" grep -q "nowhere: No such file" "$work/err"
check "a folder without images" status 0 "$OSTSCAN" scan -o "$work/o3" "$work/o2"
check "… says so" grep -q "no images" "$work/out"
check "--files-from - --null" bash -c "
    printf '%s\0' '$share/empty.ost' '$share/readme.txt' |
        '$OSTSCAN' scan -q -o '$work/o4' --files-from - --null
    [ \$(jq -s '[.[] | select(.type == \"image\")] | length' '$work/o4/scan.jsonl') = 2 ]"
check "--all-files leaves foreign files out" bash -c "
    mkdir '$work/mix'; cp '$share/readme.txt' '$work/mix/'; [ ! -d ../shared/corpus ] ||
        cp ../shared/corpus/aspose-notes.pst '$work/mix/noname'
    '$OSTSCAN' scan -q -o '$work/o5' --all-files '$work/mix' &&
    ! grep -q readme '$work/o5/scan.jsonl' && { [ ! -d ../shared/corpus ] || grep -q noname '$work/o5/scan.jsonl'; }"
check "--fail-on corrupt" status 4 "$OSTSCAN" scan -o "$work/o6" --fail-on corrupt "$share/empty.ost"
check "OUT that cannot be made" status 3 "$OSTSCAN" scan -o "$share/empty.ost" "$work/a"
check "a full standard output is noticed" bash -c "'$OSTSCAN' scan -o '$work/o7' '$share/empty.ost' >/dev/full 2>&1; [ \$? = 3 ]"
finish
