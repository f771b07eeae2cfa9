# $ost, $server: truth files of both sides, slurped. The table that comparing them must give: an
# object of "folder result" to the count. $from: 1 where a window is given that holds all items but
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
[($here[] |
    $on[.folder | tostring] as $f | $there[.position | tostring] as $s |
    [$f,
     # What some kinds of items have not cannot be changed, nor do they move or lose their body.
     (if .fate == "moved" and $sn[$s.folder | tostring] == $f then "same"
      elif .fate == "header_only" and .kind != "mail" then "same"
      elif .fate == "content_differs" and $s.change != "subject" and content == ($s | content) then "same"
      else .fate end)]),
 ($server[] | select(.type == "item" and (.assoc | not) and (.fate == "only_server" or .fate == "outside_window")) |
    $sn[.folder | tostring] as $f |
    [$f, (if $from == 1 then .fate elif date < ($oldest[$f] // $oldest_mail) then "outside_window" else "only_server" end)])]
| group_by(.) | map({key: (.[0] | join(" ")), value: length}) | from_entries
