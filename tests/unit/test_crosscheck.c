/*
 * test_crosscheck.c: items by both engines. libpff reads a generated image as it is; what the
 * native engine said is changed on its way, and each change must be noticed, at its item and
 * nowhere else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/hash.h"
#include "io/file.h"
#include "io/mem.h"
#include "scanner/app/crosscheck.h"
#include "scanner/engine_native.h"
#include "scanner/sample.h"
#include "tests/support/tempdir.h"

enum { MEMORY = 256 << 20, PID_SUBJECT = 0x0037 };

enum change {
    NOTHING,
    ZERO_CELLS_GONE, /* which libpff never has */
    PROPERTY_ALTERED,
    PROPERTY_GONE,
    CODEPAGE_ALTERED,
    ROW_GONE,
    RECIPIENT_GONE,
    DATA_ALTERED,
    EMBEDDED_ALTERED,
    ITEM_HIDDEN,
    ITEM_INVENTED,
    ITEM_FAILED,
    ITEM_DAMAGED,
    CHANGES
};

struct fixture {
    const char *folder;
    char path[256];
    struct io_file file;
    struct ost_header header;
    struct ost_hasher hasher;
    struct engine_job job;
    struct crosscheck *cross;
    enum change change;
    uint32_t changed; /* the item that was; 0: none was fit for it */
    unsigned percent;
    uint64_t items, of_share;

    uint64_t differing, compared, expected;
    char how[128];
    uint32_t nid;
    unsigned checked, skipped;
    char why[128];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char command[1024];
    uint8_t head[OST_HEADER_SIZE];
    struct ost_header_report report;
    struct fault fault;
    FILE *image;

    f->folder = tempdir_make();
    snprintf(f->path, sizeof f->path, "%s/image.ost", f->folder);
    snprintf(command, sizeof command,
             "'%s' --format unicode --profile tiny --libpff-safe --truth none -q -o '%s'",
             OSTGEN_EXE, f->path);
    assert_int_equal(system(command), 0);
    image = fopen(f->path, "rb");
    assert_non_null(image);
    assert_int_equal(fread(head, 1, sizeof head, image), sizeof head);
    fclose(image);
    assert_int_equal(io_file_open(f->path, 0, &f->file, &fault), 0);
    ost_header_check((struct bytes){head, sizeof head}, f->file.id.size_bytes, &f->header, &report);
    f->hasher = idx_hasher(IDX_XXH3);
    f->job = (struct engine_job){.file = &f->file,
                                 .header = &f->header,
                                 .io = IO_BACKEND_PREAD,
                                 .memory_bytes = MEMORY,
                                 .hasher = &f->hasher,
                                 .child_exe = OSTSCAN_EXE};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    io_file_close(&f->file);
    tempdir_remove(f->folder);
    free(f);
    return 0;
}

/* Copies of the parts that are changed; the rest is shared. */
struct copy {
    struct ost_item item, embedded;
    struct ost_prop props[512], row[8], cells[64];
    struct ost_props recipients[64];
    struct ost_attachment attachments[64];
    uint8_t value[65536];
    struct ost_damage damage;
};

static bool alter_value(struct copy *c, struct ost_prop *p)
{
    if (!p->value.size || p->value.size > sizeof c->value)
        return false;
    memcpy(c->value, p->value.data, p->value.size);
    c->value[p->value.size - 1] ^= 1;
    p->value.data = c->value;
    return true;
}

static bool change_props(enum change change, struct copy *c, struct ost_props *props)
{
    for (size_t i = 0; i < props->count; i++) {
        if (props->list[i].id != PID_SUBJECT)
            continue;
        assert_true(props->count <= sizeof c->props / sizeof *c->props);
        memcpy(c->props, props->list, props->count * sizeof *c->props);
        if (change == PROPERTY_GONE)
            memmove(&c->props[i], &c->props[i + 1], (props->count - i - 1) * sizeof *c->props);
        else if (!alter_value(c, &c->props[i]))
            return false;
        *props = (struct ost_props){c->props, props->count - (change == PROPERTY_GONE)};
        return true;
    }
    return false;
}

