/*
 * digest.c: see digest.h; what is hashed is specified in DIGESTS.md.
 *
 *     exact, state, core   what is hashed for each, on end, so that it is hashed at once
 *     lists                records of recipients, attachments, addresses …
 *
 * An entry is in `exact` or in `state` and never in both; those of core are among exact's.
 *
 * Entries must stand in the order of their bytes. Those of tagged properties do when the properties
 * are gone through in the order of their ids. Named ones come behind them, in the order of their
 * keys, which the names of the image have once and for all (names.h): a bit is set for each at its
 * place, and the bits are then gone through. Where that does not work (two properties of one name,
 * more names than are kept) they are sorted.
 *
 * Embedded items come before the item that holds them: an explicit stack of at most
 * OST_LIMIT_EMBEDDED_DEPTH items, each with the digests of what it embeds so far.
 */
#include "index/digest.h"

#include <string.h>

#include "index/digester.h"
#include "index/property.h"
#include "index/rtf.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/limits.h"

int idx_digester_create(enum idx_algorithm algorithm, struct idx_digester **out)
{
    struct idx_digester *d = mem_zalloc(sizeof *d);
    int rc;

    if (!d)
        return ERR_NOMEM;
    rc = idx_text_create(&d->text);
    if (!rc)
        rc = idx_hash_create(algorithm, &d->hash);
    if (!rc)
        rc = idx_hash_create(IDX_MD5, &d->md5);
    if (!rc)
        rc = idx_names_create(&d->names);
    if (rc) {
        idx_digester_destroy(d);
        return rc;
    }
    d->canon = (struct idx_canon){d->text, d->hash};
    *out = d;
    return 0;
}

void idx_digester_destroy(struct idx_digester *d)
{
    if (!d)
        return;
    idx_parts_done(&d->exact);
    idx_parts_done(&d->entries);
    idx_parts_done(&d->lists);
    buf_done(&d->state);
    buf_done(&d->core);
    mem_free(d->named);
    idx_names_destroy(d->names);
    buf_done(&d->scratch);
    idx_hash_destroy(d->hash);
    idx_hash_destroy(d->md5);
    idx_text_destroy(d->text);
    mem_free(d);
}

/* ---- parts of what is hashed ---- */

void idx_put_domain(struct buf *out, const char *domain)
{
    buf_append(out, domain, strlen(domain) + 1);
}

void idx_put_list(struct idx_digester *d, struct buf *out, size_t first, size_t last)
{
    idx_canon_u64(out, last - first);
    for (size_t i = first; i < last; i++) {
        const struct idx_part *s = &d->lists.list[i];

        idx_canon_u64(out, s->size);
        buf_append(out, d->lists.bytes.data + s->offset, s->size);
    }
}

/* ---- bodies ---- */

/* Appends the normalised bytes of a body to d->scratch: true. False: they are not well-formed, the
 * stored ones count. */
static bool put_normal_body(struct idx_digester *d, enum body body, const struct ost_prop *p,
                            uint32_t codepage)
{
    unsigned type = p->type & ~0x2000U;
    bool is_text = type == OST_UNICODE || type == OST_STRING8;

    if (is_text && body != BODY_RTF)
        return idx_canon_normal(&d->canon, &d->scratch, p, codepage);
    if (body == BODY_TEXT || type != OST_BINARY)
        return false;
    if (body == BODY_HTML) {
        buf_append(&d->scratch, p->value.data, p->value.size);
        return true;
    }
    return !p->value.size || !idx_rtf_decompress(p->value, OST_LIMIT_VALUE_BYTES, &d->scratch);
}

static void digest_body(struct idx_digester *d, enum body body, const char *domain,
                        const struct ost_prop *p, uint32_t codepage)
{
    size_t head;

    idx_buf_trim(&d->scratch);
    idx_put_domain(&d->scratch, domain);
    idx_canon_form(&d->scratch, IDX_FORM_BYTES);
    head = d->scratch.size;
    if (!put_normal_body(d, body, p, codepage) && !d->scratch.failed) {
        d->scratch.data[head - 1] = IDX_FORM_BAD;
        d->scratch.size = head;
        buf_append(&d->scratch, p->value.data, p->value.size);
    }
    if (d->scratch.failed) {
        d->exact.bytes.failed = true;
        return;
    }
    idx_hash_all(d->hash, d->scratch.data, d->scratch.size, &d->bodies[body]);
    d->has_body = d->has_body || d->scratch.size > head;
}

