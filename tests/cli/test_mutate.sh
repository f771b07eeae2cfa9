#!/usr/bin/env bash
# A sample of tests/campaign/mutate.sh: mutated images of every variant through the whole scan.
. tests/cli/tap.sh

check "mutated images: no crash, bounds kept, items that were not hit the same" \
    bash tests/campaign/mutate.sh 112 "$(dirname "$OSTSCAN")"
finish
