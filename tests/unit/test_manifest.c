/* test_manifest.c: the container: there and back, and every way of being cut, altered or forged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <zstd.h>

#include "index/manifest.h"
#include "index/seektable.h"
#include "io/err.h"
#include "io/mem.h"
#include "tests/support/tempdir.h"

#define SCAN    "{\"type\":\"scan\",\"schema\":1}\n"
#define IMAGE   "{\"type\":\"image\",\"size\":42}\n"
#define FOLDER  "{\"type\":\"folder\",\"nid\":290}\n"
#define ITEM    "{\"type\":\"item\",\"nid\":4}\n"
#define VERDICT "{\"type\":\"verdict\"}\n"

static unsigned entries(void)
{
    DIR *d = opendir(tempdir);
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static int put(struct idx_manifest_writer *w, enum idx_record type, const char *line)
{
    return idx_manifest_line(w, type, line, strlen(line));
}

/* An item line of exactly `size` bytes. */
static char *long_item(size_t size)
{
    static const char head[] = "{\"type\":\"item\",\"subject\":\"", tail[] = "\"}\n";
    char *line = malloc(size + 1);

    assert_non_null(line);
    memset(line, 's', size);
    memcpy(line, head, sizeof head - 1);
    memcpy(line + size - (sizeof tail - 1), tail, sizeof tail);
    return line;
}

/* Some frames: small lines up to over 256 KiB, one line longer than a frame, small lines again. */
static int write_several_frames(const char *name)
{
    struct idx_manifest_writer *w;
    struct fault fault;
    char *line = long_item(50000), *longer = long_item(3 << 20);
    int code = idx_manifest_create(tempdir, name, &w, &fault);

    if (!code) {
        code = put(w, RECORD_SCAN, SCAN);
        code = code ? code : put(w, RECORD_IMAGE, IMAGE);
        for (int i = 0; !code && i < 7; i++)
            code = put(w, RECORD_ITEM, line);
        code = code ? code : put(w, RECORD_ITEM, longer);
        code = code ? code : put(w, RECORD_VERDICT, VERDICT);
        if (code)
            idx_manifest_abort(w);
        else
            code = idx_manifest_commit(w, &fault);
    }
    free(line);
    free(longer);
    return code;
}

static void write_small(const char *name)
{
    struct idx_manifest_writer *w;
    struct fault fault;

    assert_int_equal(idx_manifest_create(tempdir, name, &w, &fault), 0);
    assert_int_equal(put(w, RECORD_SCAN, SCAN), 0);
    assert_int_equal(put(w, RECORD_IMAGE, IMAGE), 0);
    assert_int_equal(put(w, RECORD_FOLDER, FOLDER), 0);
    assert_int_equal(put(w, RECORD_ITEM, ITEM), 0);
    assert_int_equal(put(w, RECORD_ITEM, ITEM), 0);
    assert_int_equal(idx_manifest_count(w, RECORD_ITEM), 2);
    assert_int_equal(idx_manifest_count(w, RECORD_FINDING), 0);
    assert_int_equal(put(w, RECORD_VERDICT, VERDICT), 0);
    assert_int_equal(entries(), 1);
    assert_int_equal(idx_manifest_commit(w, &fault), 0);
}

static struct buf file_bytes(const char *name)
{
    struct buf b = BUF_INIT;
    FILE *f = fopen(tempdir_path(name), "rb");
    size_t n;

    assert_non_null(f);
    do {
        assert_true(buf_reserve(&b, 1 << 16));
        n = fread(b.data + b.size, 1, 1 << 16, f);
        b.size += n;
    } while (n);
    fclose(f);
    return b;
}

/* Reads bytes as a manifest to its end: how it ended, and how many lines there were. */
static enum idx_manifest_state state_of(const void *data, size_t size, unsigned *lines)
{
    struct idx_manifest_reader *r;
    struct io_source *source;
    enum idx_manifest_state state;
    enum idx_record type;
    struct bytes line;
    unsigned n = 0;
    int got;

    assert_int_equal(io_source_open_mem(data, size, &source), 0);
    assert_int_equal(idx_manifest_open_source(source, &r), 0);
    while ((got = idx_manifest_next(r, &type, &line, &state)) == 1)
        n++;
    assert_int_equal(got, 0);
    assert_int_equal(state == MANIFEST_COMPLETE, !*idx_manifest_reason(r));
    assert_int_equal(idx_manifest_next(r, &type, &line, &state), 0);
    idx_manifest_close(r);
    io_source_close(source);
    if (lines)
        *lines = n;
    return state;
}

