/*
 * test_sharpen.c: what a comparison makes of a verdict: nothing_found only where everything was
 * covered, each thing that is missing for it alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "index/sharpen.h"
#include "index/verdict_read.h"
#include "index/record.h"

static struct chk_verdict sound(void)
{
    static const struct chk_reason reasons[] = {
        {.text = "all was read"},
        {.text = "no sign", .about = CONCERN_EXPORT},
    };

    return (struct chk_verdict){.remedy = REMEDY_NONE,
                                .export_first = EXPORT_UNKNOWN,
                                .reasons = reasons,
                                .reason_count = 2,
                                .coverage = {.has_allocated = true,
                                             .allocated_bytes = 10,
                                             .verified_bytes = 10,
                                             .items_expected = 3,
                                             .items_read = 3}};
}

/* A comparison of an OST of Exchange with all of its mailbox. */
struct compared {
    struct cmp_side image, server;
    struct cmp_result result;
    struct cmp_folder folder;
    struct cmp_folder_result folder_result;
    struct cmp_entry entry;
    struct cmp_item_result item;
    bool has_item, ended;
};

static struct compared full(void)
{
    struct compared c = {.image = {.is_ost = true, .is_exchange = true},
                         .result = {.items_compared = true, .whole = true},
                         .folder = {.nid = 0x2182},
                         .entry = {.nid = 0x200024},
                         .ended = true};

    return c;
}

static struct chk_verdict sharpened(struct compared *c, const struct chk_verdict *before,
                                    struct idx_sharpen **keep)
{
    struct chk_verdict v;
    struct cmp_sink sink;

    c->result.image = &c->image;
    c->result.server = &c->server;
    c->folder_result.image = c->folder.nid ? &c->folder : NULL;
    c->item.folder = &c->folder_result;
    c->item.image = &c->entry;
    assert_int_equal(idx_sharpen_create(before, keep), 0);
    sink = idx_sharpen_sink(*keep);
    assert_int_equal(sink.folder(sink.ctx, &c->result, &c->folder_result), 0);
    if (c->has_item)
        assert_int_equal(sink.item(sink.ctx, &c->result, &c->item), 0);
    if (c->ended)
        assert_int_equal(sink.end(sink.ctx, &c->result), 0);
    assert_int_equal(idx_sharpen_verdict(*keep, &v), 0);
    return v;
}

static void becomes(struct compared *c, const struct chk_verdict *before, enum chk_remedy remedy,
                    enum chk_export export_first)
{
    struct idx_sharpen *s;
    struct chk_verdict v = sharpened(c, before, &s);

    assert_int_equal(v.remedy, remedy);
    assert_int_equal(v.export_first, export_first);
    idx_sharpen_destroy(s);
}

static void nothing_found_needs_everything(void **state)
{
    static const struct chk_reason strong = {
        .text = "x", .about = CONCERN_EXPORT, .strength = STRENGTH_STRONG, .count = 1};
    static const struct chk_reason weak = {
        .text = "x", .about = CONCERN_EXPORT, .strength = STRENGTH_WEAK, .count = 1};
    enum { WAYS = 19 };
    struct compared c;
    struct chk_verdict v = sound();

    (void)state;
    c = full();
    becomes(&c, &v, REMEDY_NONE, EXPORT_NOTHING_FOUND);
    v.reasons = &weak; /* refuted: the server has the item */
    v.reason_count = 1;
    becomes(&c, &v, REMEDY_NONE, EXPORT_NOTHING_FOUND);
    for (int way = 0; way < WAYS; way++) {
        enum chk_remedy remedy = REMEDY_NONE;
        enum chk_export want = EXPORT_UNKNOWN;

        c = full();
        v = sound();
        switch (way) {
        case 0:
            c.result.whole = false;
            break;
        case 1:
            c.result.items_compared = false;
            break;
        case 2:
            c.result.before_after = true;
            break;
        case 3:
            c.server.incomplete = true;
            break;
        case 4:
            c.image.incomplete = true;
            break;
        case 5:
            c.image.partial = 1;
            break;
        case 6:
            c.image.failed = 1;
            break;
        case 7:
            c.result.total.outcomes[CMP_STATE_DIFFERS] = 1;
            break;
        case 8:
            c.result.total.outcomes[CMP_AMBIGUOUS] = 1;
            break;
        case 9:
            c.result.total.outcomes[CMP_NOT_COMPARABLE] = 1;
            break;
        case 10:
            v.coverage.verified_bytes--;
            break;
        case 11:
            v.coverage.has_allocated = false;
            break;
        case 12:
            v.coverage.items_read--;
            break;
        case 13:
            remedy = v.remedy = REMEDY_REBUILD;
            break;
        case 14:
            remedy = v.remedy = REMEDY_UNKNOWN;
            break;
        case 15:
            remedy = v.remedy = REMEDY_RETRY_CLOSED;
            break;
        case 16:
            c.ended = false;
            break;
        case 17:
            c.image.is_ost = false;
            break;
        default:
            v.reasons = &strong;
            v.reason_count = 1;
            v.export_first = want = EXPORT_REQUIRED;
        }
        becomes(&c, &v, remedy, want);
    }
}