static void digest_bodies(struct idx_digester *d, const struct ost_item *item)
{
    static const struct {
        enum body body;
        const char *domain;
    } forms[BODIES] = {
        {BODY_TEXT, "ostscan.body.text.1"},
        {BODY_RTF, "ostscan.body.rtf.1"},
        {BODY_HTML, "ostscan.body.html.1"},
    };
    static const uint16_t ids[BODIES] = {0x1000, 0x1009, 0x1013};
    const struct ost_prop *picked[BODIES];

    ost_props_pick(item->props, ids, BODIES, picked);
    d->has_body = false;
    for (int i = 0; i < BODIES; i++) {
        d->bodies[forms[i].body] = (struct ost_digest){0};
        if (picked[i])
            digest_body(d, forms[i].body, forms[i].domain, picked[i], item->codepage);
    }
}

/* ---- entries of an item ---- */

static void put_body_entry(struct idx_digester *d, struct buf *out, const struct ost_prop *p,
                           enum body body)
{
    struct ost_prop key = *p;

    key.type = body == BODY_TEXT ? OST_UNICODE : OST_BINARY;
    idx_canon_key(&d->canon, out, &key);
    idx_canon_digest(out, &d->bodies[body]);
}

/* Message flags and 0E69 come down to one entry of one bit, under the id of the flags. */
static void put_read_entry(struct idx_digester *d, struct buf *out, bool read)
{
    const uint8_t bit = read;
    struct ost_prop p = {.id = 0x0E07, .type = OST_BOOL, .value = {&bit, 1}};

    idx_canon_entry(&d->canon, out, &p, 0);
}

/* The entry of a tagged property; nothing for some. */
static void put_tagged(struct idx_digester *d, struct buf *out, const struct ost_item *item,
                       const struct ost_prop *p)
{
    struct ost_prop subject;

    switch (p->id) {
    case 0x0037:
        subject = *p;
        subject.value = idx_subject_text(p->value, (p->type & ~0x2000) == OST_UNICODE);
        idx_canon_entry(&d->canon, out, &subject, item->codepage);
        break;
    case 0x0E07:
        if (p->value.size == 4)
            put_read_entry(d, out, le32(p->value.data) & 1);
        break;
    case 0x0E69:
        if (p->value.size == 1 && !ost_props_find(item->props, 0x0E07, 0))
            put_read_entry(d, out, p->value.data[0]);
        break;
    case 0x1000:
        put_body_entry(d, out, p, BODY_TEXT);
        break;
    case 0x1009:
        put_body_entry(d, out, p, BODY_RTF);
        break;
    case 0x1013:
        put_body_entry(d, out, p, BODY_HTML);
        break;
    default:
        idx_canon_entry(&d->canon, out, p, item->codepage);
    }
}

/* Where an entry of that rule goes; it is to be appended, and counted by end_entry. */
static struct buf *entries_of(struct idx_digester *d, unsigned rule)
{
    return rule & IDX_IN_STATE ? &d->state : &d->exact.bytes;
}

static void end_entry(struct idx_digester *d, const struct buf *out, size_t at, unsigned rule)
{
    if (out->size == at)
        return;
    if (out == &d->state) {
        d->state_count++;
        return;
    }
    d->exact_count++;
    if (rule & IDX_FAMILY_ALL)
        idx_parts_add(&d->exact, at, rule);
}

/* What a rule comes down to in an item: in state, or in all others, or 0: in none. */
static unsigned rule_in(unsigned rule, bool task)
{
    if (rule & IDX_IN_STATE && rule != IDX_IN_STATE)
        return task ? rule & ~(unsigned)IDX_IN_STATE : IDX_IN_STATE;
    return rule & (IDX_IN_EXACT | IDX_IN_STATE) ? rule : 0;
}

struct named {
    const struct ost_prop *prop;
    const struct idx_name *name;
};

static bool grow_named(struct idx_digester *d)
{
    size_t capacity = d->named_capacity ? d->named_capacity * 2 : 256;
    struct named *list = mem_realloc(d->named, capacity * sizeof *list);

    if (!list)
        return false;
    d->named = list;
    d->named_capacity = capacity;
    return true;
}

/* Lists the named ones of the properties and gives each its bit; false: not in an order of their
 * own. */
