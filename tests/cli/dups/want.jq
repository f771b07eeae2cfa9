# The truth files of images, every line with `path` and `bytes` of its image, in the order of paths:
# the records that `ostscan dups` must give, but for digests (only attachments' are in the truth).
#
# Two items are exact copies if all content is the same. They are of one class if what `core` holds
# of their kind is. What a truth file does not say of a copy follows from the change it was made with.
def mail: .kind | IN("mail", "meeting", "post", "report", "document", "sharing", "other");
def bodies: [.text, .html, .rtf];
def body: .text // .html // .rtf;
def files: [.attachments[]? | [.name, .digest, .size,
    (.embedded | walk(if type == "object" then del(.nid, .properties) else . end))]];
# Named properties are in mails with a body only; a contact's title is not in its subject.
def hidden:
    if .change == "named" then mail and .kind != "document" and bodies != [null, null, null] and
        ((.subject // "") | startswith("Synchronization Log") | not)
    elif .change == "subject" then .kind == "contact"
    else false end;
def exact: [.assoc, .content, hidden, .class, .subject, .message_id, .submitted, .from, .recipients, bodies, files];
def to($type): [.recipients[] | select(.type == $type) | .person.smtp | ascii_downcase] | sort;
def core: [.kind, .subject] +
    if mail then [.submitted, .from.smtp, to(1), to(2), (files | sort), (if .message_id then null else body end)]
    elif .kind == "appointment" then [.content, (.submitted / 18000000000 | floor)]
    elif .kind == "task" then [.content, (.submitted / 864000000000 | floor), body]
    elif .kind == "journal" then [.content, .submitted, body]
    elif .kind == "note" then [.content, body]
    else [.content, hidden] end;
def state: .change == "state";
def bcc: [.recipients[] | select(.type == 3)];

def sum(f): map(f) | add // 0;
# Item by item held against a representative.
def differences($first): [
    (select(.class != $first.class) | "class"), (select(.text != $first.text) | "text"),
    (select(.html != $first.html) | "html"), (select(.rtf != $first.rtf) | "rtf"),
    (select(bcc != ($first | bcc)) | "bcc"), (select(.search_key != $first.search_key) | "search_key"),
    (select(state != ($first | state)) | "state"), (select(.message_id != $first.message_id) | "message_id")];
def told($tier; $differs): {image: .path, folder, folder_path: .at, nid, attachment, size, tier: $tier,
    differs: (if $differs == [] then null else $differs end)} | with_entries(select(.value != null));
def group($of; $first; $same; $others; $all): {type: "group", of: $of, count: ($all | length),
    images: ($all | map(.path) | unique | length), bytes: ($all | sum(.size) - $first.size),
    # Exact copies of a member before them: all but one of each content.
    exact: (($all | length) - ($all | map(exact) | unique | length)),
    exact_bytes: ($all | group_by(exact) | sum(sum(.size) - .[0].size)), candidate: true, kind: $first.kind,
    subject: $first.subject, message_id: $first.message_id,
    submitted: ($first.submitted | if . then . / 10000000 - 11644473600 + 0.5 | floor | todate else null end),
    members: ([($first | told(null; [])), ($same[] | told("exact"; differences($first)))] +
        ([$others[] | told("core"; differences($first))] | sort_by([.image, .nid])))};
def item_group: . as $all | (map(select(.message_id)) + . | first) as $first |
    map(select([.path, .nid] != ($first | [.path, .nid]))) | ($first | exact) as $same |
    group("item"; $first; map(select(exact == $same)); map(select(exact != $same)); $all);
def class: group_by(.message_id) | (map(select(.[0].message_id)) | length) as $ids |
    if $ids == 1 then [add | sort_by(.order)] else . end | .[] | select(length > 1) | item_group;

def file_group: . as $all | .[0] as $first | {part: $first.part, type: "group", of: "attachment", count: length,
    images: (map(.path) | unique | length), bytes: (sum(.size) - $first.size), exact: (length - 1),
    exact_bytes: (sum(.size) - $first.size), candidate: true, kind: $first.kind, name: $first.name,
    subject: $first.subject, message_id: $first.message_id,
    submitted: ($first.submitted | if . then . / 10000000 - 11644473600 + 0.5 | floor | todate else null end),
    digest: ("xxh3:" + $first.digest), members: [($first | told(null; [])),
        ($all[1:][] | told("exact"; if .name == $first.name then [] else ["name"] end))]};

def image_group: .[0] as $first | {type: "group", of: "image", count: length, images: length, bytes: (.[1:] | sum(.size)),
    exact: (length - 1), exact_bytes: (.[1:] | sum(.size)), candidate: true, members: [
        {image: $first.path, size: $first.size}, (.[1:][] | {image: .path, size, tier: "exact"} +
            ([(select(.states != $first.states) | "state"), (select(.places != $first.places) | "folders")] |
                if . == [] then {} else {differs: .} end))]};

def kind_order: . as $k | ["mail", "appointment", "meeting", "contact", "distlist", "person", "task", "journal", "note", "post",
    "report", "document", "sharing", "other"] | index($k);
def tally: {groups: length, duplicates: sum(.count - 1), exact: sum(.exact), bytes: sum(.bytes), exact_bytes: sum(.exact_bytes)};

# Paths of folders, from below the root.
def path_of($all): [. as $f | {f: $f} | until(.f == null or .f.nid == 290; .list = [.f.name] + .list |
    .f = $all[.f.parent | tostring]) | .list[]? | gsub("%"; "%25") | gsub("/"; "%2F")] | join("/");

[inputs] as $lines |
[$lines | group_by(.path)[] | (map(select(.type == "folder")) | map({key: (.nid | tostring), value: .}) | from_entries) as $folders |
    .[] | select(.type == "item") | .at = ($folders[.folder | tostring] | path_of($folders))] |
to_entries | map(.value + {order: .key}) | . as $every |
map(select(.assoc | not)) as $items |
[$every | group_by(.path)[] | {path: .[0].path, size: .[0].bytes, items: map(select(.assoc | not)) | length,
    assoc: map(select(.assoc)) | length, content: (map(exact) | sort),
    states: (map([exact, state]) | sort), places: (map([exact, .at]) | sort)}] as $images |
[$images | group_by(.content)[] | select(length > 1) | image_group] as $of_images |
[$items | group_by(core)[] | class] as $of_items |
[$items[] | . as $i | .attachments | to_entries[] | .key as $part | .value | select(.digest and .size > 0) | {$part, path: $i.path, folder: $i.folder, at: $i.at, nid: $i.nid, kind: $i.kind, subject: $i.subject, message_id: $i.message_id,
     submitted: $i.submitted, name, size, digest, attachment: .nid, order: $i.order}] as $files |
[$files | group_by(.digest)[] | select(length > 1) | file_group] as $of_files |
([$items[] | {key: (.path + " \(.nid)"), value: .order}] | from_entries) as $order |
def place: .members[0] | $order[.image + " \(.nid)"];
[{type: "duplicates", schema: 1},
 ($images[] | {type: "image", path, size, items, left_out: 0, assoc}),
 (($of_images | sort_by(.members[0].image))[], ($of_items | sort_by(place))[], ($of_files | sort_by([place, .part]) | map(del(.part)))[]),
 ([$of_items[] | .members[0].image as $kept | .members[1:][] | {kept: $kept, image, size}] | group_by([.kept, .image])[] |
    {type: "pair", kept: .[0].kept, image: .[0].image, duplicates: length, bytes: sum(.size)}),
 ([$of_items[] | .members[1:][]] | group_by([.image, .folder])[] |
    {type: "folder", image: .[0].image, folder: .[0].folder, folder_path: .[0].folder_path, duplicates: length, bytes: sum(.size)}),
 ($of_items | group_by(.kind | kind_order)[] | {type: "kind", kind: .[0].kind} + tally),
 {type: "end", counts: {image: ($images | length), group: ($of_images + $of_items + $of_files | length), members: 0,
      pair: ([$of_items[] | .members[0].image as $k | .members[1:][] | [$k, .image]] | unique | length),
      folder: ([$of_items[] | .members[1:][] | [.image, .folder]] | unique | length),
      kind: ($of_items | map(.kind) | unique | length)},
  images: ($images | length), incomplete: 0, unreadable: 0, items: ($items | length), failed: 0, partial: 0, recovered: 0,
  undigested: 0, assoc: ($every | map(select(.assoc)) | length), of_images: ($of_images | tally),
  of_items: ($of_items | tally), of_attachments: ($of_files | tally), complete: true}] |
map(with_entries(select(.value != null)))
