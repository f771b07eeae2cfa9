/* compare_manifest.c: see compare_manifest.h. */
#include "index/compare_manifest.h"

#include <string.h>

#include "index/compare_value.h"
#include "index/dup_item.h"
#include "index/json.h"
#include "index/json_read.h"
#include "index/manifest.h"
#include "io/err.h"
#include "io/mem.h"

enum { CANCEL_LINES = 1024, MID_HEX = 16 };

struct manifest {
    struct cmp_side *side;
    struct cmp_values values;
    struct buf detail;
};

enum item_field {
    I_NID,
    I_FOLDER,
    I_ASSOC,
    I_ORPHAN,
    I_KIND,
    I_CLASS,
    I_SUBJECT,
    I_MESSAGE_ID,
    I_MIH,
    I_SEARCH_KEY,
    I_MID,
    I_CHANGE_KEY,
    I_SUBMITTED,
    I_DELIVERED,
    I_CREATED,
    I_MODIFIED,
    I_SIZE,
    I_FLAGS,
    I_FROM,
    I_TO,
    I_CC,
    I_BCC,
    I_ATTACHMENTS,
    I_DIGEST,
    I_PARTIAL,
    I_RECOVERED,
    I_STALE,
    I_FAILED,
    I_LISTS_CUT,
    I_FIELDS
};

static const char *const item_fields[I_FIELDS] = {"nid",
                                                  "folder",
                                                  "assoc",
                                                  "orphan",
                                                  "kind",
                                                  "class",
                                                  "subject",
                                                  "message_id",
                                                  "mih",
                                                  "search_key",
                                                  "mid",
                                                  "change_key",
                                                  "submitted",
                                                  "delivered",
                                                  "created",
                                                  "modified",
                                                  "size",
                                                  "flags",
                                                  "from",
                                                  "to",
                                                  "cc",
                                                  "bcc",
                                                  "attachments",
                                                  "digest",
                                                  "partial",
                                                  "recovered",
                                                  "maybe_stale",
                                                  "failed",
                                                  "attachments_more"};

static uint16_t flags_of(const struct bytes v[I_FIELDS])
{
    return (uint16_t)((cmp_is_true(v[I_FAILED]) ? CMP_FAILED : 0) |
                      (cmp_is_true(v[I_PARTIAL]) ? CMP_PARTIAL : 0) |
                      (cmp_is_true(v[I_RECOVERED]) ? CMP_RECOVERED : 0) |
                      (cmp_is_true(v[I_STALE]) ? CMP_STALE : 0) |
                      (cmp_is_true(v[I_ORPHAN]) ? CMP_ORPHAN : 0));
}

static int nid_of(struct bytes value, uint32_t *out)
{
    uint64_t number;

    if (!cmp_u64(value, &number) || number > UINT32_MAX)
        return ERR_DAMAGED;
    *out = (uint32_t)number;
    return 0;
}

static int folder_by_nid(struct cmp_side *side, uint32_t nid, uint32_t *index)
{
    uint8_t key[4];

    put_le32(key, nid);
    return cmp_side_folder(side, (struct bytes){key, sizeof key}, index);
}

static void times(struct cmp_entry *e, const struct bytes v[I_FIELDS])
{
    static const enum item_field order[] = {I_DELIVERED, I_SUBMITTED, I_CREATED, I_MODIFIED};
    int64_t submitted;

    for (size_t i = 0; !e->has_date && i < sizeof order / sizeof *order; i++)
        e->has_date = cmp_time(v[order[i]], &e->date);
    cmp_entry_mark(e, CMP_MARK_SUBMITTED,
                   cmp_time(v[I_SUBMITTED], &submitted) ? (uint64_t)submitted + 1 : 0);
}

static int keys(struct manifest *m, struct cmp_entry *e, const struct bytes v[I_FIELDS])
{
    static const struct {
        enum item_field field;
        enum cmp_key key;
    } hex[] = {{I_CHANGE_KEY, CMP_KEY_CHANGE}, {I_SEARCH_KEY, CMP_KEY_SEARCH}};
    uint8_t mid[8], mih[16];
    int got;

    for (size_t i = 0; i < sizeof hex / sizeof *hex; i++) {
        got = cmp_hex(&m->values, v[hex[i].field]);
        if (got < 0)
            return got;
        if (got)
            cmp_entry_key_of(e, hex[i].key, cmp_text_of(&m->values));
    }
    if (v[I_MIH].data) {
        if (!cmp_fixed_hex(v[I_MIH], mih, sizeof mih))
            return ERR_DAMAGED;
        cmp_entry_key(e, CMP_KEY_MIH, mih);
    }
    if (v[I_MID].size == MID_HEX + 2 && cmp_fixed_hex(v[I_MID], mid, sizeof mid))
        /* Highest digit first, so the replica stands last, and the counter before it reversed. */
        for (unsigned i = 0; i < 6; i++)
            e->mid = e->mid << 8 | mid[5 - i];
    return 0;
}