static void names_go_both_ways(void **state)
{
    static const char *const odd[] = {"",
                                      "{}",
                                      "{\"type\":\"item",
                                      "{\"type\":\"items\"}",
                                      "{\"type\":1}",
                                      " {\"type\":\"item\"}"};

    (void)state;
    for (int type = 0; type < IDX_RECORDS; type++) {
        const char *name = idx_record_name((enum idx_record)type);

        assert_int_equal(idx_record_by_name(name, strlen(name)), type);
        assert_int_equal(idx_record_by_name(name, strlen(name) - 1), -1);
    }
    assert_int_equal(idx_record_of_line((struct bytes){(const uint8_t *)ITEM, 13}), -1);
    assert_int_equal(idx_record_of_line((struct bytes){(const uint8_t *)ITEM, strlen(ITEM)}),
                     RECORD_ITEM);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_int_equal(
            idx_record_of_line((struct bytes){(const uint8_t *)odd[i], strlen(odd[i])}), -1);
}

static void small_one_goes_there_and_back(void **state)
{
    static const char *const lines[] = {SCAN, IMAGE, FOLDER, ITEM, ITEM, VERDICT};
    static const char end[] =
        "{\"type\":\"end\",\"counts\":{\"scan\":1,\"image\":1,\"folder\":1,\"item\":2,"
        "\"finding\":0,\"verdict\":1,\"end\":1},\"digest\":\"xxh3:";
    struct idx_manifest_reader *r;
    enum idx_manifest_state how = MANIFEST_DAMAGED;
    struct ost_digest digest;
    char text[IDX_DIGEST_TEXT];
    enum idx_record type;
    struct fault fault;
    struct bytes line;
    struct stat st;

    (void)state;
    write_small("m");
    assert_int_equal(entries(), 1);
    assert_int_equal(stat(tempdir_path("m"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(idx_manifest_open(tempdir_path("m"), &r, &fault), 0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(idx_manifest_next(r, &type, &line, &how), 1);
        assert_int_equal(line.size, strlen(lines[i]));
        assert_memory_equal(line.data, lines[i], line.size);
        assert_int_equal(type, idx_record_of_line(line));
    }
    assert_int_equal(idx_manifest_next(r, &type, &line, &how), 1);
    assert_int_equal(type, RECORD_END);
    assert_memory_equal(line.data, end, sizeof end - 1);
    assert_int_equal(idx_hash_bytes(IDX_XXH3, IMAGE FOLDER ITEM ITEM VERDICT,
                                    strlen(IMAGE FOLDER ITEM ITEM VERDICT), &digest),
                     0);
    idx_digest_text(&digest, text);
    assert_memory_equal(line.data + sizeof end - 6, text, strlen(text));
    assert_int_equal(idx_hash_bytes(IDX_XXH3, SCAN, strlen(SCAN), &digest), 0);
    idx_digest_text(&digest, text);
    assert_non_null(memmem(line.data, line.size, text, strlen(text)));
    assert_int_equal(idx_manifest_next(r, &type, &line, &how), 0);
    assert_int_equal(how, MANIFEST_COMPLETE);
    idx_manifest_close(r);
}

static void frames_hold_whole_lines(void **state)
{
    struct idx_manifest_reader *r;
    enum idx_manifest_state how;
    enum idx_record type, type_at;
    uint64_t offsets[16], total = 0;
    size_t sizes[16], n = 0;
    struct fault fault;
    struct bytes line, at;
    struct buf file;
    uint32_t frames;

    (void)state;
    assert_int_equal(write_several_frames("m"), 0);
    file = file_bytes("m");
    assert_true(seektable_footer(file.data + file.size - SEEK_FOOTER, &frames));
    assert_int_equal(frames, 5); /* 5 and 2 lines of 50,000; the long one; the rest; the seal */
    assert_int_equal(idx_manifest_open(tempdir_path("m"), &r, &fault), 0);
    while (idx_manifest_next(r, &type, &line, &how) == 1) {
        assert_int_equal(idx_manifest_offset(r), total);
        offsets[n] = total;
        sizes[n++] = line.size;
        total += line.size;
        /* random access in between disturbs nothing, and finds every line so far */
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(idx_manifest_read_at(r, offsets[i], &type_at, &at), 1);
            assert_int_equal(at.size, sizes[i]);
        }
        assert_memory_equal(at.data, line.data, at.size);
        assert_int_equal(type_at, type);
    }
    assert_int_equal(how, MANIFEST_COMPLETE);
    assert_int_equal(n, 12);
    assert_int_equal(idx_manifest_read_at(r, 1, &type, &at), 0);
    assert_int_equal(idx_manifest_read_at(r, offsets[5] - 1, &type, &at), 0);
    assert_int_equal(idx_manifest_read_at(r, total, &type, &at), 0);
    assert_int_equal(idx_manifest_read_at(r, UINT64_MAX, &type, &at), 0);
    idx_manifest_close(r);
    buf_done(&file);
}

/* The lines as other programs see them. */
static void other_programs_read_it(void **state)
{
    static const char check[] =
        "zstd -tq %s && [ $(zstd -dcq %s | jq -r .type | tail -n 1) = end ] && "
        "[ $(zstd -dcq %s | tail -n +2 | head -n -1 | wc -c) = $((%zu)) ]";
    char command[20000];

    (void)state;
    if (system("command -v zstd jq >/dev/null")) {
        print_message("skipped: zstd and jq are not both here\n");
        skip();
    }
    assert_int_equal(write_several_frames("m"), 0);
    snprintf(command, sizeof command, check, tempdir_path("m"), tempdir_path("m"),
             tempdir_path("m"), strlen(IMAGE VERDICT) + 7 * 50000 + (3 << 20));
    assert_int_equal(system(command), 0);
}

static void same_lines_make_the_same_bytes(void **state)
{
    struct buf a, b;

    (void)state;
    assert_int_equal(write_several_frames("a"), 0);
    assert_int_equal(write_several_frames("b"), 0);
    a = file_bytes("a");
    b = file_bytes("b");
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    buf_done(&a);
    buf_done(&b);
}

static void every_cut_is_noticed(void **state)
{
    struct buf file;
    unsigned lines;

    (void)state;
    write_small("m");
    file = file_bytes("m");
    assert_true(file.size < 3000);
    assert_int_equal(state_of(file.data, file.size, &lines), MANIFEST_COMPLETE);
    assert_int_equal(lines, 7);
    for (size_t size = 0; size < file.size; size++) {
        assert_int_equal(state_of(file.data, size, &lines), MANIFEST_TRUNCATED);
        assert_true(lines <= 6); /* `end` is never among them */
    }
    buf_done(&file);
}

static void every_flipped_bit_is_noticed(void **state)
{
    struct buf file;
    unsigned lines;

    (void)state;
    write_small("m");
    file = file_bytes("m");
    for (size_t bit = 0; bit < file.size * 8; bit++) {
        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (state_of(file.data, file.size, &lines) == MANIFEST_COMPLETE)
            fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        assert_true(lines <= 6);
        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(state_of(file.data, file.size, NULL), MANIFEST_COMPLETE);
    buf_done(&file);
}

static void what_follows_is_noticed(void **state)
{
    struct buf file;

    (void)state;
    write_small("m");
    file = file_bytes("m");
    buf_putc(&file, '\0');
    assert_int_equal(state_of(file.data, file.size, NULL), MANIFEST_DAMAGED);
    file.size--;
    buf_append(&file, "\x50\x2a\x4d\x18\0\0\0\0", 8); /* an empty skippable frame */
    assert_int_equal(state_of(file.data, file.size, NULL), MANIFEST_DAMAGED);
    buf_done(&file);
}

static void no_manifest_is_damaged(void **state)
{
    static const char *const others[] = {"PK\x03\x04 something of more than eighteen bytes",
                                         "{\"type\":\"scan\",\"schema\":1,\"tool\":\"x\"}\n"};
    struct idx_manifest_reader *r;
    struct fault fault;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(state_of(others[i], strlen(others[i]), NULL), MANIFEST_DAMAGED);
    assert_int_equal(state_of("", 0, NULL), MANIFEST_TRUNCATED);
    assert_int_equal(idx_manifest_open(tempdir_path("none"), &r, &fault), ERR_NOENT);
    assert_int_equal(fault.code, ERR_NOENT);
    assert_int_equal(idx_manifest_open(tempdir, &r, &fault), ERR_UNSUPPORTED);
}

/* A forger's tools: frames of any content, and a tail that is right for them. */
struct forged {
    struct buf file;
    struct seektable table;
};

static void forge_frame(struct forged *f, const char *content, size_t size, int checksum,
                        int with_size)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    size_t bound = ZSTD_compressBound(size), packed;
    ZSTD_outBuffer out;
    ZSTD_inBuffer in = {content, size, 0};

    assert_true(buf_reserve(&f->file, bound));
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, checksum);
    if (with_size)
        ZSTD_CCtx_setPledgedSrcSize(zstd, size);
    out = (ZSTD_outBuffer){f->file.data + f->file.size, bound, 0};
    assert_int_equal(
        ZSTD_compressStream2(zstd, &out, &in, with_size ? ZSTD_e_flush : ZSTD_e_continue), 0);
    assert_int_equal(ZSTD_compressStream2(zstd, &out, &in, ZSTD_e_end), 0);
    packed = out.pos;
    f->file.size += packed;
    assert_int_equal(
        seektable_add(&f->table, packed, (struct bytes){(const uint8_t *)content, size}), 0);
    ZSTD_freeCCtx(zstd);
}

static void forge_tail(struct forged *f)
{
    struct ost_digest digest;
    uint8_t seal[SEAL_SIZE];

    assert_int_equal(idx_hash_bytes(IDX_XXH3, f->file.data, f->file.size, &digest), 0);
    seektable_seal(&digest, seal);
    buf_append(&f->file, seal, sizeof seal);
    assert_int_equal(seektable_add(&f->table, sizeof seal, (struct bytes){0}), 0);
    seektable_write(&f->table, &f->file);
}

static enum idx_manifest_state forged_done(struct forged *f, unsigned *lines)
{
    enum idx_manifest_state how;

    forge_tail(f);
    how = state_of(f->file.data, f->file.size, lines);
    buf_done(&f->file);
    seektable_done(&f->table);
    return how;
}

static enum idx_manifest_state forge(const char *content, unsigned *lines)
{
    struct forged f = {0};

    forge_frame(&f, content, strlen(content), 1, 1);
    return forged_done(&f, lines);
}

/* An `end` record of the counts 1, 1, 0, `items`, 0, 0 that is right for `body`. */
static const char *end_of(const char *scan, const char *body, unsigned items, const char *complete)
{
    static char line[1024];
    char digest_text[IDX_DIGEST_TEXT], scan_text[IDX_DIGEST_TEXT];
    struct ost_digest digest, scan_digest;

    assert_int_equal(idx_hash_bytes(IDX_XXH3, body, strlen(body), &digest), 0);
    assert_int_equal(idx_hash_bytes(IDX_XXH3, scan, strlen(scan), &scan_digest), 0);
    idx_digest_text(&digest, digest_text);
    idx_digest_text(&scan_digest, scan_text);
    snprintf(line, sizeof line,
             "{\"type\":\"end\",\"counts\":{\"scan\":1,\"image\":1,\"folder\":0,\"item\":%u,"
             "\"finding\":0,\"verdict\":0,\"end\":1},\"digest\":\"%s\",\"scan_digest\":\"%s\"%s}\n",
             items, digest_text, scan_text, complete);
    return line;
}

static enum idx_manifest_state forge_with_end(const char *head, const char *end, unsigned *lines)
{
    char content[4096];

    snprintf(content, sizeof content, "%s%s", head, end);
    return forge(content, lines);
}

#define COMPLETE ",\"complete\":true"

static void forged_content_is_noticed(void **state)
{
    unsigned lines;

    (void)state;
    /* the forger's tools make a manifest where nothing is wrong */
    assert_int_equal(forge_with_end(SCAN IMAGE ITEM, end_of(SCAN, IMAGE ITEM, 1, COMPLETE), &lines),
                     MANIFEST_COMPLETE);
    assert_int_equal(lines, 4);
    /* no `end` */
    assert_int_equal(forge(SCAN IMAGE ITEM, &lines), MANIFEST_DAMAGED);
    assert_int_equal(lines, 3);
    /* counts, digests, complete */
    assert_int_equal(forge_with_end(SCAN IMAGE ITEM, end_of(SCAN, IMAGE ITEM, 2, COMPLETE), NULL),
                     MANIFEST_DAMAGED);
    assert_int_equal(forge_with_end(SCAN IMAGE ITEM, end_of(SCAN, IMAGE, 1, COMPLETE), NULL),
                     MANIFEST_DAMAGED);
    assert_int_equal(forge_with_end(SCAN IMAGE ITEM, end_of("", IMAGE ITEM, 1, COMPLETE), NULL),
                     MANIFEST_DAMAGED);
    assert_int_equal(forge_with_end(SCAN IMAGE ITEM, end_of(SCAN, IMAGE ITEM, 1, ""), NULL),
                     MANIFEST_DAMAGED);
    assert_int_equal(
        forge_with_end(SCAN IMAGE ITEM, end_of(SCAN, IMAGE ITEM, 1, ",\"complete\":false"), &lines),
        MANIFEST_DAMAGED);
    assert_int_equal(lines, 3);
    assert_int_equal(forge(SCAN IMAGE "{\"type\":\"end\"}\n", NULL), MANIFEST_DAMAGED);
    assert_int_equal(forge(SCAN IMAGE "{\"type\":\"end\",\n", NULL), MANIFEST_DAMAGED);
    /* order, unknown records, a line without its end, no `scan` first, two of them */
    assert_int_equal(forge_with_end(SCAN ITEM IMAGE, end_of(SCAN, ITEM IMAGE, 1, COMPLETE), &lines),
                     MANIFEST_DAMAGED);
    assert_int_equal(lines, 2);
    assert_int_equal(forge(SCAN "{\"type\":\"else\"}\n", NULL), MANIFEST_DAMAGED);
    assert_int_equal(forge(SCAN "\n", NULL), MANIFEST_DAMAGED);
    assert_int_equal(forge(SCAN "{\"type\":\"image\"}", &lines), MANIFEST_DAMAGED);
    assert_int_equal(lines, 1);
    assert_int_equal(forge_with_end(IMAGE, end_of("", IMAGE, 0, COMPLETE), NULL), MANIFEST_DAMAGED);
    assert_int_equal(forge(SCAN SCAN IMAGE, NULL), MANIFEST_DAMAGED);
}

static void text_after_end_is_noticed(void **state)
{
    struct forged f = {0};
    char content[4096];
    const char *end = end_of(SCAN, IMAGE, 0, COMPLETE);

    (void)state;
    snprintf(content, sizeof content, "%s%s\n", SCAN IMAGE, end);
    assert_int_equal(forge(content, NULL), MANIFEST_DAMAGED);
    snprintf(content, sizeof content, "%s%s", SCAN IMAGE, end);
    forge_frame(&f, content, strlen(content), 1, 1);
    forge_frame(&f, ITEM, strlen(ITEM), 1, 1);
    assert_int_equal(forged_done(&f, NULL), MANIFEST_DAMAGED);
}

static void forged_frames_are_noticed(void **state)
{
    const char *end = end_of(SCAN, IMAGE, 0, COMPLETE);
    /* single segment, checksum, 8-byte content size of 1 TiB; then nothing of use */
    static const uint8_t huge[] = {0x28, 0xB5, 0x2F, 0xFD, 0xE4, 0, 0, 0, 0, 0,
                                   1,    0,    0,    1,    0,    0, 0, 0, 0, 0};
    struct forged f = {0};
    char content[4096];

    (void)state;
    snprintf(content, sizeof content, "%s%s", SCAN IMAGE, end);
    forge_frame(&f, content, strlen(content), 1, 1);
    assert_int_equal(forged_done(&f, NULL), MANIFEST_COMPLETE);
    f = (struct forged){0};
    forge_frame(&f, content, strlen(content), 0, 1);
    assert_int_equal(forged_done(&f, NULL), MANIFEST_DAMAGED);
    f = (struct forged){0};
    forge_frame(&f, content, strlen(content), 1, 0);
    assert_int_equal(forged_done(&f, NULL), MANIFEST_DAMAGED);
    /* an empty frame among the others */
    f = (struct forged){0};
    forge_frame(&f, "", 0, 1, 1);
    forge_frame(&f, content, strlen(content), 1, 1);
    assert_int_equal(forged_done(&f, NULL), MANIFEST_DAMAGED);
    assert_int_equal(state_of(huge, sizeof huge, NULL), MANIFEST_DAMAGED);
}

/* Frames of a real manifest in another order, under a tail that is right for that order or the
 * old one. */
static void moved_frames_are_noticed(void **state)
{
    static const char *const orders[] = {"0124", "1230", "01123", "0213", "013", "123", "012", "3"};
    struct seektable table = {0};
    struct buf file;
    uint64_t starts[5] = {0};
    size_t table_at;
    uint32_t count;

    (void)state;
    assert_int_equal(write_several_frames("m"), 0);
    file = file_bytes("m");
    assert_true(seektable_footer(file.data + file.size - SEEK_FOOTER, &count));
    assert_int_equal(count, 5);
    table_at = file.size - SEEK_FOOTER - count * SEEK_ENTRY;
    buf_append(&table.entries, file.data + table_at, count * SEEK_ENTRY);
    for (uint32_t i = 0; i < 4; i++)
        starts[i + 1] = starts[i] + seektable_frame(&table, i).compressed;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct forged f = {0};

        for (const char *p = orders[i]; *p; p++) {
            uint32_t n = (uint32_t)(*p - '0');

            if (n >= 4)
                continue;
            buf_append(&f.file, file.data + starts[n], seektable_frame(&table, n).compressed);
            buf_append(&f.table.entries, table.entries.data + n * SEEK_ENTRY, SEEK_ENTRY);
        }
        assert_int_equal(forged_done(&f, NULL), MANIFEST_DAMAGED);
        for (const char *p = orders[i]; *p; p++)
            if (*p < '4')
                buf_append(&f.file, file.data + starts[*p - '0'],
                           seektable_frame(&table, (uint32_t)(*p - '0')).compressed);
        buf_append(&f.file, file.data + starts[4], file.size - starts[4]);
        assert_int_equal(state_of(f.file.data, f.file.size, NULL), MANIFEST_DAMAGED);
        buf_done(&f.file);
    }
    seektable_done(&table);
    buf_done(&file);
}

