# The rows of `ostscan dups --csv` without their digests, of what want.jq gives.
def field: tostring | if test("[,\"\r\n]") then "\"" + gsub("\""; "\"\"") + "\"" else . end;
[.[] | select(.type == "group")] | to_entries[] | (.key + 1) as $n | .value as $g | $g.members[] |
[$n, $g.of, .tier // "representative", ($g.kind // ""), ($g.name // $g.subject // ""), .image, (.folder // ""),
 (.folder_path // ""), (.nid // ""), (.attachment // ""), .size, ((.differs // []) | join("; "))] | map(field) | join(",")
