/* test_message.c: items with recipients, attachments and embedded items; what each damage costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/message.h"
#include "tests/support/forge.h"
#include "tests/support/tinymessage.h"
#include "tests/support/tinyread.h"

/* A hasher that sums bytes, and counts its states. */
struct summing {
    unsigned begun, ended, aborted;
    uint64_t sum;
    bool fail;
};

static struct summing summing;

static void *sum_begin(void *ctx)
{
    struct summing *s = ctx;

    if (s->fail)
        return NULL;
    s->begun++;
    s->sum = 0;
    return s;
}

static void sum_update(void *state, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((struct summing *)state)->sum += ((const uint8_t *)data)[i];
}

static void sum_end(void *state, struct ost_digest *out)
{
    struct summing *s = state;

    s->ended++;
    *out = (struct ost_digest){.size = 16};
    put_le64(out->bytes, s->sum);
}

static void sum_abort(void *state)
{
    ((struct summing *)state)->aborted++;
}

static const struct ost_hasher hasher = {&summing, sum_begin, sum_update, sum_end, sum_abort};

struct fixture {
    struct tinyread x;
    struct ost_namemap names;
    struct ost_subnode roots;
};

static int read_item(struct fixture *f, struct ost_item *out)
{
    struct ost_message_reader reader = {&f->x.reading, &f->names, &hasher, 1250, false};

    summing = (struct summing){0};
    return ost_message_read(&reader, f->roots, out);
}

static void init(struct fixture *f, enum ost_format format)
{
    memset(f, 0, sizeof *f);
    tiny_init(&f->x.tiny, format);
}

static void open_it(struct fixture *f, struct ost_subnode roots)
{
    f->roots = roots;
    tinyread_open(&f->x, UINT64_MAX);
}

static void done(struct fixture *f)
{
    assert_int_equal(summing.begun, summing.ended + summing.aborted);
    tinyread_done(&f->x);
}

/* Where the parts of the full message are, to break them. */
struct parts {
    struct ost_subnode recipients, table, plain, embedding, storage, inner, storage_data;
    uint64_t plain_data;
};

static struct ost_subnode full_message(struct tiny *t, struct parts *p)
{
    static const uint32_t recipients[] = {1, 2}, nids[] = {0x8025, 0x8045, 0x8065};
    static const char *const names[] = {"Anna", NULL};
    static uint8_t data[20000];
    struct ost_subnode parts[5];

    memset(data, 1, sizeof data);
    p->storage_data = (struct ost_subnode){0x9F, tiny_value(t, data, 300), 0};
    p->inner = tiny_message(t, 0x10024, "inner", NULL, 0, 10);
    p->table = parts[0] = tiny_table(t, 0x671, nids, NULL, 3);
    p->recipients = parts[1] = tiny_table(t, 0x692, recipients, names, 2);
    p->plain_data = t->next_bid;
    p->plain = parts[2] = tiny_attachment(t, 0x8025, data, sizeof data);
    p->embedding = parts[3] = tiny_object_attachment(t, 0x8045, 5, p->inner);
    p->storage = parts[4] = tiny_object_attachment(t, 0x8065, 6, p->storage_data);
    return tiny_message(t, 0x200024, "full", parts, 5, 9000);
}

static void expect_text(struct ost_props props, uint16_t id, const char *text)
{
    const struct ost_prop *p = ost_props_find(props, id, OST_STRING8);

    assert_non_null(p);
    assert_int_equal(p->value.size, strlen(text));
    assert_memory_equal(p->value.data, text, p->value.size);
}

