#!/usr/bin/env bash
# `ostscan scan --redact`: nothing that tells of people is left in OUT, and one key gives the same
# duplicates as none. Also where OUT may lie, who may read it, and which links are followed.
. tests/cli/tap.sh

scan() { "$OSTSCAN" scan -q --progress never "$@"; }
# All of an OUT: the names in it, every file as it is, and what can be had of its frames, also of those
# that a killed run left behind.
everything() {
    find "$1" -printf '%P\n'
    find "$1" -type f -exec cat {} +
    find "$1" -type f -name '*.zst*' -exec zstdcat {} \; 2>/dev/null
    return 0
}

mkdir -p "$work/in/Quarterly Numbers"
one="$work/in/Quarterly Numbers/Grace.Foster.ost"
two=$work/in/Archive.PST
three=$work/in/Hurt.ost
"$OSTGEN" -q --profile tiny --seed 3 -o "$one"
"$OSTGEN" -q --profile mixed --items 60 --seed 5 --duplicates 40 --content pst --format unicode -o "$two"
"$OSTGEN" -q --profile mixed --items 60 --seed 5 --damage heap_signature:2 --damage value_hid:2 \
    --damage node_parent:2 --damage header_crc -o "$three"
cp "$two" "$work/in/Copy of Archive.pst"
ln -s "$two" "$work/in/Linked Mail.pst"
mkfifo "$work/in/Queue.ost"
head -c 32 /dev/urandom >"$work/key"
head -c 32 /dev/urandom >"$work/other"

# All strings of the truth but words that the format itself has, from four bytes on; the parts of the
# paths; what the plain OUT has of ids and digests.
secrets() {
    cat "$work"/in/*.truth.jsonl "$work"/in/*/*.truth.jsonl |
        jq -r 'select(.type == "item" or .type == "folder") | walk(if type == "object" then
            del(.type, .kind, .class, .change, .flaw, .language, .role) else . end) | .. | strings'
    printf '%s\n' Quarterly Grace.Foster Archive Hurt 'Linked Mail' Queue "${work##*/}"
    everything "$1" | grep -aoE '"(mih|search_key|change_key|pcl|exact|core|state|text|html|rtf|digest|embedded)":"(xxh3:|sha256:)?[0-9a-f]+"' |
        grep -oE '[0-9a-f]{16,}'
}
# Classes stay, and so do the verdict's own words, and both hold words that are folders' names too.
without_words() {
    everything "$1" | sed -E 's/"class":"[^"]*"//g
        s/"text":"(unsent items in the Outbox|items in the Outbox that are not flagged as unsent)"//g
        s/"text":"errors of synchronizing that Outlook logged \(Sync Issues\)"//g'
}
leaks_nothing() {
    secrets "$1" | awk 'length($0) >= 4' | grep -vE '^[0-9]+$|^IPM\.' | sort -u >"$work/secrets"
    [ "$(wc -l <"$work/secrets")" -gt 1500 ] || { echo "too few secrets"; return 1; }
    # The test finds what is there to be found.
    everything "$1" | grep -caFf "$work/secrets" >/dev/null || return 1
    without_words "$2" >"$work/left"
    ! grep -aoFf "$work/secrets" "$work/left"
}

# Duplicates without what a key changes: images by number, texts and digests gone.
same_groups() {
    local out
    for out in "$@"; do
        zstdcat "$out/duplicates.jsonl.zst" | jq -sSc '
            (reduce (.[] | select(.type == "image")) as $i ({}; .[$i.path] = length)) as $n |
            .[] | walk(if type == "object" then
                del(.path, .manifest, .name, .subject, .message_id, .folder_path, .digest, .core) |
                with_entries(if .key == "exact" and (.value | type) == "string" then empty
                    elif (.key == "image" or .key == "kept") and (.value | type) == "string"
                    then .value = $n[.value] else . end) |
                if has("members") then .members |= sort_by(.image, .nid, .attachment) else . end
                else . end)' >"$work/groups.$(basename "$out")"
    done
    cmp "$work/groups.$(basename "$1")" "$work/groups.$(basename "$2")"
}

for engine in native libpff; do
    for digest in xxh3 sha256; do
        how=(--engine $engine --digest $digest)
        [ $engine = libpff ] || how+=(--crosscheck 100)
        plain=$work/plain.$engine.$digest
        keyed=$work/keyed.$engine.$digest
        check "a plain scan ($engine, $digest)" status 0 scan "${how[@]}" -o "$plain" "$work/in"
        check "a redacted scan" status 0 scan "${how[@]}" --redact --redact-key "$work/key" -o "$keyed" "$work/in"
        check "… leaves nothing that tells of people" leaks_nothing "$plain" "$keyed"
        check "… has the same duplicates" same_groups "$plain" "$keyed"
    done
