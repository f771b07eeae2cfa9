# tap.sh: the little that CLI tests share. Source it, call `check`, end with `finish`.
#
#   check NAME COMMAND…      passes if COMMAND succeeds
#   skip NAME WHY            counts a test that cannot run here
#   status EXPECTED COMMAND… runs COMMAND, output to $work/out and $work/err, true if it exits so
#
# $OSTSCAN is the program; $work a folder that is removed at the end.

: "${OSTSCAN:?the program to test}"
OSTSCAN=$(realpath "$OSTSCAN")
work=$(mktemp -d)
trap 'chmod -R u+rwX "$work"; rm -rf "$work"' EXIT
tests=0
failed=0

check() {
    local name=$1
    shift
    tests=$((tests + 1))
    if "$@" >"$work/check.log" 2>&1; then
        echo "ok $tests - $name"
    else
        failed=$((failed + 1))
        echo "not ok $tests - $name"
        sed 's/^/# /' "$work/check.log" | tail -n 20
        [ ! -s "$work/err" ] || sed 's/^/# stderr: /' "$work/err" | tail -n 5
    fi
}

skip() {
    tests=$((tests + 1))
    echo "ok $tests - $1 # SKIP $2"
}

status() {
    local expected=$1 got=0
    shift
    "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
    [ "$got" = "$expected" ] || { echo "exit status $got, not $expected"; return 1; }
}

# The three real sample images are here; without them says why, and with CI=true fails.
have_samples() {
    [ -f build/samples/enron.pst ] && return 0
    [ "${CI:-}" != true ] || check "the sample images are here" false
    return 1
}

finish() {
    echo "1..$tests"
    [ "$failed" = 0 ]
}
