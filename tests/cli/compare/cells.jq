# $ost, $server: truth files, slurped. The table a comparison must give: "folder result" to a count.
def names($t): [$t[] | select(.type == "folder") | {key: (.nid | tostring), value: .name}] | from_entries;
def content: [.subject, .from, .submitted, .recipients, .text, .html, .rtf, [.attachments[]? | del(.nid)]];
names($ost) as $on | names($server) as $sn |
([$server[] | select(.type == "item") | {key: (.position | tostring), value: .}] | from_entries) as $there |
[($ost[] | select(.type == "item" and (.assoc | not)) |
    $on[.folder | tostring] as $here | $there[.position | tostring] as $s |
    [$here,
     # What some kinds of items have not cannot be changed, nor do they move or lose their body.
     (if .fate == "moved" and $sn[$s.folder | tostring] == $here then "same"
      elif .fate == "header_only" and .kind != "mail" then "same"
      elif .fate == "content_differs" and $s.change != "subject" and content == ($s | content) then "same"
      else .fate end)]),
 ($server[] | select(.type == "item" and (.assoc | not) and (.fate == "only_server" or .fate == "outside_window")) |
    [$sn[.folder | tostring], .fate])]
| group_by(.) | map({key: (.[0] | join(" ")), value: length}) | from_entries
