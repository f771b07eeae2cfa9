# e2e_programs.sh: what e2e.sh measures, each once, with $name, $temperature and $images at hand. To be
# sourced.

# Runs a program with its output in an empty $output; false, and a word on it, when it fails.
run() { # LABEL COMMAND...
    local label=$1 cold=() status=0 image
    shift
    rm -rf "${output:?}"/*
    [ "$temperature" = warm ] || for image in "${images[@]}"; do cold+=(--cold "$image"); done
    "$build/bench-run" --to "$work/took" --seconds "$patience" "${cold[@]}" -- "$@" >"$work/log" 2>&1 || status=$?
    case $status in
    0) return ;;
    124) echo "$name: $label: not done after $patience s" >&2 ;;
    *) echo "$name: $label: exit status $status"; tail -n 3 "$work/log"; [ -n "${may_fail:-}" ] || exit 1 ;;
    esac >&2
    return 1
}

# The few best ways to read these images.
raw_ways() {
    local how=()
    [ "$temperature" = warm ] || how=(--cold)
    "$build/bench-raw" "${how[@]}" --probe-mib "$probe" "${images[@]}" | awk '{ printf "%s ", $1 }'
}

raw() { # LABEL WAYS OPTION...
    local ns cpu how=()
    [ "$temperature" = warm ] || how=(--cold)
    read -r ns cpu extents allocated < <("$build/bench-raw" "${how[@]}" --ways "$2" "${@:3}" "${images[@]}")
    note "$1" "$ns $cpu - - - - - -"
}

limits() { # WAYS
    local extents allocated direct="uring,1048576,8,1 uring,1048576,8,2 uring,262144,16,2"
    if [ "$temperature" = cold ]; then
        raw raw,direct "$direct" --direct
        raw trees,direct "$direct" --direct --trees
    fi
    raw raw+sum "$1 uring,131072,8,2 pread,131072,1,2" --sum --hot
    raw raw+digest "$1 uring,131072,8,2 pread,262144,1,2" --sum --digest --hot
    raw raw,hot "$1" --hot
    raw raw "$1"
    note size "$extents $allocated"
    [ ${#images[@]} -gt 1 ] || one_image_limits
}

# Of one image: fio reads the whole file; libdeflate inflates; the bare walk, a copy on each core.
one_image_limits() {
    local ns cpu blocks bytes k
    if command -v fio >/dev/null; then
        run fio fio --name=read --readonly --rw=read --bs=1M --iodepth=8 --ioengine=io_uring \
            --invalidate=0 --filename="${images[0]}" --output="$work/fio" --output-format=json
        note fio "$(jq -r ".jobs[0].read.bw_bytes | $extents * 1e9 / . | floor" "$work/fio") - - - - - - -"
    fi
    [ "$temperature" = warm ] || return 0
    read -r ns cpu blocks bytes < <("$build/bench-inflate" "$cores" "${images[0]}")
    [ "$blocks" = 0 ] || note inflate "$ns $cpu - - - - - -"
    for ((k = 0; k < cores; k++)); do
        "$build/bench-items" --only walk --rounds 1 --folder "$work" --json "$work/walk.$k" "${images[0]}" >/dev/null &
    done
    wait
    note "walk,$cores" "$(jq -rs '"\((map(.stages[0].elapsed_ns) | max) / length | floor) \(map(.stages[0].cpu_ns) | add / length | floor) - \(.[0].items) - - - -"' "$work"/walk.*)"
}

# What manifests say of the images: all but their first line and its digest.
contents() {
    local file
    find "$output" -name '*.jsonl.zst' | sort | while read -r file; do
        zstd -dcq "$file" | sed -e 1d -e 's/"scan_digest":"[^"]*",//'
    done | md5sum
}

# Manifests of the first round are held against each other, whatever threads and backend.
scan() { # LABEL OPTION...
    local label=$1 facts
    shift
    run "$label" "$build/ostscan" scan -q ${memory:+--memory "$memory"} "$@" -o "$output/scan" "${images[@]}" || return 0
    facts=$(jq -r 'select(.type == "end") | (.timing.read // {}) as $r |
        "\(.items + .assoc) \($r.plan // "-") \($r.sweep // "-") \($r.gaps // "-") \($r.again // "-")"' "$output/scan/scan.jsonl")
    note "$label" "$(cat "$work/took") $facts"
    [ "$i" = 0 ] && [[ $label == scan* ]] || return 0
    contents >"$work/now"
    [ -s "$work/contents.$name" ] || cp "$work/now" "$work/contents.$name"
    cmp -s "$work/now" "$work/contents.$name" ||
        { echo "e2e.sh: $name: manifests of $label differ from those before" >&2; exit 1; }
}

ours() {
    local jobs
    run check "$build/ostscan" check -q --jobs "$cores" "${images[@]}" &&
        note check "$(cat "$work/took") - - - - -"
    for ((jobs = 1; jobs <= cores; jobs++)); do
        scan "scan,uring,$jobs" --io uring --jobs "$jobs"
    done
    scan "scan,pread,$cores" --io pread --jobs "$cores"
    [ "$temperature" = warm ] || scan "scan,direct,$cores" --direct --jobs "$cores"
    [ "$name" != permuted ] || scarce
}

# With a sixteenth of the image as memory, half of which a scan takes for what it carries; and what
# would then have to be read again by whoever knew the future.
scarce() {
    local mib bytes
    mib=$(($(stat -c %s "${images[0]}") >> 24))
    [ "$mib" -ge 64 ] || mib=64
    memory=${mib}M scan "scan,scarce,$cores" --jobs "$cores"
    read -r _ bytes _ < <("$build/bench-optimum" "${images[0]}" $((mib / 2)))
    note optimum "- - - - - - - $bytes"
}

peers() {
    local may_fail=yes
    scan "libpff,$cores" --engine libpff --jobs "$cores"
    if command -v pffexport >/dev/null && run pffexport bash "$here/peer.sh" pffexport "$output" "${images[@]}"; then
        note pffexport "$(cat "$work/took") $(pffexport_items "$output") - - - -"
    fi
    if command -v readpst >/dev/null && run readpst bash "$here/peer.sh" readpst "$output" "${images[@]}"; then
        note readpst "$(cat "$work/took") $(readpst_items "$output"/*.log) - - - -"
    fi
}
