#!/usr/bin/env bash
# A folder with very many items within little memory; the whole, a million, is
# tests/campaign/one_folder.sh 1000000 64M.
. tests/cli/tap.sh

# A sanitizer's own memory is no part of the promise.
if grep -q __asan_init "$OSTSCAN"; then
    skip "100,000 items in one folder within --memory 16M" "the address sanitizer takes memory of its own"
    finish
    exit
fi
check "100,000 items in one folder within --memory 16M" tests/campaign/one_folder.sh 100000 16M "$work"
check "what does not fit into memory leaves no file behind" test -z "$(find "$work" -mindepth 1 ! -name check.log)"
finish