static bool rank_named(struct idx_digester *d, struct ost_props props)
{
    bool distinct = true;

    idx_names_begin(d->names);
    d->named_count = 0;
    for (size_t i = 0; i < props.count; i++) {
        const struct ost_prop *p = &props.list[i];
        const struct idx_name *name;

        if (!p->name)
            continue;
        name = idx_names_find(d->names, &d->canon, p->id, p->name);
        if (!name || (d->named_count == d->named_capacity && !grow_named(d)))
            return false;
        if (name->rule)
            d->named[d->named_count++] = (struct named){p, name};
    }
    idx_names_rank(d->names);
    for (size_t i = 0; i < d->named_count; i++) {
        unsigned rank = d->named[i].name->rank;
        uint64_t bit = UINT64_C(1) << rank % 64;

        distinct = distinct && !(d->ranks[rank / 64] & bit);
        d->ranks[rank / 64] |= bit;
        d->by_rank[rank] = (uint32_t)i;
    }
    if (!distinct)
        memset(d->ranks, 0, sizeof d->ranks);
    return distinct;
}

static void put_ranked(struct idx_digester *d, const struct ost_item *item, bool task)
{
    size_t left = d->named_count;

    for (unsigned word = 0; left; word++) {
        for (; d->ranks[word]; d->ranks[word] &= d->ranks[word] - 1, left--) {
            unsigned rank = word * 64 + (unsigned)__builtin_ctzll(d->ranks[word]);
            const struct named *n = &d->named[d->by_rank[rank]];
            unsigned rule = rule_in(n->name->rule, task);
            struct buf *out = entries_of(d, rule);
            struct bytes key = idx_names_key(d->names, n->name);
            size_t at = out->size;

            if (!rule)
                continue;
            idx_canon_named(&d->canon, out, key, n->prop, item->codepage);
            end_entry(d, out, at, rule);
        }
    }
}

static void put_sorted(struct idx_digester *d, const struct ost_item *item, struct ost_props props,
                       bool task)
{
    idx_parts_reset(&d->entries);
    for (size_t i = 0; i < props.count; i++) {
        const struct ost_prop *p = &props.list[i];
        unsigned rule = p->name ? rule_in(idx_property_rule(p->id, p->name), task) : 0;
        size_t at = d->entries.bytes.size;

        if (!rule)
            continue;
        idx_canon_entry(&d->canon, &d->entries.bytes, p, item->codepage);
        idx_parts_add(&d->entries, at, rule);
    }
    idx_parts_sort(&d->entries, 0);
    for (size_t i = 0; i < d->entries.count; i++) {
        const struct idx_part *e = &d->entries.list[i];
        struct buf *out = entries_of(d, e->rule);
        size_t at = out->size;

        buf_append(out, d->entries.bytes.data + e->offset, e->size);
        end_entry(d, out, at, e->rule);
    }
}

static void start_entries(struct idx_digester *d)
{
    idx_parts_reset(&d->exact);
    idx_buf_trim(&d->state);
    d->exact_count = d->state_count = 0;
    idx_put_domain(&d->exact.bytes, "ostscan.exact.1");
    idx_canon_u64(&d->exact.bytes, 0);
    idx_put_domain(&d->state, "ostscan.state.1");
    idx_canon_u64(&d->state, 0);
}

/* Counts stand right behind the domains, which are of one size. */
static void end_entries(struct idx_digester *d)
{
    const size_t at = sizeof "ostscan.exact.1";

    if (!d->exact.bytes.failed)
        put_le64(d->exact.bytes.data + at, d->exact_count);
    if (!d->state.failed)
        put_le64(d->state.data + at, d->state_count);
}

static void item_entries(struct idx_digester *d, const struct ost_item *item)
{
    bool task = idx_kind_of_item(item) == KIND_TASK;
    struct ost_props named = item->props;

    for (; named.count && named.list->id < IDX_TAGS; named.list++, named.count--) {
        const struct ost_prop *p = named.list;
        unsigned rule = rule_in(idx_tag_rules[p->id], task);
        struct buf *out;
        size_t at;

        if (!rule || p->name)
            continue;
        out = entries_of(d, rule);
        at = out->size;
        put_tagged(d, out, item, p);
        end_entry(d, out, at, rule);
    }
    if (rank_named(d, named))
        put_ranked(d, item, task);
    else
        put_sorted(d, item, named, task);
}

/* ---- records of recipients and attachments ---- */

