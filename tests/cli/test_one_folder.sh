#!/usr/bin/env bash
# A folder with very many items within little memory; the whole, a million, is
# tests/campaign/one_folder.sh 1000000 64M.
. tests/cli/tap.sh

check "100,000 items in one folder within --memory 16M" tests/campaign/one_folder.sh 100000 16M "$work"
check "what does not fit into memory leaves no file behind" test -z "$(find "$work" -mindepth 1 ! -name check.log)"
finish