done
plain=$work/plain.native.xxh3
keyed=$work/keyed.native.xxh3
shape() {
    for file in "$1"/manifests/*.zst; do
        zstdcat "$file" | jq -c 'select(.type != "scan" and .type != "end") | [.type, .nid, .n, .code, .kind, .size,
            .submitted, .role, .partial, .remedy, (.to | length), (.attachments | length)]' | sha256sum
    done | sort
}
check "the records are the same but for what is keyed" cmp <(shape "$plain") <(shape "$keyed")
check "manifests are whole" status 0 "$OSTSCAN" show --type end "$keyed"/manifests/*.zst
check "dups reads them" status 0 "$OSTSCAN" dups "$keyed"
check "scan.jsonl names the manifests there are" bash -c "
    cmp <(jq -r '.manifest // empty' '$keyed/scan.jsonl' | sort) <(ls '$keyed/manifests' | sort)"
check "scan.jsonl still tells what was skipped" bash -c "
    jq -r 'select(.type == \"skipped\").reason' '$keyed/scan.jsonl' | sort | xargs | grep -qx 'special symlink'"
again() {
    scan --redact --redact-key "$1" -o "$2" "$work/in" || return 1
    zstdcat "$2"/manifests/*.zst | jq -r '.digest?.exact? // empty' | sort
}
digests() { zstdcat "$1"/manifests/*.zst | jq -r '.digest?.exact? // empty' | sort; }
check "the same key gives the same digests" cmp <(again "$work/key" "$work/k2") <(digests "$keyed")
check "another key none of them" bash -c "
    ! comm -12 <(sort -u '$work/x1') <(sort -u '$work/x2') | grep -q ." \
    "$(again "$work/other" "$work/k3" >"$work/x1"; digests "$keyed" >"$work/x2")"
check "… of which there are some" test -s "$work/x1"

# compare: an OST and its mailbox as the server holds it
for side in ost server; do
    "$OSTGEN" -q --profile mixed --items 200 --seed 7 --drift 40 --duplicates 20 --side $side \
        $([ $side = ost ] || echo --content pst --format unicode) -o "$work/side.$side.pst"
done
for side in ost server; do
    scan -o "$work/p.$side" "$work/side.$side.pst"
    scan --redact --redact-key "$work/key" -o "$work/r.$side" "$work/side.$side.pst"
done
# A comparison without texts; ids of folders and items tell what is meant.
compared() {
    "$OSTSCAN" compare --json --window 2015-01-01 "$@" |
        jq -Sc 'del(.path, .manifest, .server, .store_name, .image, .name, .subject, .message_id,
            .folder, .server_folder, .statements)' | sort
}
check "compare gives the same on redacted manifests" cmp \
    <(compared "$work"/p.ost/manifests/* "$work"/p.server/manifests/*) \
    <(compared "$work"/r.ost/manifests/* "$work"/r.server/manifests/*)
check "… and something" test "$(compared "$work"/r.ost/manifests/* "$work"/r.server/manifests/* | grep -c content_differs)" -gt 5
check "… a PST of the server's with the key" cmp \
    <(compared "$work"/p.ost/manifests/* "$work"/p.server/manifests/*) \
    <(compared --redact-key "$work/key" "$work"/r.ost/manifests/* "$work/side.server.pst")
check "… and claims nothing without" status 3 "$OSTSCAN" compare --json "$work"/r.ost/manifests/* "$work/side.server.pst"
check "… but says why" grep -q "not redacted as the image's manifest is" "$work/err"
check "… and nothing of any item" bash -c "! grep -q only_ost '$work/out'"
check "a plain manifest with a redacted one: nothing claimed" status 3 "$OSTSCAN" compare "$work"/p.ost/manifests/* "$work"/r.server/manifests/*
check "dups says that keys are mixed" bash -c "
    '$OSTSCAN' dups '$work/p.ost' '$work/r.ost' 2>&1 | grep -q 'redacted and some not'"

# The key
check "--redact needs a key" status 2 scan --redact -o "$work/no" "$work/in"
check "a key needs --redact" status 2 scan --redact-key "$work/key" -o "$work/no" "$work/in"
echo short >"$work/short"
check "a short key is refused" status 2 scan --redact --redact-key "$work/short" -o "$work/no" "$work/in"
check "a key that is not there" status 3 scan --redact --redact-key "$work/nokey" -o "$work/no" "$work/in"
check "… nothing was written" test ! -e "$work/no"
check "plain manifests in OUT: refused" status 2 scan --redact --redact-key "$work/key" -o "$plain" "$work/in"
check "… says why" grep -q "not redacted under this key" "$work/err"
check "those of another key: refused" status 2 scan --redact --redact-key "$work/other" -o "$keyed" "$work/in"
check "those of this one: gone on with" status 0 scan --redact --redact-key "$work/key" -o "$keyed" "$work/in"

# A scan that is killed, and gone on with
big=$work/big/Private.ost
mkdir "$work/big"
"$OSTGEN" -q --profile mixed --items 1500 --seed 9 -o "$big"
cp "$big" "$work/big/Also Private.ost" # whichever is begun first, the other takes its time
kill_one() {
    local pid file i
    for _ in {1..50}; do
        rm -rf "$work/killed"
        "$OSTSCAN" scan -q --progress never --jobs 1 --redact --redact-key "$work/key" -o "$work/killed" \
            "$work/big/Also Private.ost" "$big" &
        pid=$!
        for i in {1..100000}; do
            for file in "$work"/killed/manifests/.*.tmp; do
                [ ! -e "$file" ] || ! grep -q keep "$work/killed/scan.journal" || break 2
            done
            kill -0 $pid 2>"$work/null" || break
        done
        kill -9 $pid 2>"$work/null"
        wait $pid 2>"$work/null"
        for file in "$work"/killed/manifests/.*.tmp; do
            [ ! -e "$file" ] || return 0
        done
    done
    return 1
}
tells_nothing() {
    jq -r 'select(.type == "item" or .type == "folder") | walk(if type == "object" then
            del(.type, .kind, .class, .change, .flaw, .language, .role) else . end) | .. | strings' \
        "$big.truth.jsonl" "$one.truth.jsonl" | awk 'length($0) >= 6' | grep -vE '^[0-9]+$|^IPM\.' >"$work/secrets"
    printf '%s\n' Private Grace.Foster "${work##*/}" >>"$work/secrets"
    without_words "$1" >"$work/left"
    grep -aq hmac- "$work/left" && ! grep -aoFf "$work/secrets" "$work/left"
}
check "a scan killed while it wrote" kill_one
check "… left an image's line in the journal" grep -q '"path":"/hmac-' "$work/killed/scan.journal"
check "… nothing that tells of people in any file" tells_nothing "$work/killed"
check "the same command goes on" status 0 "$OSTSCAN" scan --progress never --redact --redact-key "$work/key" \
    -o "$work/killed" "$work/big/Also Private.ost" "$big"
