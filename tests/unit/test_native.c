/* test_native.c: the native engine over whole images: forged, real, damaged and failing ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/engine_native.h"
#include "scanner/ost/folder.h"
#include "tests/support/enginelog.h"
#include "tests/support/fault_source.h"
#include "tests/support/forge.h"
#include "tests/support/ndbfile.h"
#include "tests/support/samples.h"
#include "tests/support/tinymessage.h"

/* Runs over bytes in memory. */
static int run_bytes(struct enginelog *l, const void *data, size_t size,
                     const struct ost_header *header)
{
    struct io_source *source;
    int rc;

    enginelog_init(l);
    assert_int_equal(io_source_open_mem(data, size, &source), 0);
    rc = enginelog_run(l, source, header);
    io_source_close(source);
    return rc;
}

static int run_tiny(struct enginelog *l, const struct tiny *t)
{
    return run_bytes(l, t->data, t->size, &t->header);
}

static bool has_line(const struct enginelog *l, const char *part)
{
    return memmem(l->text.data, l->text.size, part, strlen(part)) != NULL;
}

static void a_mailbox_is_handed_out_whole(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct enginelog l;
        struct tiny t;

        tiny_mailbox(&t, forge_formats[f]);
        assert_int_equal(run_tiny(&l, &t), 0);
        assert_int_equal(l.images, 1);
        assert_int_equal(l.folders, 2);
        assert_int_equal(l.items, 4);
        assert_int_equal(l.assoc, 1);
        assert_int_equal(l.failed + l.partial, 0);
        assert_int_equal(l.recipients, 2);
        assert_int_equal(l.attachments, 3);
        assert_int_equal(l.embedded, 1);
        assert_int_equal(l.data_bytes, 20300);
        assert_int_equal(l.row_items, 3);
        assert_int_equal(l.orphans, 2);
        assert_int_equal(l.codes[F_item_orphan], 2);
        assert_int_equal(l.findings, 2);
        assert_string_equal(l.account, "unknown");
        assert_true(has_line(&l, "folder 8022 in 122 "));
        assert_true(has_line(&l, "rows 1 2 1 1 items 3 1 "));
        enginelog_done(&l);
        tiny_done(&t);
    }
}

/* The order is that of the highest offsets, then nids; parts of the file moved about change it. */
static void items_come_in_sweep_order(void **state)
{
    struct enginelog l;
    struct tiny t;
    uint64_t last = 0;
    char *line;

    (void)state;
    tiny_mailbox(&t, OST_FORMAT_UNICODE);
    assert_int_equal(run_tiny(&l, &t), 0);
    line = strdup(buf_cstr(&l.text));
    for (char *at = strtok(line, "\n"); at; at = strtok(NULL, "\n")) {
        unsigned nid, folder;
        unsigned long long order;

        if (sscanf(at, "item %x in %x at %llx", &nid, &folder, &order) != 3)
            continue;
        assert_true(order >= last);
        /* the highest block of each of these is its subnode tree or, without one, its properties */
        for (unsigned i = 0; i < t.node_count; i++)
            if (t.nodes[i].nid == nid)
                assert_ptr_equal(tiny_at(&t, t.nodes[i].sub ? t.nodes[i].sub : t.nodes[i].data),
                                 t.data + order);
        last = order;
    }
    assert_true(last > 0);
    free(line);
    enginelog_done(&l);
    tiny_done(&t);
}

static struct ost_node *node_of(struct tiny *t, uint32_t nid)
{
    for (unsigned i = 0; i < t->node_count; i++)
        if (t->nodes[i].nid == nid)
            return &t->nodes[i];
    fail();
    return NULL;
}