static void an_item_is_read_whole(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct parts parts;
        struct fixture f;
        struct ost_item item;
        const struct ost_attachment *a;

        init(&f, forge_formats[i]);
        open_it(&f, full_message(&f.x.tiny, &parts));
        assert_int_equal(read_item(&f, &item), 0);
        assert_int_equal(item.nid, 0x200024);
        assert_int_equal(item.codepage, 1250);
        assert_int_equal(item.damage_count, 0);
        expect_text(item.props, TINY_SUBJECT, "full");
        assert_int_equal(ost_props_find(item.props, TINY_BODY, 0)->value.size, 9000);
        assert_int_equal(item.recipient_count, 2);
        expect_text(item.recipients[0], 0x3001, "Anna");
        assert_int_equal(item.recipients[0].count, 2);
        assert_null(ost_props_find(item.recipients[1], 0x3001, 0));
        assert_int_equal(item.attachment_count, 3);
        a = item.attachments;
        assert_int_equal(a[0].nid, 0x8025);
        assert_int_equal(a[0].method, 1);
        expect_text(a[0].props, 0x3704, "a.txt");
        assert_null(ost_props_find(a[0].props, 0x3701, 0));
        assert_true(a[0].has_data);
        assert_int_equal(a[0].data_bytes, 20000);
        assert_int_equal(a[0].data_digest.size, 16);
        assert_int_equal(le64(a[0].data_digest.bytes), 20000);
        assert_int_equal(a[1].method, 5);
        assert_false(a[1].has_data);
        assert_non_null(a[1].embedded);
        expect_text(a[1].embedded->props, TINY_SUBJECT, "inner");
        assert_int_equal(a[1].embedded->nid, 0x10024);
        assert_int_equal(a[1].embedded->folder, 0);
        assert_int_equal(a[2].method, 6);
        assert_true(a[2].has_data);
        assert_int_equal(le64(a[2].data_digest.bytes), 300);
        assert_int_equal(f.x.finding_count, 0);
        assert_int_equal(summing.ended, 2);
        done(&f);
    }
}

/* Takes a block out of the list of blocks. */
static void destroy(struct fixture *f, uint64_t bid)
{
    struct tiny *t = &f->x.tiny;

    for (unsigned i = 0; i < t->block_count; i++) {
        if (t->blocks[i].bid != bid)
            continue;
        memmove(&t->blocks[i], &t->blocks[i + 1], (--t->block_count - i) * sizeof *t->blocks);
        return;
    }
    fail();
}

/* Recipients of which the matrix holds `rows` and the row index `indexed`. */
static struct ost_subnode indexed_recipients(struct tiny *t, unsigned rows, unsigned indexed)
{
    enum { ROW = 5, BITMAP = 4, HID_ROW_INDEX = 10 };
    static const struct forge_column id = {0x67F2, OST_I32, 0, 4, 0};
    struct forge_heap *h = forge_heap_new(t->v->format, OST_HEAP_TABLE);
    uint8_t matrix[4 * ROW] = {0}, records[4 * 8] = {0};
    uint32_t info, hid = 0;

    for (unsigned i = 0; i < rows; i++)
        forge_cell(matrix + (size_t)i * ROW, &id, BITMAP, i + 1);
    for (unsigned i = 0; i < indexed; i++) {
        put_le32(records + (size_t)i * 8, i + 1);
        put_le32(records + (size_t)i * 8 + 4, i);
    }
    if (rows)
        hid = forge_heap_add(h, matrix, (size_t)rows * ROW);
    info = forge_tcinfo(h, &id, 1, BITMAP, ROW, hid);
    hid = forge_bth(h, 4, 4, records, (size_t)indexed * 8);
    put_le32(forge_heap_at(h, info) + HID_ROW_INDEX, hid);
    forge_heap_finish(h, info);
    return (struct ost_subnode){0x692, tiny_heap(t, h), 0};
}

/* Rows that the index names and the matrix lacks are lost. The index may lack rows: it does in real
 * files. */
static void rows_that_are_gone_are_told(void **state)
{
    static const struct {
        unsigned rows, indexed, lost;
    } cases[] = {{3, 3, 0}, {2, 3, 1}, {0, 1, 1}, {3, 0, 0}, {3, 1, 0}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ost_subnode part;
        struct ost_item item;
        struct fixture f;

        init(&f, OST_FORMAT_UNICODE);
        part = indexed_recipients(&f.x.tiny, cases[i].rows, cases[i].indexed);
        f.roots = tiny_message(&f.x.tiny, 0x200024, "rows", &part, 1, 0);
        open_it(&f, f.roots);
        assert_int_equal(read_item(&f, &item), 0);
        assert_int_equal(item.recipient_count, cases[i].rows);
        assert_int_equal(tinyread_damages(&f.x, F_table_failed), cases[i].lost);
        done(&f);
    }
}

