/*
 * fuzz_digest.c: an item built of any bytes: code page, then properties of the item, of recipients
 * and attachments by turns. Digests must come out, and the same when made again.
 */
#include <stdlib.h>
#include <string.h>

#include "index/digest.h"
#include "index/property.h"
#include "tests/support/maker.h"

enum { PROPS = 60, PARTS = 6 };

static struct bytes take(struct bytes *from, size_t size)
{
    struct bytes part = {from->data, size < from->size ? size : from->size};

    from->data += part.size;
    from->size -= part.size;
    return part;
}

static uint32_t number(struct bytes *from, size_t size)
{
    uint8_t bytes[4] = {0};
    struct bytes part = take(from, size);

    if (part.size)
        memcpy(bytes, part.data, part.size);
    return le32(bytes);
}

static void property(struct maker_props *to, struct bytes *in)
{
    uint16_t id = (uint16_t)number(in, 2), type = (uint16_t)number(in, 2);
    struct bytes value = take(in, number(in, 1));
    struct ost_prop *p;

    if (to->count == PROPS)
        return;
    p = maker_prop(to, id, type, value.data, value.size);
    if (id >= 0x8000)
        maker_lid(to, p, idx_set_guids[number(in, 1) % IDX_SETS], number(in, 2));
}

static struct maker *build(struct bytes in)
{
    static const uint32_t pages[] = {1252, 932, 65001, 50220, 65000, 874, 1200, 949};
    struct maker *m = maker_create();
    struct maker_props *to = &m->props;

    m->item.codepage = pages[number(&in, 1) % 8];
    while (in.size) {
        unsigned what = number(&in, 1);

        if (what == 0xFF && m->recipient_count < PARTS)
            to = maker_recipient(m);
        else if (what == 0xFE && m->attachment_count < PARTS)
            to = maker_attachment(m, (int32_t)number(&in, 1));
        else if (what == 0xFD)
            to = &m->props;
        property(to, &in);
    }
    return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct maker *m;
    const struct ost_item *item;
    struct idx_digester *d;
    struct idx_text *text;
    struct arena arena;
    struct idx_digests first, second;
    struct idx_view view;

    if (!size || idx_text_create(&text) || idx_digester_create(IDX_XXH3, &d))
        return 0;
    m = build((struct bytes){data, size});
    item = maker_item(m);
    arena_init(&arena, 1 << 24);
    if (idx_view_make(text, &arena, item, &view) ||
        idx_digest_item(d, &arena, item, &view, &first) ||
        idx_digest_item(d, &arena, item, &view, &second))
        abort();
    if (memcmp(&first.exact, &second.exact, sizeof first.exact) ||
        memcmp(&first.core, &second.core, sizeof first.core) ||
        memcmp(&first.state, &second.state, sizeof first.state))
        abort();
    arena_done(&arena);
    idx_digester_destroy(d);
    idx_text_destroy(text);
    maker_destroy(m);
    return 0;
}
