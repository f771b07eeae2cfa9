/* digest_core.c: the core digest (DIGESTS.md, "core"); see digester.h. */
#include "index/digester.h"

#include <string.h>

#include "index/property.h"
#include "io/err.h"

static bool named(const struct ost_prop *p, enum idx_set set, uint32_t number)
{
    return p->name && !p->name->is_text && p->name->number == number && idx_set_of(p->name) == set;
}

static const struct ost_prop *find_named(const struct ost_item *item, enum idx_set set,
                                         uint32_t number)
{
    for (size_t i = 0; i < item->props.count; i++) {
        if (named(&item->props.list[i], set, number))
            return &item->props.list[i];
    }
    return NULL;
}

static struct bytes address_text(const struct idx_address *a)
{
    const struct idx_str *s = a->address.size ? &a->address : &a->name;

    return s->size ? (struct bytes){(const uint8_t *)s->data, s->size} : (struct bytes){0};
}

/* An address is folded to lower case; a name, where there is no address, is not. */
static void put_address(struct idx_digester *d, struct buf *out, const struct idx_address *a)
{
    idx_canon_wtf8(&d->canon, out, address_text(a), a->address.size > 0);
}

static void put_addresses(struct idx_digester *d, const struct idx_address *list, size_t count)
{
    size_t first = d->lists.count;

    for (size_t i = 0; i < count; i++) {
        size_t at = d->lists.bytes.size;

        put_address(d, &d->lists.bytes, &list[i]);
        idx_parts_add(&d->lists, at, 0);
    }
    idx_parts_sort(&d->lists, first);
}

static void put_attachments(struct idx_digester *d, const struct ost_item *item,
                            const struct ost_digest *embedded)
{
    size_t first = d->lists.count;

    for (size_t i = 0; i < item->attachment_count; i++) {
        size_t at = d->lists.bytes.size;

        idx_put_name(d, item, item->attachments[i].props);
        idx_put_content(d, &item->attachments[i], &embedded[i]);
        idx_parts_add(&d->lists, at, 0);
    }
    idx_parts_sort(&d->lists, first);
}

static void put_emails(struct idx_digester *d, const struct ost_item *item)
{
    static const uint32_t numbers[] = {0x8083, 0x8093, 0x80A3};
    size_t first = d->lists.count;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct ost_prop *p = find_named(item, IDX_SET_ADDRESS, numbers[i]);
        size_t at = d->lists.bytes.size;

        d->scratch.size = 0;
        if (!p || !idx_canon_normal(&d->canon, &d->scratch, p, item->codepage) || !d->scratch.size)
            continue;
        idx_canon_wtf8(&d->canon, &d->lists.bytes, (struct bytes){d->scratch.data, d->scratch.size},
                       true);
        idx_parts_add(&d->lists, at, 0);
    }
    idx_parts_sort(&d->lists, first);
}

static const struct ost_digest *core_body(const struct idx_digester *d)
{
    int i = BODY_TEXT;

    while (i < BODY_RTF && !d->bodies[i].size)
        i++;
    return &d->bodies[i];
}

static const struct ost_prop *global_object_id(const struct ost_item *item)
{
    const struct ost_prop *p = find_named(item, IDX_SET_MEETING, 0x0003);

    return p && p->value.size ? p : find_named(item, IDX_SET_MEETING, 0x0023);
}

struct bytes idx_message_id(const struct idx_view *view)
{
    const char *id = view->message_id.data;
    size_t from = 0, to = view->message_id.size;

    while (from < to && strchr(" \t\r\n", id[from]))
        from++;
    while (to > from && strchr(" \t\r\n", id[to - 1]))
        to--;
    return to > from ? (struct bytes){(const uint8_t *)id + from, to - from} : (struct bytes){0};
}

/* Whether there is enough to tell the item from others of its kind. */
static bool is_telling(const struct idx_digester *d, const struct ost_item *item,
                       const struct idx_view *view, enum idx_family family)
{
    bool sender = address_text(&view->from).size > 0;

    if (idx_message_id(view).size || (view->submitted.has && sender) || d->has_body ||
        item->attachment_count)
        return true;
    switch (family) {
    case IDX_FAMILY_APPOINTMENT:
        return global_object_id(item) || find_named(item, IDX_SET_APPOINTMENT, 0x820D);
    case IDX_FAMILY_TASK:
        return find_named(item, IDX_SET_TASK, 0x8104) || find_named(item, IDX_SET_TASK, 0x8105);
    case IDX_FAMILY_JOURNAL:
        return find_named(item, IDX_SET_LOG, 0x8706);
    case IDX_FAMILY_CONTACT:
        if (d->lists.count)
            return true;
        for (size_t i = 0; i < d->exact.count; i++) {
            if ((d->exact.list[i].rule & IDX_FAMILY_ALL) == IDX_FAMILY_CONTACT)
                return true;
        }
        return false;
    default:
        return false;
    }
}