/* A list of properties that is formed as an empty one, and a column outside its rows. */
static void what_is_emptied_is_told(void **state)
{
    enum { ROW = 9, BITMAP = 8 };
    static const struct forge_column columns[] = {{0x3001, OST_STRING8, 6, 4, 1},
                                                  {0x67F2, OST_I32, 0, 4, 0}};
    struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE, OST_HEAP_TABLE);
    struct ost_subnode part = {.nid = 0x692};
    uint8_t row[ROW] = {0};
    struct ost_item item;
    struct fixture f;

    (void)state;
    init(&f, OST_FORMAT_UNICODE);
    f.roots = (struct ost_subnode){0x200024, tiny_pc(&f.x.tiny, NULL, 0), 0};
    open_it(&f, f.roots);
    assert_int_equal(read_item(&f, &item), 0);
    assert_int_equal(item.props.count, 0);
    assert_int_equal(tinyread_damages(&f.x, F_property_failed), 1);
    done(&f);

    init(&f, OST_FORMAT_UNICODE);
    forge_cell(row, &columns[1], BITMAP, 1);
    forge_heap_finish(h,
                      forge_tcinfo(h, columns, 2, BITMAP, ROW, forge_heap_add(h, row, sizeof row)));
    part.data = tiny_heap(&f.x.tiny, h);
    f.roots = tiny_message(&f.x.tiny, 0x200024, "columns", &part, 1, 0);
    open_it(&f, f.roots);
    assert_int_equal(read_item(&f, &item), 0);
    assert_int_equal(item.recipient_count, 1);
    assert_int_equal(tinyread_damages(&f.x, F_table_failed), 1);
    done(&f);
}

static void each_loss_costs_its_part(void **state)
{
    struct parts parts;
    struct ost_item item;
    struct fixture f;

    (void)state;
    /* the recipients */
    init(&f, OST_FORMAT_UNICODE);
    f.roots = full_message(&f.x.tiny, &parts);
    destroy(&f, parts.recipients.data);
    open_it(&f, f.roots);
    assert_int_equal(read_item(&f, &item), 0);
    assert_int_equal(item.recipient_count, 0);
    assert_int_equal(item.attachment_count, 3);
    assert_int_equal(tinyread_damages(&f.x, F_table_failed), 1);
    done(&f);
    /* the table of attachments: they are found without it */
    init(&f, OST_FORMAT_UNICODE);
    f.roots = full_message(&f.x.tiny, &parts);
    destroy(&f, parts.table.data);
    open_it(&f, f.roots);
    assert_int_equal(read_item(&f, &item), 0);
    assert_int_equal(item.attachment_count, 3);
    assert_non_null(item.attachments[1].embedded);
    assert_int_equal(tinyread_damages(&f.x, F_table_failed), 1);
    done(&f);
    /* an attachment's properties */
    init(&f, OST_FORMAT_UNICODE);
    f.roots = full_message(&f.x.tiny, &parts);
    destroy(&f, parts.plain.data);
    open_it(&f, f.roots);
    assert_int_equal(read_item(&f, &item), 0);
    assert_int_equal(item.attachment_count, 3);
    assert_int_equal(item.attachments[0].nid, 0x8025);
    assert_int_equal(item.attachments[0].method, -1);
    assert_false(item.attachments[0].has_data);
    assert_non_null(item.attachments[1].embedded);
    assert_int_equal(tinyread_damages(&f.x, F_attachment_failed), 1);
    done(&f);
    /* the first block of its data: no digest */
    init(&f, OST_FORMAT_UNICODE);
    f.roots = full_message(&f.x.tiny, &parts);
    destroy(&f, parts.plain_data);
    open_it(&f, f.roots);
    assert_int_equal(read_item(&f, &item), 0);
    assert_true(item.attachments[0].has_data);
    assert_int_equal(item.attachments[0].data_digest.size, 0);
    assert_int_equal(item.attachments[0].data_bytes, 0);
    assert_int_equal(summing.aborted, 1);
    assert_int_equal(tinyread_damages(&f.x, F_attachment_failed), 1);
    done(&f);
    /* the embedded item's properties, and its attachment's subnodes */
    for (unsigned which = 0; which < 2; which++) {
        init(&f, OST_FORMAT_UNICODE);
        f.roots = full_message(&f.x.tiny, &parts);
        destroy(&f, which ? parts.embedding.sub : parts.inner.data);
        open_it(&f, f.roots);
        assert_int_equal(read_item(&f, &item), 0);
        assert_null(item.attachments[1].embedded);
        assert_int_equal(item.attachments[1].method, 5);
        assert_int_equal(item.attachments[2].data_digest.size, 16);
        assert_true(tinyread_damages(&f.x, F_attachment_failed) > 0);
        done(&f);
    }
    /* all subnodes: the properties in the heap remain */
    init(&f, OST_FORMAT_UNICODE);
    f.roots = full_message(&f.x.tiny, &parts);
    destroy(&f, f.roots.sub);
    open_it(&f, f.roots);
    assert_int_equal(read_item(&f, &item), 0);
    expect_text(item.props, TINY_SUBJECT, "full");
    assert_null(ost_props_find(item.props, TINY_BODY, 0));
    assert_int_equal(tinyread_damages(&f.x, F_property_failed), 1);
    assert_int_equal(tinyread_damages(&f.x, F_block_missing), 1);
    done(&f);
    /* the properties: no item */
    init(&f, OST_FORMAT_UNICODE);
    f.roots = full_message(&f.x.tiny, &parts);
    destroy(&f, f.roots.data);
    open_it(&f, f.roots);
    assert_int_equal(read_item(&f, &item), ERR_DAMAGED);
    done(&f);
}

