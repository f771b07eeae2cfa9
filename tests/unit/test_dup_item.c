/*
 * test_dup_item.c: what the duplicate index takes of an item as it is recorded is what it reads
 * from the item's line, to the last mark: of every item of made and of real images.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "index/dup_notes.h"
#include "io/file.h"
#include "scanner/app/kit.h"
#include "scanner/engine_native.h"
#include "tests/gen/damage.h"
#include "tests/gen/run.h"
#include "tests/support/samples.h"
#include "tests/support/tempdir.h"

struct held {
    struct kit kit;
    struct dup_item parsed;
    struct buf packed;
    unsigned items, indexed, with_attachments;
};

static int on_image(void *ctx, const struct ost_image *image)
{
    (void)ctx;
    (void)image;
    return 0;
}

static int on_folder(void *ctx, const struct ost_folder *folder)
{
    (void)ctx;
    (void)folder;
    return 0;
}

static int on_finding(void *ctx, const struct finding *f)
{
    (void)ctx;
    (void)f;
    return 0;
}

static void hold(struct held *h)
{
    const struct buf *line = &h->kit.line;

    assert_int_equal(dup_item_parse((struct bytes){line->data, line->size}, &h->parsed), 0);
    buf_reset(&h->packed);
    dup_item_pack(&h->parsed, &h->packed);
    assert_int_equal(h->kit.note.size, h->packed.size);
    assert_memory_equal(h->kit.note.data, h->packed.data, h->packed.size);
    h->items++;
    h->indexed += h->parsed.fate == FATE_INDEXED;
    h->with_attachments += h->parsed.attachment_count > 0;
    buf_reset(&h->kit.line);
}

static int on_item(void *ctx, const struct ost_item *item)
{
    struct held *h = ctx;
    struct ost_item recovered = *item;
    struct idx_view view;

    assert_int_equal(kit_item_line(&h->kit, item, &view), 0);
    kit_note(&h->kit, item, &view);
    hold(h);
    recovered.recovered = true;
    assert_int_equal(kit_item_line(&h->kit, &recovered, &view), 0);
    kit_note(&h->kit, &recovered, &view);
    hold(h);
    return 0;
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    struct held *h = ctx;

    idx_record_failed_item(&h->kit.line, nid, folder, assoc);
    kit_note_line(&h->kit);
    hold(h);
    return 0;
}

static struct held hold_image(const char *path, enum idx_algorithm algorithm)
{
    struct held h = {0};
    const struct engine_sink sink = {.ctx = &h,
                                     .image = on_image,
                                     .folder = on_folder,
                                     .item = on_item,
                                     .failed = on_failed,
                                     .finding = on_finding};
    struct engine_job job = {.memory_bytes = 64 << 20, .io = IO_BACKEND_PREAD};
    uint8_t head[OST_HEADER_SIZE];
    struct ost_header_report report;
    struct ost_header header;
    struct io_file file;
    const struct kit_options how = {.digest = algorithm, .io = IO_BACKEND_PREAD};
    struct fault fault;
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    assert_int_equal(fread(head, 1, sizeof head, f), sizeof head);
    fclose(f);
    assert_int_equal(io_file_open(path, IO_FILE_FOLLOW, &file, &fault), 0);
    ost_header_check((struct bytes){head, sizeof head}, file.id.size_bytes, &header, &report);
    assert_int_equal(kit_init(&h.kit, &how), 0);
    job.file = &file;
    job.header = &header;
    job.hasher = &h.kit.hasher;
    assert_int_equal(engine_native.run(&job, &sink), 0);
    io_file_close(&file);
    kit_done(&h.kit);
    dup_item_done(&h.parsed);
    buf_done(&h.packed);
    return h;
}

static void made_items_are_noted_as_they_are_read(void **state)
{
    static const enum gen_format formats[] = {GEN_ANSI, GEN_UNICODE, GEN_UNICODE4K};
    const char *dir = tempdir_make();
    char path[4096];

    (void)state;
    snprintf(path, sizeof path, "%s/image.ost", dir);
    for (unsigned i = 0; i < 6; i++) {
        struct gen_options o = {
            .image = {.path = path,
                      .format = formats[i % 3],
                      .crypt = GEN_CRYPT_PERMUTE,
                      .content = GEN_OST,
                      .seed = i},
            .profile = profile_find("mixed"),
            .seed = i,
            .items = 150,
            .truth = TRUTH_NONE,
            .damages = {{DAMAGE_block_flip, 20}},
            .damage_count = i < 3 ? 0 : 1,
        };
        struct gen_summary summary;
        unsigned missed;
        struct held h;

        assert_int_equal(gen_run(&o, &summary, &missed), 0);
        h = hold_image(path, i % 2 ? IDX_SHA256 : IDX_XXH3);
        assert_true(h.items >= 300 && h.with_attachments > 10);
        assert_true(h.indexed > 100 && h.indexed <= h.items / 2);
    }
    tempdir_remove(dir);
}

static void real_items_too(void **state)
{
    static const char *const names[] = {SAMPLE_OST, SAMPLE_OST2, SAMPLE_ENRON};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct held h = hold_image(sample_or_skip(names[i]), IDX_XXH3);

        assert_true(h.items >= 140 && h.indexed > 50);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_items_are_noted_as_they_are_read),
        cmocka_unit_test(real_items_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