static void one_bad_item_costs_that_item(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct enginelog whole, l;
        struct tiny t;

        tiny_mailbox(&t, forge_formats[f]);
        assert_int_equal(run_tiny(&whole, &t), 0);
        /* its properties: another block's trailer */
        memset(tiny_at(&t, node_of(&t, TINY_LARGE)->data), 0x55, 128);
        assert_int_equal(run_tiny(&l, &t), 0);
        assert_int_equal(l.items, whole.items - (l.failed ? 1 : 0));
        assert_int_equal(l.failed + l.partial, 1);
        assert_true(l.codes[F_block_lost] + l.codes[F_block_crc] > 0);
        assert_int_equal(l.recipients, whole.recipients);
        assert_int_equal(l.attachments, whole.attachments);
        enginelog_done(&l);
        enginelog_done(&whole);
        tiny_done(&t);
    }
}

/* Names that are lost or may be other ones change what an item's properties are: none that has one
 * is whole. So does the code page. */
static void what_all_items_rest_on_costs_those_that_need_it(void **state)
{
    static const struct forge_prop odd[] = {{0x0037, OST_STRING8, 0, "\xE4", 1}};
    static const struct forge_prop own[] = {{0x0037, OST_STRING8, 0, "\xE4", 1},
                                            {0x3FFD, OST_I32, 1251, NULL, 0}};
    static const struct forge_prop ascii[] = {{0x0037, OST_STRING8, 0, "a", 1}};

    (void)state;
    for (unsigned f = 0; f < 3; f++)
        for (unsigned how = 0; how < 2; how++) {
            struct enginelog l;
            struct tiny t;

            tiny_mailbox(&t, forge_formats[f]);
            /* the block lost, or one byte of it another */
            memset(tiny_at(&t, node_of(&t, 0x61)->data), 0x55, how ? 1 : 40);
            assert_int_equal(run_tiny(&l, &t), 0);
            assert_int_equal(l.items + l.assoc, 5);
            assert_int_equal(l.partial, 5);
            enginelog_done(&l);
            tiny_done(&t);

            tiny_init(&t, forge_formats[f]);
            tiny_node(&t, 0x21, tiny_pc(&t, own, 2), 0, 0);
            tiny_node(&t, 0x200024, tiny_pc(&t, odd, 1), 0, 0x122);
            tiny_node(&t, 0x200044, tiny_pc(&t, own, 2), 0, 0x122);
            tiny_node(&t, 0x200064, tiny_pc(&t, ascii, 1), 0, 0x122);
            tiny_finish(&t);
            memset(tiny_at(&t, node_of(&t, 0x21)->data), 0x55, how ? 1 : 40);
            assert_int_equal(run_tiny(&l, &t), 0);
            assert_int_equal(l.items, 3);
            assert_int_equal(l.partial, 1);
            enginelog_done(&l);
            tiny_done(&t);
        }
}

/* The entry of a node in the leaf that holds it. */
static uint8_t *entry_of(struct tiny *t, uint32_t nid)
{
    uint8_t *root = t->data + t->header.nbt.offset;

    for (unsigned i = 0; i < root[488]; i++) {
        uint8_t *leaf = root[491] ? t->data + le64(root + 24 * (size_t)i + 16) : root;

        for (unsigned k = 0; k < leaf[488] && !(root[491] && leaf[491]); k++)
            if (le32(leaf + 32 * (size_t)k) == nid)
                return leaf + 32 * (size_t)k;
    }
    fail();
    return NULL;
}

/* What was changed is the page that names the map: its entry is no more there. The item stands on
 * another page. */