/* A digest, noting of which algorithm they are. */
static int digest_key(struct manifest *m, struct cmp_entry *e, struct bytes value, enum cmp_key key)
{
    struct cmp_side *side = m->side;
    struct ost_digest d;

    if (!value.data)
        return 0;
    if (value.size < 2 || !dup_digest_parse((struct bytes){value.data + 1, value.size - 2}, &d))
        return ERR_DAMAGED;
    side->mixed_digests |= side->digest_size && side->digest_size != d.size;
    side->digest_size = d.size;
    cmp_entry_key_of(e, key, (struct bytes){d.bytes, d.size});
    return 0;
}

static int digests(struct manifest *m, struct cmp_entry *e, struct bytes object)
{
    static const char *const names[] = {"exact", "core", "body", "state"};
    static const char *const forms[] = {"text", "html", "rtf"};
    struct bytes v[4] = {{0}}, body[3] = {{0}};
    int code = object.data ? json_pick(object, names, 4, v) : 0;

    if (!code && v[2].data)
        code = json_pick(v[2], forms, 3, body);
    if (!code)
        code = digest_key(m, e, v[0], CMP_KEY_EXACT);
    if (!code)
        code = digest_key(m, e, v[1], CMP_KEY_CORE);
    if (code)
        return code == ERR_NOMEM ? code : ERR_DAMAGED;
    for (unsigned i = 0; i < 3; i++)
        cmp_entry_mark(e, CMP_MARK_TEXT + i, body[i].data ? cmp_mark_of(body[i]) : 0);
    cmp_entry_mark(e, CMP_MARK_STATE, v[3].data ? cmp_mark_of(v[3]) : 0);
    return 0;
}

/* Sums of hashes: stores keep lists in orders of their own. */
static int recipients(struct manifest *m, struct cmp_entry *e, const struct bytes v[I_FIELDS])
{
    uint64_t sum = 0;

    for (unsigned type = I_TO; type <= I_BCC; type++) {
        int code = cmp_sum_people(&m->values, v[type], type, &sum);

        if (code)
            return code;
    }
    cmp_entry_mark(e, CMP_MARK_RECIPIENTS, sum);
    return 0;
}

static int content(struct manifest *m, struct cmp_entry *e, const struct bytes v[I_FIELDS])
{
    uint64_t mark = 0, flags;
    int code = digests(m, e, v[I_DIGEST]);

    if (!code)
        code = recipients(m, e, v);
    if (!code)
        code = cmp_sum_people(&m->values, v[I_FROM], I_FROM, &mark);
    if (code)
        return code;
    cmp_entry_mark(e, CMP_MARK_FROM, mark);
    mark = 0;
    code = cmp_sum_attachments(&m->values, v[I_ATTACHMENTS], &mark);
    if (code)
        return code;
    if (!v[I_LISTS_CUT].data)
        cmp_entry_mark(e, CMP_MARK_ATTACHMENTS, mark);
    code = cmp_mark_text(&m->values, e, CMP_MARK_SUBJECT, v[I_SUBJECT], false);
    if (!code)
        code = cmp_mark_text(&m->values, e, CMP_MARK_CLASS, v[I_CLASS], true);
    if (v[I_FLAGS].data && cmp_u64(v[I_FLAGS], &flags))
        cmp_entry_mark(e, CMP_MARK_READ, 1 + (flags & 1));
    return code;
}

static int detail(struct manifest *m, const struct bytes v[I_FIELDS])
{
    static const enum item_field texts[] = {I_KIND, I_SUBJECT, I_MESSAGE_ID, I_DELIVERED,
                                            I_SUBMITTED};
    struct json j;

    buf_reset(&m->detail);
    json_start(&j, &m->detail);
    json_object(&j, NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int code = cmp_detail(&m->values, &j, item_fields[texts[i]], v[texts[i]]);

        if (code)
            return code;
    }
    json_close_object(&j);
    return m->detail.failed ? ERR_NOMEM : 0;
}