static void damage_within_marks_the_item_around_it(void **state)
{
    struct parts parts;
    struct ost_item item;
    struct fixture f;

    (void)state;
    init(&f, OST_FORMAT_UNICODE4K);
    f.roots = full_message(&f.x.tiny, &parts);
    tiny_at(&f.x.tiny, parts.inner.data)[20] ^= 1; /* suspect */
    open_it(&f, f.roots);
    assert_int_equal(read_item(&f, &item), 0);
    assert_non_null(item.attachments[1].embedded);
    assert_int_equal(item.attachments[1].embedded->damage_count, 1);
    assert_int_equal(item.attachments[1].embedded->damage[0].code, F_block_crc);
    assert_int_equal(item.attachments[1].embedded->damage[0].bid, parts.inner.data);
    assert_int_equal(item.damage_count, 1);
    assert_int_equal(item.damage[0].code, F_item_partial);
    done(&f);
}

static void rows_without_subnodes_are_failed_attachments(void **state)
{
    static const uint32_t nids[] = {0x8025, 0, 0x8045};
    struct ost_subnode parts[2];
    struct ost_item item;
    struct fixture f;

    (void)state;
    init(&f, OST_FORMAT_ANSI);
    parts[0] = tiny_table(&f.x.tiny, 0x671, nids, NULL, 3);
    parts[1] = tiny_attachment(&f.x.tiny, 0x8045, "x", 1);
    open_it(&f, tiny_message(&f.x.tiny, 0x200024, "s", parts, 2, 0));
    assert_int_equal(read_item(&f, &item), 0);
    assert_int_equal(item.attachment_count, 2); /* a row of no nid is none */
    assert_int_equal(item.attachments[0].method, -1);
    assert_int_equal(item.attachments[1].data_bytes, 1);
    assert_int_equal(tinyread_damages(&f.x, F_attachment_failed), 1);
    done(&f);
}

static void items_nest_to_the_bound(void **state)
{
    static const uint32_t nid[] = {0x8025};

    (void)state;
    for (unsigned deep = OST_LIMIT_EMBEDDED_DEPTH; deep <= OST_LIMIT_EMBEDDED_DEPTH + 1; deep++) {
        struct ost_subnode inner, parts[2];
        const struct ost_item *at;
        struct ost_item item;
        struct fixture f;
        unsigned depth = 0;

        init(&f, OST_FORMAT_UNICODE4K);
        inner = tiny_message(&f.x.tiny, 0x10024, "x", NULL, 0, 0);
        for (unsigned i = 0; i < deep; i++) {
            parts[0] = tiny_table(&f.x.tiny, 0x671, nid, NULL, 1);
            parts[1] = tiny_object_attachment(&f.x.tiny, 0x8025, 5, inner);
            inner = tiny_message(&f.x.tiny, 0x10024, "x", parts, 2, 0);
        }
        open_it(&f, inner);
        assert_int_equal(read_item(&f, &item), 0);
        at = &item;
        while (at->attachment_count && at->attachments[0].embedded) {
            at = at->attachments[0].embedded;
            depth++;
        }
        assert_int_equal(depth, OST_LIMIT_EMBEDDED_DEPTH);
        if (deep > OST_LIMIT_EMBEDDED_DEPTH) {
            assert_true(at->attachments[0].truncated_depth);
            assert_int_equal(at->damage[0].code, F_embedded_depth);
            assert_int_equal(tinyread_told(&f.x, F_embedded_depth), 1);
            assert_int_equal(item.damage[0].code, F_item_partial);
        } else {
            assert_int_equal(item.damage_count, 0);
        }
        done(&f);
    }
}

