#!/usr/bin/env bash
# The house's rules that a compiler does not see: who may include whom, where third-party headers
# may appear, that the heap and the terminal are used through the one door each has.
. tests/cli/tap.sh

includes_obey_layers() {
    git ls-files -co --exclude-standard '*.c' '*.h' | xargs grep -HE '^#include "' |
        sed -E 's/:#include "([^"]+)".*/ \1/' | awk '
        function layer(path) {
            if (path ~ /^io\//) return "io"
            if (path ~ /^scanner\/app\//) return "app"
            if (path ~ /^scanner\/ref\//) return "ref"
            if (path ~ /^scanner\//) return "scanner"
            if (path ~ /^index\//) return "index"
            if (path ~ /^bench\//) return "bench"
            if (path ~ /^tests\/gen\//) return "gen"
            if (path ~ /^tests\//) return "tests"
            return "?"
        }
        BEGIN {
            all = "io scanner ref index app bench tests gen"
            may["io"] = "io"; may["scanner"] = "io scanner"; may["ref"] = "io scanner ref"
            may["index"] = "io scanner index"; may["app"] = may["bench"] = may["tests"] = all
            may["gen"] = "io gen"
        }
        {
            own = layer($1); other = layer($2)
            # The generator shares one table with the parser and nothing else.
            if (own == "gen" && $2 == "scanner/ost/offsets.h") next
            if (index(" " may[own] " ", " " other " ") == 0) {
                print $1 ": " own " may not include " $2
                bad = 1
            }
        }
        END { exit bad }'
}

# index/ knows records and the neutral item, not the format (compressed RTF has the same checksum).
index_knows_no_format() {
    ! git ls-files -co --exclude-standard 'index/*.c' 'index/*.h' |
        xargs grep -nE '#include "scanner/' |
        grep -vE '"scanner/(ost/item|ost/header|ost/limits|ost/crc|finding|check/verdict)\.h"'
}

third_party_stays_home() {
    local bad=0 header home found
    while read -r header home; do
        found=$(git ls-files -co --exclude-standard '*.c' '*.h' | grep -vE "^($home)" |
            xargs grep -nE "#include <$header" || true)
        [ -z "$found" ] || { echo "$found (belongs to $home)"; bad=1; }
    done <<'EOF'
liburing.h io/|bench/
libpff scanner/ref/
libbfio scanner/ref/
seccomp.h scanner/ref/
zstd index/|bench/|tests/(unit|fuzz)/
xxh index/|scanner/ost/|bench/|tests/gen/
libdeflate scanner/ost/|bench/|tests/(unit|fuzz)/
isa-l scanner/ost/|bench/|tests/gen/
openssl/ index/
csv.h index/
utf8proc index/|tests/unit/
zlib.h tests/gen/|bench/
cmocka.h tests/
EOF
    return $bad
}

heap_has_one_door() {
    ! git ls-files -co --exclude-standard 'io/*.c' 'scanner/*.c' 'index/*.c' | grep -v '^io/mem.c$' |
        xargs grep -nE '(^|[^a-z_])(malloc|calloc|realloc|strdup|aligned_alloc|posix_memalign)\('
}

libraries_do_not_print() {
    ! git ls-files -co --exclude-standard 'io/*.c' 'scanner/*.c' 'index/*.c' | grep -v '^scanner/app/' |
        xargs grep -nE '(^|[^a-z_])(printf|fprintf|puts|fputs|perror)\(' |
        grep -vE 'fprintf\((f|file|memory),'
}

no_struct_over_a_buffer() {
    ! git ls-files -co --exclude-standard '*.c' '*.h' |
        xargs grep -nE '__attribute__ *\(\((__)?packed|#pragma pack'
}

# A list to be included many times (*_codes.h, *_table.h) has no guard.
every_header_is_guarded_by_its_path() {
    git ls-files -co --exclude-standard '*.h' | grep -vE '_(codes|table)\.h$' | xargs awk '
        FNR == 1 { want = toupper(FILENAME); gsub(/[\/.-]/, "_", want); seen[FILENAME] = 0 }
        $1 == "#ifndef" && $2 == want { seen[FILENAME] = 1 }
        END { for (f in seen) if (!seen[f]) { print f ": no guard by its path"; bad = 1 }; exit bad }'
}

# A file of over 800 lines says why at its top ("Long because …"), or is split. Tests may be longer.
files_fit_a_sitting() {
    local bad=0 lines file most
    while read -r lines file; do
        case $file in total) continue ;; tests/unit/*) most=1200 ;; *) most=800 ;; esac
        [ "$lines" -le $most ] || head -n 40 "$file" | grep -q 'Long because' ||
            { echo "$file: $lines lines"; bad=1; }
    done < <(git ls-files -co --exclude-standard '*.c' '*.h' | xargs wc -l)
    return $bad
}

check "includes obey the layers" includes_obey_layers
check "index/ knows records, not the format" index_knows_no_format
check "third-party headers stay in their layer" third_party_stays_home
check "the heap has one door" heap_has_one_door
check "libraries do not print" libraries_do_not_print
check "no struct is laid over a buffer" no_struct_over_a_buffer
check "header guards follow the path" every_header_is_guarded_by_its_path
check "files fit a sitting" files_fit_a_sitting
finish