static void a_map_of_names_lost_from_a_doubted_page_is_told(void **state)
{
    static const struct forge_prop map[] = {
        {0x0002, OST_BINARY, 0, "0123456789ABCDEF", 16},
        {0x0003, OST_BINARY, 0, "\x01\x82\0\0\x06\0\0\0", 8},
        {0x0004, OST_BINARY, 0, "\0\0\0\0", 4}};
    static const struct forge_prop named[] = {{0x8000, OST_I32, 42, NULL, 0}};
    enum { BETWEEN = 40 };

    (void)state;
    for (unsigned gone = 0; gone < 2; gone++) {
        struct enginelog l;
        struct tiny t;

        tiny_init(&t, OST_FORMAT_UNICODE);
        tiny_node(&t, 0x61, tiny_pc(&t, map, 3), 0, 0);
        for (uint32_t i = 0; i < BETWEEN; i++)
            tiny_node(&t, 0x1001 + 32 * i, tiny_pc(&t, named, 1), 0, 0);
        tiny_node(&t, 0x200024, tiny_pc(&t, named, 1), 0, 0x122);
        tiny_finish(&t);
        entry_of(&t, 0x61)[0] ^= gone ? 0xE0 : 0;
        assert_int_equal(run_tiny(&l, &t), 0);
        assert_int_equal(l.codes[F_page_crc], gone);
        assert_int_equal(l.items, 1);
        assert_int_equal(l.partial, gone);
        enginelog_done(&l);
        tiny_done(&t);
    }
}

static void lost_tables_and_nodes_are_told(void **state)
{
    struct enginelog l;
    struct tiny t;

    (void)state;
    /* a contents table that cannot be read: nobody is called an orphan for that */
    tiny_mailbox(&t, OST_FORMAT_UNICODE);
    memset(tiny_at(&t, node_of(&t, 0x802E)->data), 0x55, 128);
    assert_int_equal(run_tiny(&l, &t), 0);
    assert_int_equal(l.items, 4);
    assert_int_equal(l.orphans, 1);
    assert_int_equal(l.codes[F_table_failed], 1);
    assert_true(has_line(&l, "rows 0 0 1 1 items 3 1 "));
    enginelog_done(&l);
    tiny_done(&t);
}

/* A root folder that holds FOLDER, without the table of `missing`; the root's lists `rows`. */
static void make_folders(struct tiny *t, uint32_t missing, const struct tiny_row *rows,
                         unsigned count)
{
    static const struct forge_prop name[] = {{0x3001, OST_STRING8, 0, "f", 1}};
    static const uint32_t folders[] = {0x122, TINY_INBOX};

    tiny_init(t, OST_FORMAT_UNICODE);
    for (unsigned f = 0; f < 2; f++) {
        tiny_node(t, folders[f], tiny_pc(t, name, 1), 0, 0x122);
        for (uint32_t type = OST_NID_HIERARCHY; type <= OST_NID_ASSOC_CONTENTS; type++) {
            uint32_t nid = (folders[f] & ~(uint32_t)OST_NID_TYPE_MASK) | type;

            if (nid != missing)
                tiny_contents(t, nid, rows, nid == 0x12D ? count : 0, 0);
        }
    }
    tiny_finish(t);
}

/* Each folder has all its tables, and is in the table of the folder that it is in. */
static void folders_and_their_tables_agree(void **state)
{
    static const struct tiny_row rows[] = {{TINY_INBOX, 0, NULL, NULL}, {0x8042, 0, NULL, NULL}};
    static const uint32_t missing[] = {0x12D, 0x12E, 0x12F, 0x802D, 0x802E, 0x802F};
    struct enginelog l;
    struct tiny t;

    (void)state;
    for (unsigned i = 0; i < sizeof missing / sizeof *missing; i++) {
        make_folders(&t, missing[i], rows, 1);
        assert_int_equal(run_tiny(&l, &t), 0);
        assert_int_equal(l.codes[F_table_failed], 1);
        assert_int_equal(l.codes[F_hierarchy_differs], 0);
        enginelog_done(&l);
        tiny_done(&t);
    }
    /* as it should be; nobody lists it; it is listed, and a folder that is not there */
    for (unsigned i = 0; i < 3; i++) {
        make_folders(&t, 0, rows, (i + 1) % 3);
        assert_int_equal(run_tiny(&l, &t), 0);
        assert_int_equal(l.codes[F_table_failed], 0);
        assert_int_equal(l.codes[F_hierarchy_differs], i > 0);
        enginelog_done(&l);
        tiny_done(&t);
    }
    /* it is listed, and elsewhere */
    make_folders(&t, 0, rows, 1);
    node_of(&t, TINY_INBOX)->parent = TINY_INBOX;
    tiny_finish(&t);
    assert_int_equal(run_tiny(&l, &t), 0);
    assert_int_equal(l.codes[F_hierarchy_differs], 1);
    enginelog_done(&l);
    tiny_done(&t);
}