/* An item whose attachments' subnode trees are the one they lie in, and which is its own item. */
static void an_item_within_itself_ends(void **state)
{
    enum { FANS = 20 };
    uint32_t nids[FANS];
    struct ost_subnode parts[FANS + 2];
    struct ost_item item;
    struct fixture f;
    uint8_t ref[8];
    const struct forge_prop props[] = {{0x3701, OST_OBJECT, 0, ref, 8},
                                       {0x3705, OST_I32, 5, NULL, 0}};
    uint64_t attachment, own_tree, decoded = 0;
    struct ost_subnode roots;
    int rc;

    (void)state;
    init(&f, OST_FORMAT_UNICODE);
    put_le32(ref, 0x10024);
    put_le32(ref + 4, 0);
    for (unsigned i = 0; i < FANS; i++)
        nids[i] = 0x8025 + 0x20 * i;
    parts[0] = tiny_table(&f.x.tiny, 0x671, nids, NULL, FANS);
    attachment = tiny_pc(&f.x.tiny, props, 2);
    roots = tiny_message(&f.x.tiny, 0x10024, "x", NULL, 0, 0);
    own_tree = f.x.tiny.next_bid | BID_INTERNAL; /* that of the block to come */
    for (unsigned i = 0; i < FANS; i++)
        parts[1 + i] = (struct ost_subnode){nids[i], attachment, own_tree};
    parts[FANS + 1] = (struct ost_subnode){0x10024, roots.data, own_tree};
    assert_int_equal(tiny_subnodes(&f.x.tiny, parts, FANS + 2), own_tree);
    roots.sub = own_tree;
    f.roots = roots;
    for (unsigned i = 0; i < f.x.tiny.block_count; i++)
        decoded += f.x.tiny.blocks[i].inflated + (uint64_t)OST_LIMIT_BLOCK_COST;
    tinyread_open(&f.x, OST_LIMIT_HANDED_OUT * decoded + OST_LIMIT_HANDED_OUT_ANYWAY);
    rc = read_item(&f, &item);
    assert_int_equal(rc, ERR_LIMIT);
    done(&f);
}

static void counts_beyond_the_bounds_are_limits(void **state)
{
    struct ost_subnode part = {0x692, 0, 0}, matrix = {0x3F, 0, 0};
    static const struct forge_column column[] = {{0x67F2, OST_I32, 0, 1, 0}};
    struct ost_item item;
    struct fixture f;
    static uint8_t bytes[64][8176];
    uint8_t xblock[8 + 300 * 8];
    struct forge_heap *h;
    uint64_t bids[300];

    (void)state;
    init(&f, OST_FORMAT_UNICODE);
    /* rows of 2 bytes, in one block that an XBLOCK names 300 times: 1.2 million rows */
    bids[0] = tiny_block(&f.x.tiny, bytes, 8176, false);
    for (unsigned i = 1; i < 300; i++)
        bids[i] = bids[0];
    matrix.data = tiny_block(&f.x.tiny, xblock,
                             forge_xblock(f.x.tiny.v, xblock, 1, 300 * 8176, bids, 300), true);
    h = forge_heap_new(OST_FORMAT_UNICODE, OST_HEAP_TABLE);
    forge_heap_finish(h, forge_tcinfo(h, column, 1, 1, 2, 0x3F));
    part.data = tiny_heap(&f.x.tiny, h);
    part.sub = tiny_subnodes(&f.x.tiny, &matrix, 1);
    open_it(&f, tiny_message(&f.x.tiny, 0x200024, "s", &part, 1, 0));
    assert_int_equal(read_item(&f, &item), ERR_LIMIT);
    done(&f);
}

static void memory_can_fail(void **state)
{
    struct ost_item item;
    struct parts parts;
    struct fixture f;
    uint64_t nth = 0;
    int rc;

    (void)state;
    init(&f, OST_FORMAT_UNICODE);
    open_it(&f, full_message(&f.x.tiny, &parts));
    do {
        ost_reading_end(&f.x.reading);
        arena_done(&f.x.arena);
        arena_init(&f.x.arena, 64 << 20);
        ost_reading_begin(&f.x.reading, 0x24, 0x22, true);
        mem_test_fail(++nth, 0);
        rc = read_item(&f, &item);
        mem_test_fail(0, 0);
        assert_int_equal(summing.begun, summing.ended + summing.aborted);
    } while (rc == ERR_NOMEM);
    assert_int_equal(rc, 0);
    assert_true(nth > 1);
    tinyread_again(&f.x);
    summing.fail = true;
    done(&f);
}