/* Takes empty and zero cells from the first recipient. */
static bool drop_zero_cells(struct copy *c)
{
    struct ost_props *first = &c->recipients[0];
    size_t kept = 0;

    for (size_t i = 0; i < first->count; i++) {
        bool zero = true;

        for (size_t b = 0; b < first->list[i].value.size; b++)
            zero &= first->list[i].value.data[b] == 0;
        if (!zero)
            c->cells[kept++] = first->list[i];
    }
    if (kept == first->count)
        return false;
    *first = (struct ost_props){c->cells, kept};
    return true;
}

static bool change_recipients(enum change change, struct copy *c)
{
    if (!c->item.recipient_count || c->item.recipient_count > 64)
        return false;
    memcpy(c->recipients, c->item.recipients, c->item.recipient_count * sizeof *c->recipients);
    c->item.recipients = c->recipients;
    if (change == ZERO_CELLS_GONE)
        return drop_zero_cells(c);
    c->item.recipient_count--;
    return true;
}

static bool change_attachments(enum change change, struct copy *c)
{
    if (c->item.attachment_count > 64)
        return false;
    for (size_t i = 0; i < c->item.attachment_count; i++) {
        const struct ost_attachment *a = &c->item.attachments[i];

        if (change == EMBEDDED_ALTERED ? !a->embedded : !a->data_digest.size)
            continue;
        memcpy(c->attachments, c->item.attachments,
               c->item.attachment_count * sizeof *c->attachments);
        c->item.attachments = c->attachments;
        if (change == DATA_ALTERED) {
            c->attachments[i].data_digest.bytes[15] ^= 1;
            return true;
        }
        c->embedded = *a->embedded;
        c->attachments[i].embedded = &c->embedded;
        return change_props(PROPERTY_ALTERED, c, &c->embedded.props);
    }
    return false;
}

static bool change_item(enum change change, struct copy *c)
{
    switch (change) {
    case PROPERTY_ALTERED:
    case PROPERTY_GONE:
        return change_props(change, c, &c->item.props);
    case CODEPAGE_ALTERED:
        c->item.codepage++;
        return true;
    case ROW_GONE:
        if (!c->item.row.count)
            return false;
        c->item.row.count--;
        return true;
    case ZERO_CELLS_GONE:
    case RECIPIENT_GONE:
        return change_recipients(change, c);
    case DATA_ALTERED:
    case EMBEDDED_ALTERED:
        return change_attachments(change, c);
    case ITEM_DAMAGED:
        c->item.damage = &c->damage;
        c->item.damage_count = 1;
        return true;
    case ITEM_INVENTED:
        c->item.nid = 0x7FFFFFC4;
        return true;
    default:
        return change == ITEM_HIDDEN || change == ITEM_FAILED;
    }
}

static int on_item(void *ctx, const struct ost_item *item)
{
    static struct copy copy;
    struct fixture *f = ctx;
    int rc;

    f->items++;
    f->of_share += sample_has(item->nid, f->percent);
    copy = (struct copy){.item = *item};
    if (f->changed || f->change == NOTHING || !change_item(f->change, &copy))
        return crosscheck_item(f->cross, item);
    f->changed = copy.item.nid;
    if (f->change == ITEM_HIDDEN)
        return 0;
    if (f->change == ITEM_FAILED)
        return crosscheck_failed(f->cross, item->nid, item->folder);
    rc = crosscheck_item(f->cross, &copy.item);
    if (!rc && f->change == ITEM_INVENTED)
        rc = crosscheck_item(f->cross, item);
    return rc;
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    (void)ctx;
    fail_msg("item %x of %x (%d) failed", nid, folder, assoc);
    return 0;
}

static int on_finding(void *ctx, const struct finding *finding)
{
    struct fixture *f = ctx;

    assert_true(finding->severity < SEVERITY_CORRUPT);
    switch (finding->code) {
    case F_engines_differ:
        f->differing++;
        f->nid = finding->nid;
        snprintf(f->how, sizeof f->how, "%s", finding->detail);
        return 0;
    case F_cross_checked:
        f->checked++;
        f->expected = finding->expected;
        f->compared = finding->actual;
        return 0;
    default:
        assert_int_equal(finding->code, F_not_cross_checked);
        f->skipped++;
        snprintf(f->why, sizeof f->why, "%s", finding->detail);
        return 0;
    }
}

