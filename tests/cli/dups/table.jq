# The lines of `ostscan dups -v` for people, of what want.jq gives. Bytes in three digits, halves to even.
def rounded($digits): pow(10; $digits) as $p | . * $p | floor as $f | (if . - $f > 0.5 or . - $f == 0.5 and $f % 2 == 1
        then $f + 1 else $f end) as $n |
    ($n / $p | floor | tostring) + (if $digits == 0 then "" else
        "." + ($n % $p | tostring | if length < $digits then "0" * ($digits - length) + . else . end) end);
def size: {v: ., u: 0} | until(.v < 1024 or .u == 6; .v /= 1024 | .u += 1) | .u as $u |
    if $u == 0 then "\(.v) B" else (.v | rounded(if . < 10 then 2 elif . < 100 then 1 else 0 end)) +
        " " + ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][$u] end;
def counted($word): "\(.) \($word)" + if . == 1 then "" else "s" end;
def sums: "\(.groups | counted("group")), \(.duplicates | counted("duplicate"))";
.[] | if .type == "group" then .of + (if .of == "item" then " (\(.kind))" else "" end) +
        ((.name // .subject // "") | if . == "" then "" else " \"\(.)\"" end) +
        ": \(.count) copies in \(.images | counted("image")), \(.bytes | size) could be saved",
        (.members[] | {"exact": "= ", "core": "~ "}[.tier // ""] + .image + (if .folder_path then ": " + .folder_path else "" end) +
            (if .nid then ": \(.nid)" else "" end) + (if .attachment then "/\(.attachment)" else "" end) +
            (if .differs then " differs: " + (.differs | join(", ")) else "" end))
    elif .type == "pair" then "\(.duplicates) \(.bytes | size) " +
        if .kept == .image then .image + ", within" else .kept + ", " + .image end
    elif .type == "folder" then "\(.duplicates) \(.bytes | size) \(.image): \(.folder_path)"
    elif .type == "kind" then "\(.duplicates) \(.bytes | size) \(.kind)"
    elif .type == "end" then "read \(.images | counted("image")), \(.items | counted("item"))",
        (.of_images | "whole images \(sums), \(.bytes | size)"),
        (.of_items | "items \(sums) (\(.exact) exact, \(.duplicates - .exact) by core alone), \(.bytes | size)"),
        (.of_attachments | "attachments \(sums), \(.bytes | size)")
    else empty end