static void a_hasher_can_fail_or_be_missing(void **state)
{
    struct ost_message_reader reader = {.hasher = &hasher};
    struct ost_item item;
    struct parts parts;
    struct fixture f;

    (void)state;
    init(&f, OST_FORMAT_UNICODE);
    open_it(&f, full_message(&f.x.tiny, &parts));
    reader.reading = &f.x.reading;
    reader.names = &f.names;
    summing = (struct summing){.fail = true};
    assert_int_equal(ost_message_read(&reader, f.roots, &item), ERR_NOMEM);
    tinyread_again(&f.x);
    reader.hasher = NULL;
    assert_int_equal(ost_message_read(&reader, f.roots, &item), 0);
    assert_int_equal(item.attachments[0].data_bytes, 20000);
    assert_int_equal(item.attachments[0].data_digest.size, 0);
    assert_int_equal(item.damage_count, 0);
    done(&f);
}

/* Whoever digested a value before has all of it, the first two leaves, or nothing after all. */
enum had { HAD_ALL, HAD_TWO, HAD_NOTHING, HADS };

struct before {
    enum had had;
    struct summing state; /* of the two leaves */
    struct ost_hasher hasher;
    unsigned skipped;
};

static bool take_before(void *ctx, uint64_t root, struct ost_digested *out)
{
    struct before *b = ctx;

    if (!ost_bid_internal(root))
        return false;
    *out = (struct ost_digested){.bytes = 20000, .leaves = 3, .whole = true};
    out->digest.size = 16;
    out->digest.bytes[0] = 77;
    if (b->had == HAD_TWO)
        *out = (struct ost_digested){
            .bytes = 16352, .leaves = 2, .hasher = &b->hasher, .state = &b->state};
    return b->had != HAD_NOTHING;
}

static bool skip_before(void *ctx, const struct ost_block *leaf)
{
    ((struct before *)ctx)->skipped++;
    assert_int_equal(leaf->inflated, 8176);
    return true;
}

static void what_was_digested_before_is_taken(void **state)
{
    (void)state;
    for (enum had had = 0; had < HADS; had++) {
        struct before before = {.had = had, .hasher = hasher, .state = {.begun = 1, .sum = 16352}};
        const struct ost_digests digests = {&before, take_before, skip_before};
        const struct ost_attachment *a;
        struct ost_item item;
        struct parts parts;
        struct fixture f;

        init(&f, OST_FORMAT_UNICODE);
        open_it(&f, full_message(&f.x.tiny, &parts));
        f.x.reading.digests = &digests;
        assert_int_equal(read_item(&f, &item), 0);
        a = item.attachments;
        assert_true(a[0].has_data);
        assert_int_equal(a[0].data_bytes, 20000);
        assert_int_equal(a[0].data_digest.size, 16);
        assert_int_equal(le64(a[0].data_digest.bytes), had == HAD_ALL ? 77 : 20000);
        assert_int_equal(le64(a[2].data_digest.bytes), 300);
        assert_int_equal(item.damage_count, 0);
        assert_int_equal(before.skipped, had == HAD_TWO ? 2 : 0);
        assert_int_equal(before.state.ended, had == HAD_TWO);
        assert_int_equal(summing.aborted, had != HAD_NOTHING); /* the one that was begun for it */
        done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_is_read_whole),
        cmocka_unit_test(rows_that_are_gone_are_told),
        cmocka_unit_test(what_is_emptied_is_told),
        cmocka_unit_test(each_loss_costs_its_part),
        cmocka_unit_test(damage_within_marks_the_item_around_it),
        cmocka_unit_test(rows_without_subnodes_are_failed_attachments),
        cmocka_unit_test(items_nest_to_the_bound),
        cmocka_unit_test(an_item_within_itself_ends),
        cmocka_unit_test(counts_beyond_the_bounds_are_limits),
        cmocka_unit_test(memory_can_fail),
        cmocka_unit_test(a_hasher_can_fail_or_be_missing),
        cmocka_unit_test(what_was_digested_before_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