static int take_item(struct manifest *m, struct bytes line)
{
    struct bytes v[I_FIELDS];
    struct cmp_entry e;
    uint32_t folder;
    uint64_t size;
    int code = json_pick(line, item_fields, I_FIELDS, v);

    memset(&e, 0, sizeof e);
    e.folder = CMP_NO_FOLDER;
    if (!code)
        code = nid_of(v[I_NID], &e.nid);
    if (code)
        return ERR_DAMAGED;
    if (cmp_is_true(v[I_ASSOC])) {
        m->side->assoc++;
        return 0;
    }
    e.flags = flags_of(v);
    if (v[I_FOLDER].data) {
        code = nid_of(v[I_FOLDER], &folder);
        if (!code)
            code = folder_by_nid(m->side, folder, &e.folder);
    }
    if (!code && v[I_SIZE].data && cmp_u64(v[I_SIZE], &size))
        e.size_bytes = size;
    if (!code)
        code = keys(m, &e, v);
    times(&e, v);
    if (!code && !(e.flags & (CMP_FAILED | CMP_PARTIAL)))
        code = content(m, &e, v);
    if (e.flags & (CMP_FAILED | CMP_PARTIAL))
        e.known = 0;
    if (!code)
        code = detail(m, v);
    return code ? code : cmp_side_add(m->side, &e, (struct bytes){m->detail.data, m->detail.size});
}

static int set_text(struct manifest *m, char **field, struct bytes value)
{
    int got = cmp_string(&m->values, value);

    if (got != 1)
        return got;
    return cmp_set_text(field, cmp_text_of(&m->values));
}

static int take_folder(struct manifest *m, struct bytes line)
{
    static const char *const names[] = {"nid", "parent", "name", "class", "role"};
    struct bytes v[5];
    uint32_t nid, parent_nid, index, parent = CMP_NO_FOLDER;
    struct cmp_folder *f;
    int code = json_pick(line, names, 5, v);

    if (!code)
        code = nid_of(v[0], &nid);
    if (code)
        return ERR_DAMAGED;
    code = folder_by_nid(m->side, nid, &index);
    if (!code && v[1].data) {
        code = nid_of(v[1], &parent_nid);
        if (!code)
            code = folder_by_nid(m->side, parent_nid, &parent);
    }
    if (code || index == CMP_NO_FOLDER)
        return code;
    f = &m->side->folders[index];
    f->nid = nid;
    f->parent = parent;
    f->listed = true;
    code = set_text(m, &f->name, v[2]);
    if (!code)
        code = set_text(m, &f->class, v[3]);
    if (!code)
        code = set_text(m, &f->role, v[4]);
    if (!code && f->role && strcmp(f->role, "ipm_subtree") == 0)
        f->kind = CMP_FOLDER_TOP;
    return code;
}

static int take_image(struct manifest *m, struct bytes line)
{
    static const char *const names[] = {"mtime", "content", "account", "store_name"};
    struct cmp_side *side = m->side;
    struct bytes v[4];
    int code = json_pick(line, names, 4, v);

    if (!code)
        code = dup_stored_text(line, "path", &side->image_path);
    if (code < 0)
        return code == ERR_NOMEM ? code : ERR_DAMAGED;
    side->has_time = cmp_time(v[0], &side->time);
    side->is_ost = cmp_is_text(v[1], "ost");
    side->is_exchange = side->is_ost && !cmp_is_text(v[2], "imap") && !cmp_is_text(v[2], "other");
    code = dup_stored_text(line, "store_name", &side->store_name);
    return code == ERR_NOMEM ? code : 0;
}

static int take_scan(struct manifest *m, struct bytes line)
{
    static const char *const names[] = {"schema", "digest_version"};
    struct bytes v[2];
    uint64_t schema;

    if (json_pick(line, names, 2, v) != 0 || !cmp_u64(v[0], &schema) ||
        schema != IDX_MANIFEST_SCHEMA || !cmp_u64(v[1], &m->side->digest_version))
        return ERR_DAMAGED;
    idx_redacted_by(line, m->side->redacted);
    return 0;
}

