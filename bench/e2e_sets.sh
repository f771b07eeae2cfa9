# e2e_sets.sh: the images that e2e.sh measures. To be sourced.

declare -A sets=(
    [mail]="--profile mail --format unicode"
    [mail-ansi]="--profile mail --format ansi"
    [mail-4k]="--profile mail --format unicode4k --compress none"
    [mail-4k-zlib]="--profile mail --format unicode4k --compress zlib"
    [mail-permute]="--profile mail --format unicode --crypt permute"
    [attach]="--profile attach --format unicode"
    [attach-4k-zlib]="--profile attach --format unicode4k --compress zlib"
    [mixed]="--profile mixed --format unicode"
    [permuted]="--profile mail --format unicode --fragment 100"
    [many]="--profile mail --format unicode --content pst --libpff-safe"
    [peers]="--profile mail --format unicode --content pst"
)

# An ANSI image has 32-bit offsets: 2,000 MiB are the most that Outlook allows.
size_of() { # SET
    if [ "$1" = mail-ansi ] && [ "$(numfmt --from=iec "$size")" -gt $((2000 << 20)) ]; then
        echo 2000M
    else
        echo "$size"
    fi
}

make_images() { # SET
    local i options
    read -ra options <<<"${sets[$1]}"
    if [ "$1" = many ]; then
        for ((i = 1; i <= many; i++)); do
            "$build/ostgen" "${options[@]}" --items "$items" --seed "$i" --truth none -q -o "$work/images/$i.pst"
        done
    else
        "$build/ostgen" "${options[@]}" --size "$(size_of "$1")" --truth none -q -o "$work/images/image.pst"
    fi
}
