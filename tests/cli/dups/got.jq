# What `ostscan dups --json` gave (slurped), in the form of want.jq: without digests, and members that
# `core` joined by place. They must have come in the order of their digests, and groups numbered.
def in_order: . == sort;
if ([.[] | select(.type == "group") | .n] != [range(1; [.[] | select(.type == "group")] | length + 1)]) or
    any(.[] | select(.type == "group") | [.members[] | select(.tier == "core") | .exact]; in_order | not) or
    any(.[] | select(.type == "group" and .of == "item"); .members[0].exact as $first |
        any(.members[1:][]; (.exact == $first) != (.tier == "exact"))) then error("numbers, order or digests of groups")
else map(if .type == "group" and .of == "attachment" then . else del(.digest) end |
    if .type == "group" then .members |= ([.[] | del(.exact) | select(.tier != "core")] +
        ([.[] | del(.exact) | select(.tier == "core")] | sort_by([.image, .nid]))) else . end | del(.tool, .manifest, .n, .core))
end
