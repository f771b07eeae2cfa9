#!/usr/bin/env bash
# `ostscan scan` again over the same OUT: what is kept, what is read again; shares of a scan; kills.
. tests/cli/tap.sh
: "${OSTGEN:?the generator}"

mkdir -p "$work/im/sub"
for i in 1 2 3; do
    "$OSTGEN" --profile mail --items 10 --format unicode --seed $i --truth none -q -o "$work/im/$i.ost"
done
"$OSTGEN" --profile mail --items 10 --format ansi --seed 4 --damage heap_signature --truth none -q \
    -o "$work/im/sub/4.pst"
echo noise >"$work/im/noise.ost"

scan() { "$OSTSCAN" scan -q --progress never "$@"; }
same() { tests/campaign/same_out.sh "$1" "$2"; }
# The images whose manifest was written anew since $work/mark.
written() { find "$1/manifests" -newer "$work/mark" -name '*.zst' -printf '%f\n' | sed 's/-[0-9a-f]*\.jsonl\.zst//' | sort | xargs; }
mark() { sleep 0.02; touch "$work/mark"; sleep 0.02; }
# again OUT EXPECTED OPTION…: scans, and just these images are written.
again() {
    local out=$1 expected=$2 got
    shift 2
    mark
    scan -o "$out" "$@" "$work/im" || return 1
    got=$(written "$out")
    [ "$got" = "$expected" ] || { echo "written: $got"; return 1; }
}
all="1.ost 2.ost 3.ost 4.pst noise.ost"

check "the first scan writes all" again "$work/o" "$all"
cp -a "$work/o" "$work/first"
check "the second writes none" again "$work/o" ""
check "… and says the same" same "$work/first" "$work/o"
check "… and that it kept them" bash -c "
    '$OSTSCAN' scan --progress never -o '$work/o' '$work/im' | grep -q '^kept  *5 images of an earlier run'"
touch "$work/im/2.ost"
check "an image with another time is read again" again "$work/o" 2.ost
printf '\1' | dd of="$work/im/3.ost" bs=1 seek=40 conv=notrunc status=none
touch -r "$work/im/1.ost" "$work/im/3.ost"
check "one whose header changed is read again" again "$work/o" 3.ost
touch -r "$work/im/1.ost" "$work/im/2.ost"
mark
scan -o "$work/o" "$work/im"
cp "$work/im/1.ost" "$work/im/new"
touch -r "$work/im/1.ost" "$work/im/new"
mv "$work/im/new" "$work/im/1.ost"
check "one that was replaced is read again" again "$work/o" 1.ost
rm "$work/o"/manifests/2.ost-*
check "one whose manifest is gone is read again" again "$work/o" 2.ost
: >"$(echo "$work/o"/manifests/4.pst-*)"
check "one whose manifest was cut is read again" again "$work/o" 4.pst
check "--force reads all again" again "$work/o" "$all" --force
check "… and what it wrote is kept" again "$work/o" ""
check "other digests read all again" again "$work/o" "$all" --digest sha256
check "… and are kept" again "$work/o" "" --digest sha256
check "what changes no result keeps all" again "$work/o" "" --digest sha256 --jobs 1 --io pread --memory 64M
scan -o "$work/fresh" --digest sha256 "$work/im"
check "after all that the result is that of a first scan" same "$work/fresh" "$work/o"
printf 'torn' >>"$work/o/scan.journal"
check "a torn journal keeps what is whole" again "$work/o" "" --digest sha256
printf 'garbage' >"$work/o/scan.journal"
check "no journal keeps nothing" again "$work/o" "$all" --digest sha256
check "… and says the same" same "$work/fresh" "$work/o"
: >"$work/o/manifests/.1.ost-0123456789abcdef.jsonl.zst.01234567.tmp"
: >"$work/o/.scan.jsonl.01234567.tmp"
scan -o "$work/o" --digest sha256 "$work/im"
check "temporary files of a killed run are removed" test -z "$(find "$work/o" -name '*.tmp')"
locked() { exec 9<"$work/o/scan.journal" && flock 9 && status 3 scan -o "$work/o" "$work/im" 9<&-; }
check "two scans into one OUT: the second ends with 3" locked
check "… and says why" grep -q "another scan is writing to it" "$work/err"
exec 9<&-

# The comparer sees one changed byte, wherever it is.
sees() {
    local byte=$((RANDOM % 40 + 200)) file=$2
    rm -rf "$work/changed"
    cp -a "$1" "$work/changed"
    case $file in
    *.zst) zstdcat "$file" >"$work/plain" ;;
    *) cp "$file" "$work/plain" ;;
    esac
    case $file in
    */manifests/*) byte=$((byte + $(head -n 1 "$work/plain" | wc -c))) ;;
    esac
    printf '~' | dd of="$work/plain" bs=1 seek=$byte conv=notrunc status=none
    case $file in
    *.zst) zstd -q -f -o "$work/changed/${file#"$1"/}" "$work/plain" ;;
    *) cp "$work/plain" "$work/changed/${file#"$1"/}" ;;
    esac
    ! same "$1" "$work/changed"
}
sees_all() {
    local file n=0
    for file in "$1"/scan.jsonl "$1"/duplicates.jsonl.zst "$1"/manifests/*; do
        sees "$1" "$file" || { echo "not seen: $file"; return 1; }
        n=$((n + 1))
    done
    [ $n = 7 ]
}
check "the comparer sees a changed byte in every file" sees_all "$work/fresh"
cp -a "$work/fresh" "$work/fewer"
rm "$work/fewer"/manifests/2.ost-*
check "… and a missing one" bash -c "! tests/campaign/same_out.sh '$work/fresh' '$work/fewer'"

# Shares
shares() {
    local i
    for i in 1 2 3; do
        scan -o "$work/shares" --digest sha256 --shard $i/3 "$work/im" || return 1
    done
}
check "a scan in three shares" shares
check "… writes no duplicates" test ! -e "$work/shares/duplicates.jsonl.zst"
check "… and every image once" test \
    "$(cat "$work"/shares/scan.?-of-3.jsonl | jq -r 'select(.type == "image") | .path' | sort | xargs -n 1 basename | xargs)" = \
    "1.ost 2.ost 3.ost noise.ost 4.pst"
dups() { "$OSTSCAN" dups -q --json "$1" | grep -v '"type":"end"' | sort; }
check "dups over the shares finds what one scan does" cmp <(dups "$work/shares") <(dups "$work/fresh")
mv "$work/im" "$work/elsewhere"
elsewhere() {
    "$OSTSCAN" scan -q -o "$work/share2" --digest sha256 --shard 2/3 "$work/elsewhere"
    cmp <(jq -r '.path // empty | sub(".*/(im|elsewhere)/"; "")' "$work/share2/scan.2-of-3.jsonl") \
        <(jq -r '.path // empty | sub(".*/(im|elsewhere)/"; "")' "$work/shares/scan.2-of-3.jsonl")
}
check "a share is the same under another mount point" elsewhere
check "a share that is none" status 2 scan -o "$work/none" --shard 4/3 "$work/elsewhere"
check "… or no number" status 2 scan -o "$work/none" --shard 1 "$work/elsewhere"

check "scans that are killed lose and repeat nothing" \
    tests/campaign/kill.sh --images 12 --kills 6 --seed $RANDOM --folder "$work"
finish