static void what_the_image_alone_has_requires_an_export(void **state)
{
    const struct chk_verdict v = sound();
    struct compared c = full();
    struct idx_sharpen *s;
    struct chk_verdict out;

    (void)state;
    c.has_item = true;
    c.item.outcome = CMP_ONLY_OST;
    out = sharpened(&c, &v, &s);
    assert_int_equal(out.export_first, EXPORT_REQUIRED);
    assert_int_equal(out.reason_count, 2); /* "no sign" is none any more */
    assert_int_equal(out.reasons[1].strength, STRENGTH_STRONG);
    assert_int_equal(out.reasons[1].count, 1);
    assert_int_equal(out.reasons[1].items[0], 0x200024);
    idx_sharpen_destroy(s);
    c.item.copy = true; /* it is there in another folder */
    becomes(&c, &v, REMEDY_NONE, EXPORT_NOTHING_FOUND);
    c.item.copy = false;
    c.folder.role = (char *)(uintptr_t) "sync_issues"; /* logs are on no server */
    becomes(&c, &v, REMEDY_NONE, EXPORT_NOTHING_FOUND);
    c.folder.role = (char *)(uintptr_t) "local_failures";
    becomes(&c, &v, REMEDY_NONE, EXPORT_REQUIRED);
    c.item.outcome = CMP_CONTENT_DIFFERS;
    becomes(&c, &v, REMEDY_NONE, EXPORT_REQUIRED);
    c.item.outcome = CMP_MOVED;
    becomes(&c, &v, REMEDY_NONE, EXPORT_NOTHING_FOUND);
    c.item.outcome = CMP_ONLY_OST;
    c.image.is_ost = false; /* a PST is where its data are */
    becomes(&c, &v, REMEDY_NONE, EXPORT_UNKNOWN);
}

static void what_it_lacks_is_a_deficit(void **state)
{
    static const struct chk_folder_state known = {
        .nid = 0x2182, .failed = 1, .remedy = REMEDY_RESYNC_FOLDERS};
    struct chk_verdict v = sound(), out;
    struct compared c = full();
    struct idx_sharpen *s;

    (void)state;
    c.folder_result.tally.outcomes[CMP_ONLY_SERVER] = 3;
    c.folder_result.tally.only_server_later = 1;
    out = sharpened(&c, &v, &s);
    assert_int_equal(out.remedy, REMEDY_RESYNC_FOLDERS);
    assert_int_equal(out.folder_count, 1);
    assert_int_equal(out.folders[0].nid, 0x2182);
    assert_int_equal(out.folders[0].unaccounted, 2);
    assert_int_equal(out.reasons[0].count, 2);
    assert_int_equal(out.reasons[0].folders[0], 0x2182);
    idx_sharpen_destroy(s);

    v.remedy = REMEDY_RESYNC_FOLDERS; /* the same folder is damaged */
    v.folders = &known;
    v.folder_count = 1;
    out = sharpened(&c, &v, &s);
    assert_int_equal(out.folder_count, 1);
    assert_int_equal(out.folders[0].failed, 1);
    assert_int_equal(out.folders[0].unaccounted, 2);
    idx_sharpen_destroy(s);

    v = sound();
    c.folder_result.tally.only_server_later = 3; /* all later than the file */
    becomes(&c, &v, REMEDY_NONE, EXPORT_NOTHING_FOUND);
    c.folder_result.tally.altered = 1; /* one of the two is not what was stored */
    becomes(&c, &v, REMEDY_RESYNC_FOLDERS, EXPORT_NOTHING_FOUND);
    c.image.is_exchange = false;
    becomes(&c, &v, REMEDY_NONE, EXPORT_NOTHING_FOUND);
    c.image.is_exchange = true;
    c.result.before_after = true;
    becomes(&c, &v, REMEDY_NONE, EXPORT_UNKNOWN);
    c.result.before_after = false;
    c.server.incomplete = true;
    becomes(&c, &v, REMEDY_NONE, EXPORT_UNKNOWN);
    c.server.incomplete = false;
    c.folder.nid = 0; /* the image has no such folder */
    becomes(&c, &v, REMEDY_NONE, EXPORT_NOTHING_FOUND);
    c.folder.nid = 0x2182;
    v.remedy = REMEDY_UNKNOWN; /* what is open stays so */
    becomes(&c, &v, REMEDY_UNKNOWN, EXPORT_UNKNOWN);
    v.remedy = REMEDY_REBUILD;
    becomes(&c, &v, REMEDY_REBUILD, EXPORT_UNKNOWN);
}