/* A map of named properties that lacks a part, or has entries that cannot be used. */
static void a_maimed_map_of_names_is_told(void **state)
{
    static const uint8_t good[8] = {0x01, 0x82, 0, 0, 6, 0, 0, 0},
                         odd[8] = {0x01, 0x82, 0, 0, 60, 0, 0, 0};

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct forge_prop map[] = {{0x0002, OST_BINARY, 0, "0123456789ABCDEF", 16},
                                   {0x0003, OST_BINARY, 0, i == 4 ? odd : good, 8},
                                   {0x0004, OST_BINARY, 0, "\0\0\0\0", 4}};
        static const struct forge_prop named[] = {{0x8000, OST_I32, 42, NULL, 0}};
        struct enginelog l;
        struct tiny t;

        tiny_init(&t, OST_FORMAT_UNICODE);
        if (i < 3)
            map[i].id += 0x10;
        tiny_node(&t, 0x61, tiny_pc(&t, map, 3), 0, 0);
        tiny_node(&t, 0x200024, tiny_pc(&t, named, 1), 0, 0x122);
        tiny_finish(&t);
        assert_int_equal(run_tiny(&l, &t), 0);
        assert_int_equal(l.partial, i != 3);
        enginelog_done(&l);
        tiny_done(&t);
    }
}

static void a_missing_row_target_is_told(void **state)
{
    static const struct tiny_row rows[] = {{0x200024, 0, NULL, NULL}, {0x200044, 0, NULL, NULL}};
    static const struct forge_prop none[] = {{0x3001, OST_STRING8, 0, NULL, 0}};
    const uint8_t *root;
    struct enginelog l;
    struct tiny t;

    (void)state;
    tiny_init(&t, OST_FORMAT_UNICODE);
    tiny_node(&t, 0x122, tiny_pc(&t, none, 1), 0, 0x122);
    tiny_node(&t, 0x8022, tiny_pc(&t, none, 1), 0, 0x9902); /* its parent is missing */
    tiny_contents(&t, 0x802E, rows, 2, 0);
    tiny_node(&t, 0x200024, tiny_pc(&t, none, 1), 0, 0x122); /* in another folder */
    tiny_finish(&t);
    assert_int_equal(run_tiny(&l, &t), 0);
    assert_int_equal(l.codes[F_row_without_item], 2);
    assert_int_equal(l.codes[F_node_parent_missing], 1);
    assert_int_equal(l.codes[F_property_failed], 1); /* there is no store */
    assert_int_equal(l.items, 1);
    enginelog_done(&l);
    /* behind the entries of the node B-tree's leaves: their checksums alone are wrong */
    root = t.data + t.header.nbt.offset;
    assert_int_equal(root[491], 1); /* cLevel */
    for (unsigned i = 0; i < root[488]; i++)
        t.data[le64(root + 24 * (size_t)i + 16) + 484] ^= 1;
    assert_int_equal(run_tiny(&l, &t), 0);
    assert_int_equal(l.codes[F_page_crc], root[488] + 1); /* and where the item stands */
    assert_int_equal(l.codes[F_node_parent_missing], 0);
    assert_int_equal(l.items, 1);
    enginelog_done(&l);
    tiny_done(&t);
}

