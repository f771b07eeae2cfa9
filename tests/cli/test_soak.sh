#!/usr/bin/env bash
# A sample of tests/campaign/soak.sh: memory and descriptors stay flat over many images.
. tests/cli/tap.sh

# A sanitizer keeps freed memory.
if grep -q __asan_init "$OSTSCAN" || grep -q __tsan_init "$OSTSCAN"; then
    skip "a soak" "sanitizers take memory of their own"
    finish
    exit
fi
folder=$work
[ ! -w /dev/shm ] || folder=/dev/shm
check "a scan of 600 images leaves nothing behind" tests/campaign/soak.sh --images 600 --folder "$folder"
finish
