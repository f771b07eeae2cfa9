#!/usr/bin/env bash
# The whole of what CI runs a sample of: damage of every sort to images of every variant, many times
# over, each judged against what is known of the image.
#
#   tests/campaign/run.sh [PART…]
#
#   flips       COUNT single-bit flips at covered bytes and COUNT at others of each image: a small
#               one of each format, cipher and compression, and every healthy real one; a tenth of
#               that of a deep one of each, whose checks take longer
#   lost_pages  roots and shares of the B-trees' pages destroyed: what is found again is true
#   damage      every kind of damage that ostgen plants, in every variant that has a place for it
#
# Without a PART all of them. COUNT (10000) and SEEDS (5) come from the environment, and so do RUN, a
# prefix for each program (`nice -n 10`), and BUILD, the folder of the programs. Prints what was done
# to each image, and what failed; the exit status is 1 then.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
count=${COUNT:-10000}
export SEEDS=${SEEDS:-5}
read -ra run <<<"${RUN:-}"
build=${BUILD:-build/release}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# What every image has, and what only a deep one.
small=(header amap nbt_leaf nbt_branch bbt_leaf bbt_branch data xblock slblock)
deep=("${small[@]}" xxblock siblock)
real=(header amap nbt_leaf bbt_leaf branch data internal trailer)

generate() { "${run[@]}" "$build/ostgen" -q "$@"; }

# FORMAT CRYPT COMPRESS of every variant.
variants() {
    local crypt
    for crypt in none permute cyclic; do
        printf '%s\n' "ansi $crypt none" "unicode $crypt none" "unicode4k $crypt none" "unicode4k $crypt zlib"
    done
}

# NAME IMAGE COUNT KIND…
flip() {
    local name=$1 image=$2 n=$3
    shift 3
    seed=$((seed + 1))
    if "${run[@]}" "$build/campaign_flips" "$n" "$seed" "$image" "$@" >"$work/log"; then
        awk -v name="$name" '
            $1 == "covered" { on += $3 }
            $1 == "uncovered" { off += $3 }
            END { printf "%-44s %7d covered %7d others 0 misses\n", name, on, off }' "$work/log"
    else
        failed=1
        echo "$name: FAILED"
        cat "$work/log"
    fi
}

flips() {
    local format crypt compress path seed=0 kinds
    while read -r format crypt compress; do
        local options=(--format "$format" --crypt "$crypt" --compress "$compress" -o "$work/image")
        generate "${options[@]}" --profile tiny
        flip "$format $crypt $compress, small" "$work/image" "$count" "${small[@]}"
        generate "${options[@]}" --profile deep
        kinds=("${deep[@]}")
        [ "$format" != unicode4k ] || kinds+=(amap_unproven)
        flip "$format $crypt $compress, deep" "$work/image" $((count / 10)) "${kinds[@]}"
    done < <(variants)
    rm -f "$work/image" "$work/image.truth.jsonl"
    for path in build/samples/*st ../shared/corpus/*st; do
        case $path in
        *'*'* | */damaged-*) continue ;;
        build/samples/*) kinds=("${real[@]}") ;;
        *) kinds=(header amap nbt_leaf bbt_leaf data trailer) ;;
        esac
        flip "$path" "$path" "$count" "${kinds[@]}"
    done
}

# Cipher and compression do not matter here, but what each seed writes, and how scattered it lies.
lost_pages() {
    local format crypt compress seed=0
    while read -r format crypt compress; do
        seed=$((seed + 1))
        generate --format "$format" --crypt "$crypt" --compress "$compress" --profile mixed --items 4000 \
            --seed $seed --fragment $((seed % 3 * 50)) -o "$work/image"
        echo "$format, seed $seed, $((seed % 3 * 50)) % scattered:"
        "${run[@]}" "$build/campaign_lost_pages" "$SEEDS" "$work/image" || failed=1
    done < <(variants)
}

damage() {
    local all
    all=$(variants | tr ' ' ':')
    VARIANTS=$all OSTSCAN=$build/ostscan OSTGEN=$build/ostgen "${run[@]}" bash tests/cli/test_damage.sh >"$work/log" ||
        failed=1
    grep -vE '^(ok|1\.\.)' "$work/log" || true
    awk '/^ok/ { ok++ } /^not ok/ { not++ } END { printf "damage: %d found, %d not\n", ok, not }' "$work/log"
}

./dev build release
parts=("$@")
[ $# -gt 0 ] || parts=(flips lost_pages damage)
for part in "${parts[@]}"; do
    case $part in
    flips | lost_pages | damage) "$part" ;;
    *) echo "run.sh: no part $part" >&2; exit 2 ;;
    esac
done
exit $failed