/* Messages and associated ones have a table each; a row in the other one lists nobody. */
static void a_row_in_the_other_table_lists_nobody(void **state)
{
    static const struct tiny_row rows[] = {{0x200024, 0, NULL, NULL}, {0x200028, 0, NULL, NULL}};
    static const struct forge_prop none[] = {{0x3001, OST_STRING8, 0, NULL, 0}};

    (void)state;
    for (unsigned turned = 0; turned < 2; turned++) {
        struct enginelog l;
        struct tiny t;

        tiny_init(&t, OST_FORMAT_UNICODE);
        tiny_node(&t, 0x122, tiny_pc(&t, none, 1), 0, 0x122);
        tiny_contents(&t, 0x12D, rows, 0, 0);
        tiny_contents(&t, 0x12E, &rows[turned], 1, 0);
        tiny_contents(&t, 0x12F, &rows[!turned], 1, 0);
        tiny_node(&t, 0x200024, tiny_pc(&t, none, 1), 0, 0x122);
        tiny_node(&t, 0x200028, tiny_pc(&t, none, 1), 0, 0x122);
        tiny_finish(&t);
        assert_int_equal(run_tiny(&l, &t), 0);
        assert_int_equal(l.items, 1);
        assert_int_equal(l.assoc, 1);
        assert_int_equal(l.codes[F_row_without_item], 2 * turned);
        assert_int_equal(l.codes[F_item_orphan], 2 * turned);
        enginelog_done(&l);
        tiny_done(&t);
    }
}

/* A lost page of the node B-tree: what it held is gone, the rest is there. */
static void a_lost_page_costs_its_nodes(void **state)
{
    struct enginelog l;
    struct tiny t;

    (void)state;
    tiny_mailbox(&t, OST_FORMAT_UNICODE);
    memset(t.data + t.header.nbt.offset, 0, 512);
    assert_int_equal(run_tiny(&l, &t), 0);
    assert_int_equal(l.folders + l.items + l.assoc, 0);
    assert_true(l.codes[F_btree_page_lost] > 0);
    assert_int_equal(l.images, 1);
    enginelog_done(&l);
    tiny_done(&t);
}