/* Its type, and what identifies a recipient wherever it stands; the rest is of the store and its
 * address book. */
enum { RECIPIENT_IDS = 5 };
static const uint16_t recipient_ids[RECIPIENT_IDS] = {0x0C15, 0x3001, 0x3002, 0x3003, 0x39FE};

static void recipient_record(struct idx_digester *d, const struct ost_item *item,
                             struct ost_props recipient)
{
    const struct ost_prop *picked[RECIPIENT_IDS];
    const struct ost_prop *type;
    size_t at = d->lists.bytes.size;

    ost_props_pick(recipient, recipient_ids, RECIPIENT_IDS, picked);
    type = ost_prop_is(picked[0], OST_I32) ? picked[0] : NULL;
    if (type && type->value.size == 4)
        idx_canon_u64(&d->lists.bytes, le32(type->value.data) & 0x0F);
    else
        idx_canon_u64(&d->lists.bytes, UINT64_MAX);
    for (size_t i = 1; i < RECIPIENT_IDS; i++) {
        if (picked[i])
            idx_canon_entry(&d->canon, &d->lists.bytes, picked[i], item->codepage);
    }
    idx_parts_add(&d->lists, at, 0);
}

void idx_put_name(struct idx_digester *d, const struct ost_item *item, struct ost_props props)
{
    static const uint16_t ids[] = {0x3707, 0x3704, 0x3001};
    const struct ost_prop *p = NULL;

    for (size_t i = 0; i < sizeof ids / sizeof *ids && (!p || !p->value.size); i++)
        p = ost_props_find(props, ids[i], OST_UNICODE);
    if (!p) {
        idx_canon_form(&d->lists.bytes, IDX_FORM_ABSENT);
        return;
    }
    d->scratch.size = 0;
    if (!idx_canon_normal(&d->canon, &d->scratch, p, item->codepage))
        buf_append(&d->scratch, p->value.data, p->value.size);
    idx_canon_bytes(&d->canon, &d->lists.bytes, (struct bytes){d->scratch.data, d->scratch.size});
}

void idx_put_content(struct idx_digester *d, const struct ost_attachment *a,
                     const struct ost_digest *embedded)
{
    if (!a->has_data) {
        idx_canon_form(&d->lists.bytes, IDX_FORM_ABSENT);
    } else if (!a->data_digest.size) {
        idx_canon_form(&d->lists.bytes, IDX_FORM_UNREADABLE);
        idx_canon_u64(&d->lists.bytes, a->data_bytes);
    } else {
        idx_canon_form(&d->lists.bytes, IDX_FORM_LONG);
        idx_canon_u64(&d->lists.bytes, a->data_bytes);
        buf_append(&d->lists.bytes, a->data_digest.bytes, a->data_digest.size);
    }
    if (a->truncated_depth || (a->embedded && !embedded->size))
        idx_canon_form(&d->lists.bytes, IDX_FORM_TOO_DEEP);
    else
        idx_canon_digest(&d->lists.bytes, embedded);
}

/* Of these an attachment's record holds what they come down to, or nothing (DIGESTS.md). */
static bool in_record_head(uint16_t id)
{
    return id == 0x3001 || id == 0x3701 || id == 0x3704 || id == 0x3705 || id == 0x3707;
}

static void attachment_record(struct idx_digester *d, const struct ost_item *item,
                              const struct ost_attachment *a, const struct ost_digest *embedded)
{
    size_t at = d->lists.bytes.size, entry_at = d->entries.bytes.size, first = d->entries.count;

    idx_canon_u64(&d->lists.bytes, a->method < 0 ? UINT64_MAX : (uint64_t)a->method);
    idx_put_name(d, item, a->props);
    idx_put_content(d, a, embedded);
    for (size_t i = 0; i < a->props.count; i++) {
        const struct ost_prop *p = &a->props.list[i];
        size_t from = d->entries.bytes.size;

        if (in_record_head(p->id) || !(idx_property_rule(p->id, p->name) & IDX_IN_EXACT))
            continue;
        idx_canon_entry(&d->canon, &d->entries.bytes, p, item->codepage);
        idx_parts_add(&d->entries, from, 0);
    }
    idx_parts_sort(&d->entries, first);
    idx_canon_u64(&d->lists.bytes, d->entries.count - first);
    for (size_t i = first; i < d->entries.count; i++) {
        const struct idx_part *s = &d->entries.list[i];

        buf_append(&d->lists.bytes, d->entries.bytes.data + s->offset, s->size);
    }
    d->entries.count = first;
    d->entries.bytes.size = entry_at;
    idx_parts_add(&d->lists, at, 0);
}