check "… with what is left" grep -q '^kept .* 1 image ' "$work/out"
check "… and leaves nothing either" tells_nothing "$work/killed"
states_of() { grep -aoE ' keep [0-9a-f]{16} [0-9a-f]{64} ' "$1/scan.journal" | sort; }
check "the states in the journal are keyed" bash -c '! grep -qFf "$1" "$2"' - <(states_of "$work/k2") <(states_of "$work/k3")
check "… alike by the same key" cmp <(states_of "$work/k2") \
    <(again "$work/key" "$work/k4" >"$work/null"; states_of "$work/k4")
cp -r "$plain" "$work/bare"
rm "$work"/bare/manifests/*
check "a plain scan.jsonl in OUT: refused" status 2 scan --redact --redact-key "$work/key" -o "$work/bare" "$work/in"
check "… says which" grep -q "bare/scan.jsonl: not redacted under this key" "$work/err"
rm "$work"/k2/manifests/* "$work/k2/scan.jsonl"
check "another key's journal is not gone on with" status 0 scan --redact --redact-key "$work/other" -o "$work/k2" "$work/in"
check "… and is gone" cmp <(states_of "$work/k2") <(states_of "$work/k3")

# Where OUT may lie
refused() {
    status 2 scan -o "$@" && grep -q "lies among the images" "$work/err"
}
check "OUT below a PATH is refused" refused "$work/in/out" "$work/in"
check "… by whatever way" bash -c "cd '$work/in/Quarterly Numbers' && ! '$OSTSCAN' scan -q -o ../new/out .. 2>/dev/null"
check "… a PATH itself" refused "$work/in" "$work/in"
ln -s "$work/in" "$work/way"
check "… through a symlink" refused "$work/way/out" "$work/in"
check "… or the other way" refused "$work/in/out" "$work/way"
check "… beside a named image" refused "$work/in" "$two"
check "… and nothing was made" test ! -e "$work/in/out" -a ! -e "$work/in/manifests" -a ! -e "$work/in/new"
check "a name that only begins alike is none of it" status 0 scan -o "$work/inside" "$work/in"

# Who may read OUT
check "folders are 0700, files 0600, whatever the umask" bash -c "
    umask 0; '$OSTSCAN' scan -q --progress never -o '$work/modes' '$work/in' &&
    ! find '$work/modes' \( -type d ! -perm 0700 -o -type f ! -perm 0600 \) | grep ."

# Links
mkdir "$work/tree" "$work/elsewhere"
cp "$two" "$work/elsewhere/a.pst"
ln -s ../elsewhere "$work/tree/folder"
ln -s ../in/Archive.PST "$work/tree/b.pst"
ln -s .. "$work/tree/up"
ln -s nowhere "$work/tree/c.pst"
states() { jq -r 'select(.path) | "\(.type) \(.path | sub(".*/tree/"; "")) \(.state // .reason)"' "$1/scan.jsonl" | grep -vE ' up/.' | sort | xargs; }
check "links are not followed" status 0 scan -o "$work/l1" "$work/tree"
check "… but told of" test "$(states "$work/l1")" = "skipped b.pst symlink skipped c.pst symlink skipped folder symlink skipped up symlink"
rm "$work/tree/up"
ln -s . "$work/tree/round"
check "--follow does" status 3 scan --follow -o "$work/l2" "$work/tree"
check "… each once" test "$(states "$work/l2")" = \
    "image b.pst ok image folder/a.pst ok skipped c.pst unreadable skipped round loop"
