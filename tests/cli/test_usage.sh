#!/usr/bin/env bash
# The command line itself: help, version, wrong usage; nothing of it may touch a file.
. tests/cli/tap.sh

says() { grep -qF -- "$2" "$work/$1" || { echo "no «$2» in:"; cat "$work/$1"; return 1; }; }

helps() { status 0 "$OSTSCAN" "$@" && [ -s "$work/out" ] && [ ! -s "$work/err" ]; }
refuses() {
    local words=$1
    shift
    status 2 "$OSTSCAN" "$@" && [ ! -s "$work/out" ] && says err "$words"
}

check "--help" helps --help
check "--version" helps --version
check "scan --help" helps scan --help
check "show --help" helps show --help
check "help names every option of scan" bash -c "
    for o in jobs memory engine crosscheck io direct device max-rate read-timeout digest all-files files-from null recall fail-on progress json quiet verbose; do
        '$OSTSCAN' scan --help | grep -qe \"--\$o\" || { echo \$o; exit 1; }
    done"
check "no command" refuses "no command given"
check "unknown command" refuses "no such command: frobnicate" frobnicate
check "scan without -o" refuses "needs an output folder" scan "$work"
check "scan without PATH" refuses "no PATH given" scan -o "$work/o"
check "unknown option" refuses "unknown option --frob" scan --frob
check "option without its argument" refuses "needs an argument" scan -o
under_a_file() {
    : >"$work/file"
    status 3 "$OSTSCAN" scan -o "$work/file/out" "$work" && grep -q 'file.*: Not a directory' "$work/err"
}
check "OUT under a file is told as such" under_a_file
check "bad --jobs" refuses "--jobs" scan -o "$work/o" --jobs 0 "$work"
check "bad --memory" refuses "--memory" scan -o "$work/o" --memory lots "$work"
check "bad --engine" refuses "--engine" scan -o "$work/o" --engine magic "$work"
check "bad --crosscheck" refuses "--crosscheck" scan -o "$work/o" --crosscheck all "$work"
check "--crosscheck of libpff itself" refuses "--crosscheck goes with --engine native" scan -o "$work/o" --engine libpff --crosscheck 5 "$work"
check "bad --type" refuses "--type" show --type item,frob x
check "--null without --files-from" refuses "--null goes with" scan -o "$work/o" --null "$work"
check "nothing was made" test ! -e "$work/o"
check "a full standard output is noticed" bash -c "'$OSTSCAN' --help >/dev/full; [ \$? = 3 ]"
finish
