# The table that a comparison gave (its JSON Lines, slurped), in the form of cells.jq.
[.[] | select(.type == "folder") | (.path | split("/")[-1] | gsub("%2F"; "/") | gsub("%25"; "%")) as $f |
    to_entries[] | select((.key | IN("same", "moved", "state_differs", "content_differs", "only_ost", "only_server",
        "outside_window", "header_only", "ambiguous", "not_comparable", "ost", "server", "found", "found_server",
        "only_ost_bytes", "only_server_bytes")) and .value > 0) |
    {key: ($f + " " + .key), value}] | from_entries
