# $ost, $server: truth files of both sides, slurped. The table that comparing them must give: an
# object of "folder column" to the count or the bytes. $from: 1 where a window is given that holds all items but
# those planted outside; 0 where it is inferred for each folder from the oldest item it holds (of all
# mail folders where it holds none).
def names($t): [$t[] | select(.type == "folder") | {key: (.nid | tostring), value: .name}] | from_entries;
def content: [.subject, .from, .submitted, .recipients, .text, .html, .rtf, [.attachments[]? | del(.nid)]];
# In seconds, as they are compared.
def date: [.delivered, .submitted, .created, .modified] | map(select(. != null and . > 0)) | (first // 0) / 10000000 | floor;
names($ost) as $on | names($server) as $sn |
([$server[] | select(.type == "item") | {key: (.position | tostring), value: .}] | from_entries) as $there |
[$ost[] | select(.type == "item" and (.assoc | not))] as $here |
($here | group_by(.folder) | map({key: $on[.[0].folder | tostring], value: (map(date) | min)}) | from_entries) as $oldest |
([$ost[] | select(.type == "folder" and (.class == null or (.class | startswith("IPF.Note"))))
    | $oldest[.name] | select(. != null)] | min) as $oldest_mail |
# What some kinds of items have not cannot be changed, nor do they move or lose their body.
def result: . as $i | $there[.position | tostring] as $s |
    if .fate == "moved" and $sn[$s.folder | tostring] == $on[.folder | tostring] then "same"
    elif .fate == "header_only" and .kind != "mail" then "same"
    elif .fate == "content_differs" and $s.change != "subject" and content == ($s | content) then "same"
    else .fate end;
def column($f; $name; $n): {key: "\($f) \($name)", n: $n};
[($here[] | $on[.folder | tostring] as $f | result as $result |
    column($f; $result; 1), column($f; "ost"; 1),
    if $result == "only_ost" then column($f; "only_ost_bytes"; .size)
    else column($f; "found"; 1), column($sn[$there[.position | tostring].folder | tostring]; "found_server"; 1) end),
 ($server[] | select(.type == "item" and (.assoc | not)) | $sn[.folder | tostring] as $f | column($f; "server"; 1),
    (select(.fate == "only_server" or .fate == "outside_window") |
        (if $from == 1 then .fate elif date < ($oldest[$f] // $oldest_mail) then "outside_window" else "only_server" end) |
        {result: .}) as $r | column($f; $r.result; 1),
    (select($r.result == "only_server") | column($f; "only_server_bytes"; .size)))]
| group_by(.key) | map({key: .[0].key, value: (map(.n) | add)}) | from_entries