static void random_access_trusts_nothing(void **state)
{
    struct buf file;
    unsigned refused = 0;

    (void)state;
    write_small("m");
    file = file_bytes("m");
    for (size_t bit = 0; bit < file.size * 8; bit++) {
        struct idx_manifest_reader *r;
        struct io_source *source;
        enum idx_record type;
        struct bytes line;
        int got;

        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(io_source_open_mem(file.data, file.size, &source), 0);
        assert_int_equal(idx_manifest_open_source(source, &r), 0);
        got = idx_manifest_read_at(r, strlen(SCAN IMAGE), &type, &line);
        if (got == 1) {
            assert_int_equal(line.size, strlen(FOLDER));
            assert_memory_equal(line.data, FOLDER, line.size);
        } else {
            assert_int_equal(got, ERR_DAMAGED);
            refused++;
        }
        idx_manifest_close(r);
        io_source_close(source);
        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(refused > 1000);
    buf_done(&file);
}

static void too_long_a_line_is_refused_alone(void **state)
{
    struct idx_manifest_writer *w;
    struct fault fault;
    char *line = long_item((size_t)IDX_MANIFEST_LINE_MAX + 1);
    struct buf file;

    (void)state;
    assert_int_equal(idx_manifest_create(tempdir, "m", &w, &fault), 0);
    assert_int_equal(put(w, RECORD_SCAN, SCAN), 0);
    assert_int_equal(put(w, RECORD_ITEM, line), ERR_LIMIT);
    assert_int_equal(idx_manifest_count(w, RECORD_ITEM), 0);
    assert_int_equal(put(w, RECORD_ITEM, ITEM), 0);
    assert_int_equal(idx_manifest_commit(w, NULL), 0);
    file = file_bytes("m");
    assert_int_equal(state_of(file.data, file.size, NULL), MANIFEST_COMPLETE);
    buf_done(&file);
    free(line);
}

static void aborted_one_leaves_nothing(void **state)
{
    struct idx_manifest_writer *w;
    struct fault fault;

    (void)state;
    assert_int_equal(idx_manifest_create(tempdir, "m", &w, &fault), 0);
    assert_int_equal(put(w, RECORD_SCAN, SCAN), 0);
    idx_manifest_abort(w);
    idx_manifest_abort(NULL);
    assert_int_equal(entries(), 0);
    assert_int_equal(idx_manifest_create("/nonexistent", "m", &w, &fault), ERR_NOENT);
}

static void full_disk_leaves_nothing(void **state)
{
    struct rlimit old, small;
    rlim_t whole;
    struct stat st;

    (void)state;
    assert_int_equal(write_several_frames("m"), 0);
    assert_int_equal(stat(tempdir_path("m"), &st), 0);
    assert_int_equal(unlink(tempdir_path("m")), 0);
    whole = (rlim_t)st.st_size;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (rlim_t limit = 0; limit < whole; limit += 1 + whole / 50) {
        int code;

        small = (struct rlimit){limit, old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        code = write_several_frames("m");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(code, ERR_NOSPACE);
        assert_int_equal(entries(), 0);
    }
    assert_int_equal(write_several_frames("m"), 0);
    assert_int_equal(entries(), 1);
}

static void failed_memory_is_reported(void **state)
{
    int code;
    uint64_t nth = 0;

    (void)state;
    do {
        mem_test_fail(++nth, 0);
        code = write_several_frames("m");
        mem_test_fail(0, 0);
        assert_true(code == 0 || code == ERR_NOMEM);
        assert_int_equal(entries(), code ? 0 : 1);
    } while (code);
    assert_true(nth > 8);
}

static int read_with_failures(void)
{
    struct idx_manifest_reader *r;
    enum idx_manifest_state how;
    enum idx_record type;
    struct fault fault;
    struct bytes line;
    int got, code = idx_manifest_open(tempdir_path("m"), &r, &fault);

    if (code)
        return code;
    got = idx_manifest_read_at(r, 0, &type, &line);
    if (got < 0) {
        /* what failed for want of memory succeeds later */
        assert_int_equal(got, ERR_NOMEM);
        assert_int_equal(idx_manifest_read_at(r, 0, &type, &line), 1);
    }
    while ((got = idx_manifest_next(r, &type, &line, &how)) == 1)
        ;
    if (got == 0)
        assert_int_equal(how, MANIFEST_COMPLETE);
    else
        assert_int_equal(idx_manifest_next(r, &type, &line, &how), got);
    idx_manifest_close(r);
    return got;
}

static void failed_memory_while_reading_is_reported(void **state)
{
    uint64_t nth = 0, before;
    int code;

    (void)state;
    assert_int_equal(write_several_frames("m"), 0);
    do {
        mem_test_fail(++nth, 0);
        before = mem_test_count();
        code = read_with_failures();
        mem_test_fail(0, 0);
        assert_true(code == 0 || code == ERR_NOMEM);
    } while (code || mem_test_count() - before >= nth);
    assert_true(nth > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test_setup_teardown(small_one_goes_there_and_back, tempdir_set_up,
                                        tempdir_tear_down),
        cmocka_unit_test_setup_teardown(frames_hold_whole_lines, tempdir_set_up, tempdir_tear_down),
        cmocka_unit_test_setup_teardown(other_programs_read_it, tempdir_set_up, tempdir_tear_down),
        cmocka_unit_test_setup_teardown(same_lines_make_the_same_bytes, tempdir_set_up,
                                        tempdir_tear_down),
        cmocka_unit_test_setup_teardown(every_cut_is_noticed, tempdir_set_up, tempdir_tear_down),
        cmocka_unit_test_setup_teardown(every_flipped_bit_is_noticed, tempdir_set_up,
                                        tempdir_tear_down),
        cmocka_unit_test_setup_teardown(what_follows_is_noticed, tempdir_set_up, tempdir_tear_down),
        cmocka_unit_test_setup_teardown(no_manifest_is_damaged, tempdir_set_up, tempdir_tear_down),
        cmocka_unit_test(forged_content_is_noticed),
        cmocka_unit_test(text_after_end_is_noticed),
        cmocka_unit_test(forged_frames_are_noticed),
        cmocka_unit_test_setup_teardown(moved_frames_are_noticed, tempdir_set_up,
                                        tempdir_tear_down),
        cmocka_unit_test_setup_teardown(random_access_trusts_nothing, tempdir_set_up,
                                        tempdir_tear_down),
        cmocka_unit_test_setup_teardown(too_long_a_line_is_refused_alone, tempdir_set_up,
                                        tempdir_tear_down),
        cmocka_unit_test_setup_teardown(aborted_one_leaves_nothing, tempdir_set_up,
                                        tempdir_tear_down),
        cmocka_unit_test_setup_teardown(full_disk_leaves_nothing, tempdir_set_up,
                                        tempdir_tear_down),
        cmocka_unit_test_setup_teardown(failed_memory_is_reported, tempdir_set_up,
                                        tempdir_tear_down),
        cmocka_unit_test_setup_teardown(failed_memory_while_reading_is_reported, tempdir_set_up,
                                        tempdir_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