/* What core holds behind its entries is made of single values (scratch) and sorted lists. */
struct core_lists {
    size_t to, cc, attachments; /* where they end in d->lists */
};

static void put_core_lists(struct idx_digester *d, const struct ost_item *item,
                           const struct idx_view *view, const struct ost_digest *embedded,
                           enum idx_family family, struct core_lists *ends)
{
    *ends = (struct core_lists){0};
    if (family == IDX_FAMILY_CONTACT)
        put_emails(d, item);
    if (family != IDX_FAMILY_MAIL)
        return;
    put_addresses(d, view->to, view->to_count);
    ends->to = d->lists.count;
    put_addresses(d, view->cc, view->cc_count);
    ends->cc = d->lists.count;
    put_attachments(d, item, embedded);
    ends->attachments = d->lists.count;
}

static void put_submitted(struct idx_digester *d, const struct idx_view *view)
{
    uint8_t seconds[8];

    put_le64(seconds, view->submitted.filetime / 10000000);
    if (view->submitted.has)
        idx_canon_bytes(&d->canon, &d->scratch, (struct bytes){seconds, sizeof seconds});
    else
        idx_canon_form(&d->scratch, IDX_FORM_ABSENT);
}

/* The single values, in scratch; returns where those behind the lists begin. */
static size_t put_core_values(struct idx_digester *d, const struct ost_item *item,
                              const struct idx_view *view, enum idx_family family)
{
    static const struct ost_digest none = {0};
    const struct ost_digest *body = core_body(d);
    const struct ost_prop *goid;
    size_t behind = 0;

    d->scratch.size = 0;
    switch (family) {
    case IDX_FAMILY_MAIL:
        put_submitted(d, view);
        put_address(d, &d->scratch, &view->from);
        behind = d->scratch.size;
        idx_canon_digest(&d->scratch, idx_message_id(view).size ? &none : body);
        break;
    case IDX_FAMILY_APPOINTMENT:
        goid = global_object_id(item);
        if (goid)
            idx_canon_bytes(&d->canon, &d->scratch, goid->value);
        else
            idx_canon_form(&d->scratch, IDX_FORM_ABSENT);
        idx_canon_digest(&d->scratch, goid ? &none : body);
        break;
    case IDX_FAMILY_CONTACT:
        break;
    default:
        idx_canon_digest(&d->scratch, body);
    }
    return behind;
}

/* The entries that core has of a family: their count, and they. */
static void put_family(struct idx_digester *d, enum idx_family family)
{
    const struct idx_parts *p = &d->exact;
    size_t at = d->core.size;
    uint64_t count = 0;

    idx_canon_u64(&d->core, 0);
    for (size_t i = 0; i < p->count; i++) {
        if (!(p->list[i].rule & family))
            continue;
        buf_append(&d->core, p->bytes.data + p->list[i].offset, p->list[i].size);
        count++;
    }
    if (!d->core.failed)
        put_le64(d->core.data + at, count);
}

int idx_digest_core(struct idx_digester *d, const struct ost_item *item,
                    const struct idx_view *view, const struct ost_digest *embedded,
                    struct ost_digest *out)
{
    enum idx_family family = idx_family_of_kind(view->kind);
    const char *kind = idx_kind_name(view->kind);
    struct core_lists ends;
    size_t behind;

    *out = (struct ost_digest){0};
    idx_parts_reset(&d->lists);
    put_core_lists(d, item, view, embedded, family, &ends);
    behind = put_core_values(d, item, view, family);
    if (idx_digester_failed(d))
        return ERR_NOMEM;
    if (!is_telling(d, item, view, family))
        return 0;
    idx_buf_trim(&d->core);
    idx_put_domain(&d->core, "ostscan.core.1");
    buf_append(&d->core, kind, strlen(kind) + 1);
    put_family(d, family);
    buf_append(&d->core, d->scratch.data, behind);
    if (family == IDX_FAMILY_CONTACT)
        idx_put_list(d, &d->core, 0, d->lists.count);
    if (family == IDX_FAMILY_MAIL) {
        idx_put_list(d, &d->core, 0, ends.to);
        idx_put_list(d, &d->core, ends.to, ends.cc);
        idx_put_list(d, &d->core, ends.cc, ends.attachments);
    }
    buf_append(&d->core, d->scratch.data + behind, d->scratch.size - behind);
    if (d->core.failed)
        return ERR_NOMEM;
    idx_hash_all(d->hash, d->core.data, d->core.size, out);
    return 0;
}