static int take_finding(struct manifest *m, struct bytes line)
{
    struct bytes value;

    if (json_find(line, "severity", &value) == 1 && cmp_is_text(value, "corrupt"))
        m->side->corrupt++;
    return 0;
}

static int take_verdict(struct manifest *m, struct bytes line)
{
    struct bytes value;

    return json_find(line, "remedy", &value) == 1 ? set_text(m, &m->side->remedy, value) : 0;
}

static int take(struct manifest *m, enum idx_record type, struct bytes line)
{
    switch (type) {
    case RECORD_SCAN:
        return take_scan(m, line);
    case RECORD_IMAGE:
        return take_image(m, line);
    case RECORD_FOLDER:
        return take_folder(m, line);
    case RECORD_ITEM:
        return take_item(m, line);
    case RECORD_FINDING:
        return take_finding(m, line);
    case RECORD_VERDICT:
        return take_verdict(m, line);
    default:
        return 0;
    }
}

static int read_lines(struct manifest *m, struct idx_manifest_reader *r, const atomic_bool *cancel)
{
    enum idx_manifest_state state = MANIFEST_COMPLETE;
    enum idx_record type;
    struct bytes line;
    uint64_t lines = 0;
    bool headed = false;
    int got;

    while ((got = idx_manifest_next(r, &type, &line, &state)) == 1) {
        int code = take(m, type, line);

        if (code == ERR_DAMAGED) {
            cmp_side_incomplete(m->side, "a `%s` record of it is not well-formed",
                                idx_record_name(type));
            if (type == RECORD_SCAN || type == RECORD_IMAGE)
                return ERR_DAMAGED;
        } else if (code) {
            return code;
        }
        headed |= type == RECORD_IMAGE;
        if (++lines % CANCEL_LINES == 0 && cancel && atomic_load(cancel))
            return ERR_CANCELLED;
    }
    if (got < 0)
        return got;
    if (state != MANIFEST_COMPLETE)
        cmp_side_incomplete(m->side, "%s", idx_manifest_reason(r));
    return headed ? 0 : ERR_DAMAGED;
}

/* A damaged store does not show what the server has. That an image is damaged, on the other hand,
 * is one of the reasons to compare it. */
static void doubt_damaged_server(struct cmp_side *side)
{
    if (!side->on_server)
        return;
    if (side->failed)
        cmp_side_incomplete(side, "%llu items of it could not be read",
                            (unsigned long long)side->failed);
    else if (side->corrupt)
        cmp_side_incomplete(side, "it is damaged: items may be missing in it");
    else if (side->remedy &&
             (strcmp(side->remedy, "unknown") == 0 || strcmp(side->remedy, "retry_closed") == 0))
        cmp_side_incomplete(side, "its scan could not read all of it");
}

int cmp_read_manifest_head(const char *path, struct buf *image_path, struct buf *store_name)
{
    struct idx_manifest_reader *r = NULL;
    enum idx_manifest_state state;
    enum idx_record type;
    struct fault fault;
    struct bytes line;
    int code = idx_manifest_open(path, &r, &fault), got = 0;

    buf_reset(image_path);
    buf_reset(store_name);
    while (!code && (got = idx_manifest_next(r, &type, &line, &state)) == 1 && type != RECORD_IMAGE)
        ;
    if (!code && got == 1)
        code = dup_stored_text(line, "path", image_path) == 1 ? 0 : ERR_DAMAGED;
    else if (!code)
        code = got < 0 ? got : ERR_DAMAGED;
    if (!code && dup_stored_text(line, "store_name", store_name) == ERR_NOMEM)
        code = ERR_NOMEM;
    idx_manifest_close(r);
    return code;
}

int cmp_read_manifest(struct cmp_side *side, const char *path, const atomic_bool *cancel,
                      struct fault *fault)
{
    struct manifest m = {.side = side};
    struct idx_manifest_reader *r = NULL;
    int code = idx_manifest_open(path, &r, fault);

    side->input = CMP_INPUT_MANIFEST;
    if (!code && !side->path)
        code = cmp_set_text(&side->path, bytes_text(path));
    if (!code)
        code = read_lines(&m, r, cancel);
    if (!code)
        doubt_damaged_server(side);
    if (code && cmp_side_fault(side)->code)
        *fault = *cmp_side_fault(side);
    idx_manifest_close(r);
    cmp_values_done(&m.values);
    buf_done(&m.detail);
    return code;
}