/* ---- the digests ---- */

bool idx_digester_failed(const struct idx_digester *d)
{
    return d->exact.bytes.failed || d->state.failed || d->entries.bytes.failed ||
           d->lists.bytes.failed || d->scratch.failed;
}

/* Leaves what it was made of behind, for core and state. */
static int digest_exact(struct idx_digester *d, const struct ost_item *item,
                        const struct ost_digest *embedded, struct ost_digest *out)
{
    size_t recipients;

    start_entries(d);
    idx_parts_reset(&d->entries);
    idx_parts_reset(&d->lists);
    idx_buf_trim(&d->scratch);
    digest_bodies(d, item);
    item_entries(d, item);
    for (size_t i = 0; i < item->recipient_count && !idx_digester_failed(d); i++)
        recipient_record(d, item, item->recipients[i]);
    idx_parts_sort(&d->lists, 0);
    recipients = d->lists.count;
    for (size_t i = 0; i < item->attachment_count && !idx_digester_failed(d); i++)
        attachment_record(d, item, &item->attachments[i], &embedded[i]);
    idx_parts_sort(&d->lists, recipients);
    end_entries(d);
    idx_put_list(d, &d->exact.bytes, 0, recipients);
    idx_put_list(d, &d->exact.bytes, recipients, d->lists.count);
    if (idx_digester_failed(d))
        return ERR_NOMEM;
    idx_hash_all(d->hash, d->exact.bytes.data, d->exact.bytes.size, out);
    return 0;
}

/* ---- embedded items ---- */

struct frame {
    const struct ost_item *item;
    struct ost_digest *digests; /* one an attachment */
    size_t next;
};

static int push(struct arena *arena, struct frame *frame, const struct ost_item *item)
{
    *frame = (struct frame){.item = item};
    frame->digests = arena_alloc_array(arena, item->attachment_count, sizeof *frame->digests);
    if (!frame->digests)
        return ERR_NOMEM;
    if (item->attachment_count)
        memset(frame->digests, 0, item->attachment_count * sizeof *frame->digests);
    return 0;
}

/* The exact digests of what `item` embeds, deepest first. */
static int digest_embedded(struct idx_digester *d, struct arena *arena, const struct ost_item *item,
                           const struct ost_digest **out)
{
    struct frame stack[OST_LIMIT_EMBEDDED_DEPTH + 1];
    size_t depth = 0;
    int rc = push(arena, &stack[0], item);

    while (!rc) {
        struct frame *top = &stack[depth];
        const struct ost_item *below = NULL;

        if (top->next < top->item->attachment_count) {
            below = top->item->attachments[top->next].embedded;
            if (!below || depth == OST_LIMIT_EMBEDDED_DEPTH) {
                top->next++;
                continue;
            }
            rc = push(arena, &stack[++depth], below);
            continue;
        }
        if (!depth)
            break;
        depth--;
        rc = digest_exact(d, top->item, top->digests, &stack[depth].digests[stack[depth].next]);
        stack[depth].next++;
    }
    if (rc)
        return rc;
    *out = stack[0].digests;
    return 0;
}

/* ---- all of an item ---- */

int idx_digest_item(struct idx_digester *d, struct arena *arena, const struct ost_item *item,
                    const struct idx_view *view, struct idx_digests *out)
{
    struct idx_digests all = {0};
    struct bytes id = idx_message_id(view);
    struct ost_digest mih;
    int rc;

    rc = digest_embedded(d, arena, item, &all.embedded);
    if (rc)
        return rc;
    rc = digest_exact(d, item, all.embedded, &all.exact);
    if (rc)
        return rc;
    idx_hash_all(d->hash, d->state.data, d->state.size, &all.state);
    all.body_text = d->bodies[BODY_TEXT];
    all.body_html = d->bodies[BODY_HTML];
    all.body_rtf = d->bodies[BODY_RTF];
    rc = idx_digest_core(d, item, view, all.embedded, &all.core);
    if (rc)
        return rc;
    if (id.size) {
        idx_hash_all(d->md5, id.data, id.size, &mih);
        memcpy(all.mih, mih.bytes, sizeof all.mih);
        all.has_mih = true;
    }
    *out = all;
    return 0;
}