check "-L is the same" status 3 scan -L -o "$work/l3" "$work/tree"
check "check has it too" status 3 "$OSTSCAN" check -q -L "$work/tree"

# Nothing that a file's name holds reaches a terminal as it is
odd=$work/odd/$'\e[31mred\a\n'.ost
mkdir "$work/odd"
cp "$two" "$odd"
ln -s "$odd" "$work/odd/"$'link\e[2J.ost'
quiet_terminal() { ! LC_ALL=C grep -aq $'[\001-\010\013-\037]' "$work/out" "$work/err"; }
check "scan of an odd name" status 0 "$OSTSCAN" scan -v --progress always -o "$work/"$'o\e[1m' "$work/odd"
check "… prints no control character" quiet_terminal
check "… but what it stands for" grep -q '\\u{1b}\[31mred' "$work/out"
for words in "check -v" "dups -v" "show"; do
    case $words in
    check*) args=("$work/odd") ;;
    show) args=("$work/"$'o\e[1m'/manifests/*) ;;
    *) args=("$work/"$'o\e[1m') ;;
    esac
    check "$words" status 0 "$OSTSCAN" $words "${args[@]}"
    check "… likewise" quiet_terminal
done
# CSV and JSON hold names as they are, but not to a terminal.
on_terminal() {
    TERM=xterm script -qec "$1" /dev/null </dev/null | tr -d '\r' >"$work/out"
    : >"$work/err"
    grep -q '\\u{1b}\|\\u001b' "$work/out" && quiet_terminal
}
if command -v script >/dev/null; then
    for words in "show --csv --type image" "show --json --type image"; do
        check "$words on a terminal" on_terminal "'$OSTSCAN' $words '$work/'o*/manifests/*31mred*"
    done
    check "dups --csv on a terminal" on_terminal "'$OSTSCAN' dups --csv '$work/'o*1m"
    check "check --json on a terminal" on_terminal "'$OSTSCAN' check --json '$work/odd'"
else
    skip "CSV and JSON on a terminal" "no script(1)"
fi
check "a PATH that is not there" status 3 "$OSTSCAN" check $'no\e[1m'
check "… likewise" quiet_terminal
check "wrong usage" status 2 "$OSTSCAN" check --jobs $'\e[1m'
check "… likewise" quiet_terminal
check "an unknown option" status 2 "$OSTSCAN" check $'--\e[1m'
check "… likewise" quiet_terminal
check "an unknown command" status 2 "$OSTSCAN" $'\e[1m'
check "… likewise" quiet_terminal
finish