/* What a record says is what is read of it; what is none is refused. */
static void a_verdict_is_read_as_it_was_written(void **state)
{
    const uint32_t nids[] = {4, 36};
    const struct chk_sync_error errors[] = {{.code = 0x80040102,
                                             .folder = 2,
                                             .count = 3,
                                             .first = 132732745110000000,
                                             .last = 132732745120000000}};
    const struct chk_reason reasons[] = {
        {.text = "a \"b\"", .codes = {F_item_failed, F_page_crc}, .code_count = 2},
        {.text = "c",
         .items = nids,
         .item_count = 2,
         .folders = nids,
         .folder_count = 1,
         .about = CONCERN_EXPORT,
         .strength = STRENGTH_STRONG,
         .count = 7},
        {.text = "d", .about = CONCERN_SYNC, .count = 3, .errors = errors, .error_count = 1},
    };
    const struct chk_folder_state folders[] = {{.nid = 2,
                                                .failed = 1,
                                                .orphaned = 2,
                                                .unaccounted = 3,
                                                .rows_without_item = 4,
                                                .remedy = REMEDY_RESYNC_FOLDERS,
                                                .download = {.items = 5, .bytes = 6}}};
    const struct chk_verdict v = {.remedy = REMEDY_RESYNC_FOLDERS,
                                  .export_first = EXPORT_REQUIRED,
                                  .reasons = reasons,
                                  .reason_count = 3,
                                  .folders = folders,
                                  .folder_count = 1,
                                  .coverage = {true, 1, 2, 3, 4, 5, 6, 7, 8},
                                  .has_download = true,
                                  .download = {.items = 9, .bytes = 10, .unsized = 11}};
    static const char *const wrong[] = {
        "{}",
        "{\"remedy\":\"none\"}",
        "{\"remedy\":\"new\",\"export_first\":\"unknown\"}",
        "{\"remedy\":\"none\",\"export_first\":\"unknown\",\"reasons\":{}}",
        "{\"remedy\":\"none\",\"export_first\":\"unknown\",\"reasons\":[1]}",
        "{\"remedy\":\"none\",\"export_first\":\"unknown\",\"reasons\":[{}]}",
        ("{\"remedy\":\"none\",\"export_first\":\"unknown\","
         "\"reasons\":[{\"text\":\"a\",\"items\":[-1]}]}"),
        "{\"remedy\":\"none\",\"export_first\":\"unknown\",\"folders\":[{\"nid\":1}]}",
    };
    struct buf line = BUF_INIT, again = BUF_INIT;
    struct chk_verdict got;
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 20);
    idx_record_verdict(&line, &v);
    assert_int_equal(idx_verdict_read((struct bytes){line.data, line.size}, &arena, &got), 0);
    idx_record_verdict(&again, &got);
    assert_int_equal(line.size, again.size);
    assert_memory_equal(line.data, again.data, line.size);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(idx_verdict_read(bytes_text(wrong[i]), &arena, &got), ERR_DAMAGED);
    buf_reset(&line); /* deeper than JSON is read */
    buf_printf(&line, "{\"remedy\":\"none\",\"export_first\":\"unknown\",\"reasons\":");
    for (int i = 0; i < 100; i++)
        buf_putc(&line, '[');
    assert_int_equal(idx_verdict_read((struct bytes){line.data, line.size}, &arena, &got),
                     ERR_DAMAGED);
    buf_done(&line);
    buf_done(&again);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_found_needs_everything),
        cmocka_unit_test(what_the_image_alone_has_requires_an_export),
        cmocka_unit_test(what_it_lacks_is_a_deficit),
        cmocka_unit_test(a_verdict_is_read_as_it_was_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