static void run(struct fixture *f, enum change change, unsigned percent)
{
    const struct engine_sink sink = {.ctx = f, .item = on_item, .failed = on_failed};

    f->change = change;
    f->percent = percent;
    f->changed = f->nid = 0;
    f->items = f->of_share = f->differing = f->compared = f->expected = 0;
    f->checked = f->skipped = 0;
    assert_int_equal(crosscheck_create(percent, f->header.format, &f->cross), 0);
    assert_int_equal(engine_native.run(&f->job, &sink), 0);
    assert_int_equal(crosscheck_run(f->cross, &f->job, f, on_finding), 0);
    crosscheck_destroy(f->cross);
}

static void both_engines_agree(void **state)
{
    struct fixture *f = *state;

    run(f, NOTHING, 100);
    assert_int_equal(f->differing, 0);
    assert_int_equal(f->checked, 1);
    assert_int_equal(f->expected, f->items);
    assert_int_equal(f->compared, f->items);
    assert_true(f->items >= 43);
}

static void every_change_is_noticed(void **state)
{
    static const char *const how[CHANGES] = {
        [PROPERTY_ALTERED] = "properties",
        [PROPERTY_GONE] = "properties",
        [CODEPAGE_ALTERED] = "properties",
        [ROW_GONE] = "the properties in its contents row",
        [RECIPIENT_GONE] = "recipients",
        [DATA_ALTERED] = "attachments",
        [EMBEDDED_ALTERED] = "attachments",
        [ITEM_HIDDEN] = "libpff alone knows of it",
        [ITEM_INVENTED] = "libpff does not know of it",
        [ITEM_FAILED] = "libpff alone reads it whole",
        [ITEM_DAMAGED] = "libpff alone reads it whole",
    };
    struct fixture *f = *state;

    for (enum change change = ZERO_CELLS_GONE; change < CHANGES; change++) {
        run(f, change, 100);
        assert_int_not_equal(f->changed, 0);
        assert_int_equal(f->differing, how[change] != NULL);
        assert_int_equal(f->checked, 1);
        if (!how[change])
            continue;
        assert_int_equal(f->nid, f->changed);
        assert_string_equal(f->how, how[change]);
    }
}

static void a_share_is_read(void **state)
{
    struct fixture *f = *state;
    uint64_t before = 0;

    for (unsigned percent = 1; percent < 100; percent += 24) {
        run(f, NOTHING, percent);
        assert_int_equal(f->differing, 0);
        assert_int_equal(f->expected, f->of_share);
        assert_int_equal(f->compared, f->of_share);
        assert_in_range(f->of_share, before, f->items);
        before = f->of_share;
    }
    assert_in_range(before, 1, f->items - 1);
}

static void shares_are_what_they_say(void **state)
{
    (void)state;
    for (unsigned percent = 0; percent <= 100; percent += 10) {
        unsigned in = 0;

        for (uint32_t i = 0; i < 100000; i++) {
            uint32_t nid = i << 5 | 4;

            in += sample_has(nid, percent);
            assert_true(!sample_has(nid, percent) || sample_has(nid, percent + 1));
        }
        assert_in_range(in, percent * 950, percent * 1050);
    }
}

/* A header that libpff refuses and the native engine does not mind. */
static void what_keeps_libpff_is_told(void **state)
{
    struct fixture *f = *state;
    FILE *image = fopen(f->path, "r+b");

    assert_non_null(image);
    assert_int_equal(fseek(image, 4, SEEK_SET), 0); /* the checksum of the header's first part */
    assert_int_equal(fputc(0x55, image), 0x55);
    assert_int_equal(fputc(0xAA, image), 0xAA);
    fclose(image);
    run(f, NOTHING, 100);
    assert_int_equal(f->differing, 0);
    assert_int_equal(f->checked, 0);
    assert_int_equal(f->skipped, 1);
    assert_non_null(strstr(f->why, "libpff could not open the image"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_engines_agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_change_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_share_is_read, set_up, tear_down),
        cmocka_unit_test(shares_are_what_they_say),
        cmocka_unit_test_setup_teardown(what_keeps_libpff_is_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
