/* tinymessage.c: see tinymessage.h. */
#include "tests/support/tinymessage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "scanner/ost/item.h"
#include "tests/support/forge.h"

enum { TABLE_BITMAP = 8, TABLE_ROW = 9, SUBNODES = 40, LARGE_BODY = 30000 };

struct ost_subnode tiny_table(struct tiny *t, uint32_t nid, const uint32_t *ids,
                              const char *const *texts, unsigned count)
{
    static const struct forge_column columns[] = {{0x3001, OST_STRING8, 4, 4, 1},
                                                  {0x67F2, OST_I32, 0, 4, 0}};
    struct forge_heap *h = forge_heap_new(t->v->format, OST_HEAP_TABLE);
    uint8_t matrix[64 * TABLE_ROW] = {0};
    uint32_t rows = 0;

    assert_true(count <= 64);
    for (unsigned i = 0; i < count; i++) {
        forge_cell(matrix + i * TABLE_ROW, &columns[1], TABLE_BITMAP, ids[i]);
        if (texts && texts[i])
            forge_cell(matrix + i * TABLE_ROW, &columns[0], TABLE_BITMAP,
                       forge_heap_add(h, texts[i], strlen(texts[i])));
    }
    if (count)
        rows = forge_heap_add(h, matrix, count * TABLE_ROW);
    forge_heap_finish(h, forge_tcinfo(h, columns, 2, TABLE_BITMAP, TABLE_ROW, rows));
    return (struct ost_subnode){nid, tiny_heap(t, h), 0};
}

struct ost_subnode tiny_attachment(struct tiny *t, uint32_t nid, const void *data, size_t size)
{
    struct ost_subnode value = {0x3F, tiny_value(t, data, size), 0};
    const struct forge_prop props[] = {{0x3701, OST_BINARY, 0x3F, NULL, 0},
                                       {0x3704, OST_STRING8, 0, "a.txt", 5},
                                       {0x3705, OST_I32, 1, NULL, 0}};
    uint64_t sub = tiny_subnodes(t, &value, 1);

    return (struct ost_subnode){nid, tiny_pc(t, props, 3), sub};
}

struct ost_subnode tiny_object_attachment(struct tiny *t, uint32_t nid, int32_t method,
                                          struct ost_subnode object)
{
    uint8_t ref[8];
    const struct forge_prop props[] = {{0x3701, OST_OBJECT, 0, ref, 8},
                                       {0x3705, OST_I32, (uint32_t)method, NULL, 0}};
    uint64_t sub = tiny_subnodes(t, &object, 1);

    put_le32(ref, object.nid);
    put_le32(ref + 4, 100);
    return (struct ost_subnode){nid, tiny_pc(t, props, 2), sub};
}

struct ost_subnode tiny_message(struct tiny *t, uint32_t nid, const char *subject,
                                const struct ost_subnode *subnodes, unsigned count,
                                size_t body_size)
{
    const struct forge_prop props[] = {
        {0x001A, OST_STRING8, 0, "IPM.Note", 8},
        {TINY_SUBJECT, OST_STRING8, 0, subject, strlen(subject)},
        {TINY_BODY, OST_STRING8, body_size ? TINY_BODY_SUBNODE : 0, NULL, 0},
        {0x8000, OST_I32, 42, NULL, 0},
    };
    struct ost_subnode all[SUBNODES], roots = {.nid = nid};
    unsigned n = 0;

    assert_true(count < SUBNODES);
    if (body_size) {
        uint8_t *body = mem_alloc(body_size);

        assert_non_null(body);
        memset(body, 'b', body_size);
        all[n++] = (struct ost_subnode){TINY_BODY_SUBNODE, tiny_value(t, body, body_size), 0};
        mem_free(body);
    }
    for (unsigned i = 0; i < count; i++)
        all[n++] = subnodes[i];
    roots.data = tiny_pc(t, props, 4);
    roots.sub = n ? tiny_subnodes(t, all, n) : 0;
    return roots;
}