/* A subnode tree that names what is not there: damage, but not of every image was that proven. */
static void what_real_files_do_not_prove_is_no_corruption(void **state)
{
    static const struct {
        enum ost_format format;
        uint16_t version;
        bool corrupt;
    } cases[] = {{OST_FORMAT_ANSI, 14, true},
                 {OST_FORMAT_UNICODE, 23, true},
                 {OST_FORMAT_UNICODE, 20, false},
                 {OST_FORMAT_UNICODE4K, 36, false},
                 {OST_FORMAT_UNICODE4K, 37, false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const struct forge_prop body[] = {{0x1000, OST_BINARY, 0x3F, NULL, 0}};
        struct ost_subnode entry = {0x3F, 0x7776, 0};
        struct enginelog l;
        struct tiny t;
        uint64_t sub;

        tiny_init(&t, cases[i].format);
        sub = tiny_subnodes(&t, &entry, 1);
        tiny_node(&t, 0x200024, tiny_pc(&t, body, 1), sub, 0x122);
        tiny_finish(&t);
        t.header.version = cases[i].version;
        assert_int_equal(run_tiny(&l, &t), 0);
        assert_int_equal(l.codes[F_block_missing], 1);
        assert_int_equal(l.corrupt > 0, cases[i].corrupt);
        assert_int_equal(l.partial, 1);
        enginelog_done(&l);
        tiny_done(&t);
    }
}

static void an_unknown_crypt_method_is_given_up(void **state)
{
    struct enginelog l;
    struct tiny t;

    (void)state;
    tiny_mailbox(&t, OST_FORMAT_UNICODE);
    t.header.crypt = 0x10;
    assert_int_equal(run_tiny(&l, &t), 0);
    assert_int_equal(l.codes[F_crypt_unknown], 1);
    assert_int_equal(l.images, 0);
    enginelog_done(&l);
    tiny_done(&t);
}

static void an_exchange_store_is_told(void **state)
{
    static const uint8_t guid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    uint8_t entry[46] = {0};
    struct forge_prop store[] = {{0x3416, OST_BINARY, 0, entry, 46},
                                 {0x6615, OST_GUID, 0, guid, 16}};

    (void)state;
    memcpy(entry + 4, guid, 16);
    entry[20] = 1;
    for (unsigned wrong = 0; wrong < 5; wrong++) {
        struct enginelog l;
        struct tiny t;

        entry[20] = wrong == 1 ? 2 : 1;       /* not a private folder */
        entry[4] = wrong == 2 ? 9 : 1;        /* another mailbox */
        store[0].size = wrong == 3 ? 24 : 46; /* the entry id of a PST */
        store[1].id = wrong == 4 ? 0x6616 : 0x6615;
        tiny_init(&t, OST_FORMAT_UNICODE);
        tiny_node(&t, 0x21, tiny_pc(&t, store, 2), 0, 0);
        tiny_finish(&t);
        assert_int_equal(run_tiny(&l, &t), 0);
        assert_string_equal(l.account, wrong ? "unknown" : "exchange");
        enginelog_done(&l);
        tiny_done(&t);
    }
}

static void the_sink_can_stop_it_anywhere(void **state)
{
    struct enginelog l;
    struct tiny t;
    int calls, at = 0, rc;

    (void)state;
    tiny_mailbox(&t, OST_FORMAT_ANSI);
    memset(tiny_at(&t, node_of(&t, 0x802E)->data), 0x55, 64);
    memset(tiny_at(&t, node_of(&t, TINY_ASSOC)->data), 0x55, 64);
    assert_int_equal(run_tiny(&l, &t), 0);
    calls = l.calls;
    enginelog_done(&l);
    do {
        struct io_source *source;

        enginelog_init(&l);
        l.fail_at = ++at;
        l.fail_code = ERR_NOSPACE;
        assert_int_equal(io_source_open_mem(t.data, t.size, &source), 0);
        rc = enginelog_run(&l, source, &t.header);
        io_source_close(source);
        assert_int_equal(l.calls, at <= calls ? at : calls);
        enginelog_done(&l);
    } while (rc == ERR_NOSPACE);
    assert_int_equal(rc, 0);
    assert_int_equal(at, calls + 1);
    tiny_done(&t);
}

static void it_can_be_cancelled(void **state)
{
    atomic_bool cancel = true;
    struct engine_job job = {.memory_bytes = 1, .cancel = &cancel};
    struct io_source *source;
    struct enginelog l;
    struct tiny t;

    (void)state;
    tiny_mailbox(&t, OST_FORMAT_UNICODE);
    enginelog_init(&l);
    job.header = &t.header;
    assert_int_equal(io_source_open_mem(t.data, t.size, &source), 0);
    assert_int_equal(native_run_source(&job, &l.sink, source), ERR_CANCELLED);
    io_source_close(source);
    enginelog_done(&l);
    tiny_done(&t);
}

static void memory_can_fail_anywhere(void **state)
{
    struct enginelog l;
    struct tiny t;
    uint64_t nth = 0;
    int rc;

    (void)state;
    tiny_mailbox(&t, OST_FORMAT_UNICODE4K);
    do {
        struct io_source *source;

        assert_int_equal(io_source_open_mem(t.data, t.size, &source), 0);
        enginelog_init(&l);
        l.terse = true;
        mem_test_fail(++nth, 0);
        rc = enginelog_run(&l, source, &t.header);
        mem_test_fail(0, 0);
        io_source_close(source);
        enginelog_done(&l);
    } while (rc == ERR_NOMEM);
    assert_int_equal(rc, 0);
    assert_true(nth > 15);
    tiny_done(&t);
}

/* Each read fails once: by a bad sector, which costs what lies there, or by all being over. */
static void reads_can_fail_anywhere(void **state)
{
    struct tiny t;

    (void)state;
    tiny_mailbox(&t, OST_FORMAT_UNICODE);
    for (unsigned over = 0; over < 2; over++) {
        uint64_t reads = 1;

        for (uint64_t nth = 1; nth <= reads; nth++) {
            struct fault_plan plan = {.fail_nth = nth, .code = over ? ERR_SYS : ERR_IO};
            struct io_source *inner, *source;
            struct enginelog l;
            int rc;

            assert_int_equal(io_source_open_mem(t.data, t.size, &inner), 0);
            assert_int_equal(fault_source_open(inner, &plan, &source), 0);
            enginelog_init(&l);
            rc = enginelog_run(&l, source, &t.header);
            assert_int_equal(rc, over ? ERR_SYS : 0);
            reads = over ? reads : plan.count;
            if (over && nth == 1)
                reads = 8;
            io_source_close(source);
            enginelog_done(&l);
        }
        assert_true(reads >= 8);
    }
    tiny_done(&t);
}

/* Any byte of the image changed: no rule broken, and what is handed out is bounded. */
static void any_byte_can_be_wrong(void **state)
{
    struct enginelog whole;
    uint32_t seed = 7;
    struct tiny t;

    (void)state;
    tiny_mailbox(&t, OST_FORMAT_UNICODE);
    assert_int_equal(run_tiny(&whole, &t), 0);
    for (unsigned i = 0; i < 600; i++) {
        struct enginelog l;
        size_t start = t.v->page_size, at;
        uint8_t old;

        seed = seed * 1664525 + 1013904223;
        at = start + seed % (t.size - start);
        old = t.data[at];
        t.data[at] ^= (uint8_t)(1 << (seed >> 29));
        assert_int_equal(run_tiny(&l, &t), 0);
        /* detected, or the same */
        if (l.findings == whole.findings) {
            assert_int_equal(l.text.size, whole.text.size);
            assert_memory_equal(l.text.data, whole.text.data, whole.text.size);
        }
        assert_true(l.items + l.assoc + l.failed <= whole.items + whole.assoc + 2);
        enginelog_done(&l);
        t.data[at] = old;
    }
    enginelog_done(&whole);
    tiny_done(&t);
}

/* Real images. */

static void expect_sample(const char *path, unsigned folders, unsigned items, unsigned assoc,
                          const char *account)
{
    struct enginelog l;
    struct ndbfile f;

    ndbfile_open(&f, path);
    enginelog_init(&l);
    l.terse = true;
    assert_int_equal(enginelog_run(&l, f.source, &f.header), 0);
    assert_int_equal(l.folders, folders);
    assert_int_equal(l.items, items);
    assert_int_equal(l.assoc, assoc);
    assert_int_equal(l.failed + l.partial + l.orphans + l.findings, 0);
    assert_string_equal(l.account, account);
    /* nothing is taken from the heap for an item, once the arena has its size */
    if (items >= 151)
        assert_int_equal(l.allocations_at_item[3], l.allocations_at_item[1]);
    ndbfile_close(&f);
    enginelog_done(&l);
}

static void real_images_are_handed_out_whole(void **state)
{
    (void)state;
    expect_sample(sample_or_skip(SAMPLE_OST), 57, 183, 31, "exchange");
    expect_sample(sample_or_skip(SAMPLE_OST2), 53, 162, 17, "exchange");
    expect_sample(sample_or_skip(SAMPLE_ENRON), 11, 71, 0, "unknown");
}

/* The corpus: message nodes as its list counts them. */
static void every_message_node_is_handed_out(void **state)
{
    FILE *list = fopen(corpus_or_skip("PROVENANCE.tsv"), "r");
    char line[1024];
    unsigned files = 0;

    (void)state;
    assert_non_null(list);
    while (fgets(line, sizeof line, list)) {
        char *fields[19] = {line}, *at = line;
        struct enginelog l;
        struct ndbfile f;
        unsigned n = 1;

        for (; n < 19 && (at = strchr(at, '\t')) != NULL; n++) {
            *at++ = '\0';
            fields[n] = at;
        }
        if (n < 19 || strcmp(fields[0], "file") == 0 || !fields[15][0] ||
            strncmp(fields[0], "damaged", 7) == 0)
            continue;
        ndbfile_open(&f, corpus_path(fields[0]));
        enginelog_init(&l);
        assert_int_equal(enginelog_run(&l, f.source, &f.header), 0);
        assert_int_equal(l.items, atoi(fields[15]));
        assert_int_equal(l.failed + l.partial + l.corrupt, 0);
        files++;
        ndbfile_close(&f);
        enginelog_done(&l);
    }
    fclose(list);
    assert_true(files >= 20);
}

/* Real blocks damaged: the items that have none of them stay the same. */
static void items_without_damage_stay_the_same(void **state)
{
    struct enginelog whole, l;
    struct ndbfile f;
    struct io_source *source;
    uint8_t *copy;
    uint32_t seed = 3;
    unsigned partial = 0;

    (void)state;
    ndbfile_open(&f, sample_or_skip(SAMPLE_OST2));
    enginelog_init(&whole);
    assert_int_equal(enginelog_run(&whole, f.source, &f.header), 0);
    copy = mem_alloc(f.bytes.size);
    assert_non_null(copy);
    for (unsigned turn = 0; turn < 8; turn++) {
        unsigned same = 0, lines = 0;
        char *text, *keep = NULL;

        memcpy(copy, f.bytes.data, f.bytes.size);
        for (unsigned i = 0; i < 20; i++) {
            seed = seed * 1664525 + 1013904223;
            copy[0x22000 + seed % 1400000] ^= 0x10;
        }
        assert_int_equal(io_source_open_mem(copy, f.bytes.size, &source), 0);
        enginelog_init(&l);
        assert_int_equal(enginelog_run(&l, source, &f.header), 0);
        io_source_close(source);
        text = strdup(buf_cstr(&l.text));
        for (char *line = strtok_r(text, "\n", &keep); line; line = strtok_r(NULL, "\n", &keep)) {
            if (strncmp(line, "item", 4) != 0)
                continue;
            lines++;
            same += has_line(&whole, line);
        }
        assert_true(lines > 150);
        assert_true(same + 40 > lines && same + l.partial <= lines);
        partial += l.partial;
        free(text);
        enginelog_done(&l);
    }
    assert_true(partial > 0);
    mem_free(copy);
    ndbfile_close(&f);
    enginelog_done(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mailbox_is_handed_out_whole),
        cmocka_unit_test(items_come_in_sweep_order),
        cmocka_unit_test(one_bad_item_costs_that_item),
        cmocka_unit_test(what_all_items_rest_on_costs_those_that_need_it),
        cmocka_unit_test(a_map_of_names_lost_from_a_doubted_page_is_told),
        cmocka_unit_test(lost_tables_and_nodes_are_told),
        cmocka_unit_test(folders_and_their_tables_agree),
        cmocka_unit_test(a_maimed_map_of_names_is_told),
        cmocka_unit_test(a_missing_row_target_is_told),
        cmocka_unit_test(a_row_in_the_other_table_lists_nobody),
        cmocka_unit_test(a_lost_page_costs_its_nodes),
        cmocka_unit_test(what_real_files_do_not_prove_is_no_corruption),
        cmocka_unit_test(an_unknown_crypt_method_is_given_up),
        cmocka_unit_test(an_exchange_store_is_told),
        cmocka_unit_test(the_sink_can_stop_it_anywhere),
        cmocka_unit_test(it_can_be_cancelled),
        cmocka_unit_test(memory_can_fail_anywhere),
        cmocka_unit_test(reads_can_fail_anywhere),
        cmocka_unit_test(any_byte_can_be_wrong),
        cmocka_unit_test(real_images_are_handed_out_whole),
        cmocka_unit_test(every_message_node_is_handed_out),
        cmocka_unit_test(items_without_damage_stay_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
