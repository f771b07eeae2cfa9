#!/bin/bash
# Runs another program on images, as many at a time as there are processors.
#
#   bench/peer.sh pffexport|readpst FOLDER IMAGE...
set -euo pipefail

program=$1
folder=$2
shift 2
if [ $# -gt 1 ]; then
    printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" bash "$0" "$program" "$folder"
    exit
fi
out=$folder/$(basename "$1")
mkdir -p "$out"
case $program in
pffexport) exec pffexport -q -m all -t "$out/pff" "$1" >"$out.log" ;;
readpst) exec readpst -D -j 0 -o "$out" "$1" >"$out.log" ;;
esac