static void add_message(struct tiny *t, struct ost_subnode roots, uint32_t folder)
{
    tiny_node(t, roots.nid, roots.data, roots.sub, folder);
}

static struct ost_subnode rich_message(struct tiny *t)
{
    static const uint32_t recipients[] = {1, 2}, attachments[] = {0x8025, 0x8045, 0x8065};
    static const char *const names[] = {"Anna", NULL};
    static uint8_t data[20000];
    struct ost_subnode parts[5], inner, storage = {0x9F, 0, 0};

    memset(data, 'd', sizeof data);
    storage.data = tiny_value(t, data, 300);
    inner = tiny_message(t, 0x10024, "inner", NULL, 0, 10);
    parts[0] = tiny_table(t, 0x671, attachments, NULL, 3);
    parts[1] = tiny_table(t, 0x692, recipients, names, 2);
    parts[2] = tiny_attachment(t, 0x8025, data, sizeof data);
    parts[3] = tiny_object_attachment(t, 0x8045, 5, inner);
    parts[4] = tiny_object_attachment(t, 0x8065, 6, storage);
    return tiny_message(t, TINY_RICH, "rich", parts, 5, 0);
}

static uint64_t names(struct tiny *t)
{
    uint8_t entry[8] = {0x01, 0x82, 0, 0, 6, 0, 0, 0};
    const struct forge_prop props[] = {{0x0002, OST_BINARY, 0, "0123456789ABCDEF", 16},
                                       {0x0003, OST_BINARY, 0, entry, 8},
                                       {0x0004, OST_BINARY, 0, "\0\0\0\0", 4}};

    return tiny_pc(t, props, 3);
}

void tiny_mailbox(struct tiny *t, enum ost_format format)
{
    static const struct tiny_row rows[] = {{TINY_RICH, 1000, "change key", "change list"},
                                           {TINY_LARGE, 2000, "another key", NULL}};
    static const struct tiny_row assoc[] = {{TINY_ASSOC, 3000, NULL, NULL}};
    static const struct tiny_row folders[] = {{TINY_INBOX, 0, NULL, NULL}};
    static const struct forge_prop store[] = {{0x3001, OST_STRING8, 0, "Store", 5}};
    static const struct forge_prop root[] = {{0x3001, OST_STRING8, 0, NULL, 0}};
    static const struct forge_prop inbox[] = {{0x3001, OST_STRING8, 0, "Inbox", 5}};

    tiny_init(t, format);
    tiny_node(t, 0x21, tiny_pc(t, store, 1), 0, 0);
    tiny_node(t, 0x61, names(t), 0, 0);
    tiny_node(t, 0x122, tiny_pc(t, root, 1), 0, 0x122);
    tiny_node(t, TINY_INBOX, tiny_pc(t, inbox, 1), 0, 0x122);
    add_message(t, tiny_message(t, TINY_LARGE, "large", NULL, 0, LARGE_BODY), TINY_INBOX);
    add_message(t, rich_message(t), TINY_INBOX);
    add_message(t, tiny_message(t, TINY_ASSOC, "assoc", NULL, 0, 0), TINY_INBOX);
    add_message(t, tiny_message(t, TINY_ORPHAN, "orphan", NULL, 0, 0), TINY_INBOX);
    add_message(t, tiny_message(t, TINY_LOST, "lost", NULL, 0, 0), 0x9922);
    tiny_contents(t, 0x12D, folders, 1, 0);
    tiny_contents(t, 0x12E, rows, 0, 0);
    tiny_contents(t, 0x12F, rows, 0, 0);
    tiny_contents(t, 0x802D, rows, 0, 0);
    tiny_contents(t, 0x802E, rows, 2, 0);
    tiny_contents(t, 0x802F, assoc, 1, 0x3F);
    tiny_finish(t);
}
