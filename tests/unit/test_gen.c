/* The builders of ostgen, held against bytes worked out by hand from the format's description. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/bytes.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/finding.h"
#include "tests/gen/crypt.h"
#include "tests/gen/damage.h"
#include "tests/gen/lzfu.h"
#include "tests/gen/run.h"
#include "tests/gen/sum.h"

struct fixture {
    char path[64], truth[96];
    struct image *img;
    uint8_t *bytes;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->path, "/tmp/test_gen.XXXXXX");
    int fd = mkstemp(f->path);
    close(fd);
    snprintf(f->truth, sizeof f->truth, "%s.truth.jsonl", f->path);
    f->bytes = malloc(65536);
    *state = f;
    return fd < 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    image_destroy(f->img);
    unlink(f->path);
    unlink(f->truth);
    free(f->bytes);
    free(f);
    return 0;
}

static struct image *image_of(struct fixture *f, enum gen_format format)
{
    struct image_options o = {.path = f->path, .format = format, .content = GEN_PST, .seed = 7};
    image_destroy(f->img);
    f->img = NULL;
    assert_int_equal(image_create(&o, &f->img), 0);
    return f->img;
}

static const struct gen_block *finish_and_read(struct fixture *f, uint64_t bid)
{
    if (f->img->node_count == 0)
        image_node(f->img, 0x21, bid, 0, 0);
    assert_int_equal(image_finish(f->img), 0);
    const struct gen_block *b = &f->img->blocks[image_index(bid)];
    assert_int_equal(pread(f->img->fd, f->bytes, b->stored, (off_t)b->ib), b->stored);
    return b;
}

static void read_block(struct fixture *f, uint64_t bid)
{
    const struct gen_block *b = &f->img->blocks[image_index(bid)];
    assert_int_equal(pread(f->img->fd, f->bytes, b->stored, (off_t)b->ib), b->stored);
}

static void test_crc_and_signature(void **state)
{
    (void)state;
    assert_int_equal(sum_crc("123456789", 9), 0x2DFD2D88);
    assert_int_equal(sum_crc("\0\0\0\0", 4), 0);
    /* 0x12345678 ^ 0x00000104 = 0x1234577C; 0x1234 ^ 0x577C = 0x4548 */
    assert_int_equal(sum_signature(0x12345678, 0x104), 0x4548);
}

static void test_block_trailers(void **state)
{
    (void)state;
    uint8_t block[512];
    struct block_end end = {.offset = 0x4600, .bid = 8, .stored = 3, .inflated = 9};
    memset(block, 0xEE, sizeof block);
    memcpy(block, "abc", 3);
    block_seal(variant_of(GEN_ANSI), block, &end);
    assert_int_equal(block[3], 0); /* padding up to the trailer at 64 - 12 */
    assert_int_equal(block[51], 0);
    assert_int_equal(le16(block + 52), 3);
    assert_int_equal(le16(block + 54), 0x4608);
    assert_int_equal(le32(block + 56), 8);
    assert_int_equal(le32(block + 60), sum_crc("abc", 3));
    assert_int_equal(block[64], 0xEE);
    block_seal(variant_of(GEN_UNICODE), block, &end);
    assert_int_equal(le16(block + 48), 3);
    assert_int_equal(le32(block + 52), sum_crc("abc", 3));
    assert_int_equal(le64(block + 56), 8);
    block_seal(variant_of(GEN_UNICODE4K), block, &end);
    assert_int_equal(le16(block + 488), 3);
    assert_int_equal(le64(block + 496), 8);
    assert_int_equal(le16(block + 504), 2);
    assert_int_equal(le16(block + 506), 9);
    assert_int_equal(le32(block + 508), 0);
}

static void test_page_trailers(void **state)
{
    (void)state;
    uint8_t page[4096] = {1, 2, 3};
    struct page_end end = {.type = 0x81, .signature = 0x1234, .bid = 0x77};
    page_seal(variant_of(GEN_ANSI), page, &end);
    assert_int_equal(le16(page + 500), 0x8181);
    assert_int_equal(le16(page + 502), 0x1234);
    assert_int_equal(le32(page + 504), 0x77);
    assert_int_equal(le32(page + 508), sum_crc(page, 500));
    page_seal(variant_of(GEN_UNICODE), page, &end);
    assert_int_equal(le32(page + 500), sum_crc(page, 496));
    assert_int_equal(le64(page + 504), 0x77);
    page_seal(variant_of(GEN_UNICODE4K), page, &end);
    assert_int_equal(le16(page + 4072), 0x8181);
    assert_int_equal(le32(page + 4076), sum_crc(page, 4072));
    assert_int_equal(le64(page + 4080), 0x77);
    assert_int_equal(le64(page + 4088), 1);
}

static void test_ciphers(void **state)
{
    (void)state;
    uint8_t in[300], out[300], back[300];
    static const uint8_t first[4] = {0x41, 0x36, 0x13, 0x62};
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)i;
    crypt_permute(in, sizeof in, out);
    assert_memory_equal(out, first, 4);
    crypt_cyclic(in, sizeof in, 0x123456, out);
    assert_memory_not_equal(in, out, sizeof in);
    crypt_cyclic(out, sizeof out, 0x123456, back);
    assert_memory_equal(in, back, sizeof in);
    crypt_cyclic(in, sizeof in, 0x123452, back);
    assert_memory_not_equal(out, back, sizeof in);
}

/* Extents stay within their span and off its allocation pages, and their bits are set. */
static void test_space_steps_over_pages(void **state)
{
    struct fixture *f = *state;
    const struct variant *v = variant_of(GEN_UNICODE);
    struct space *s = &image_of(f, GEN_UNICODE)->space;
    uint64_t last = 0, used = 0;
    for (int i = 0; i < 3000; i++) {
        uint32_t size = 64u * (1 + (uint32_t)i % 128);
        uint64_t at = space_alloc(s, size, i % 5 == 0 ? 512 : 64);
        uint64_t span = (at - 0x4400) / 0x3E000, in_span = (at - 0x4400) % 0x3E000;
        assert_true(at >= last);
        assert_true(in_span >= (span % 8 == 0 ? 1024u : 512u));
        assert_true(in_span + size <= 0x3E000);
        assert_false(space_is_free(s, at));
        assert_false(space_is_free(s, at + size - 64));
        last = at + size;
        used += size;
    }
    assert_true(space_spans(s) > 40);
    assert_int_equal(space_error(s), 0);
    for (uint64_t i = 0; i < space_spans(s); i++)
        used += variant_span_pages(v, i);
    assert_int_equal(space_free_bytes(s), space_file_end(s) - 0x4400 - used);
    space_free(s, last - 64, 64);
    assert_true(space_is_free(s, last - 64));
    assert_int_equal(space_free_bytes(s), space_file_end(s) - 0x4400 - used + 64);
}

static void test_special_pages_of_spans(void **state)
{
    (void)state;
    const struct variant *u = variant_of(GEN_UNICODE), *k = variant_of(GEN_UNICODE4K);
    assert_int_equal(variant_span_pages(u, 0), 1024);
    assert_int_equal(variant_span_pages(u, 1), 512);
    assert_int_equal(variant_span_pages(u, 8), 1024);
    assert_int_equal(variant_span_pages(u, 128), 1536);
    assert_int_equal(variant_span_pages(u, 8192), 1536); /* AMap, PMap, FPMap */
    assert_int_equal(variant_span_pages(k, 0), 4096);
    assert_int_equal(variant_span_pages(k, 128), 4096);
}

static void test_small_heap(void **state)
{
    struct fixture *f = *state;
    struct heap h;
    uint32_t hid = 0;
    static const uint8_t want[] = {
        18,   0,                   /* page map */
        0xEC, 0xBC,                /* signature, client */
        0x20, 0,    0,   0,        /* root: item 1 */
        0,    0,    0,   0,        /* fill levels: over 3584 bytes free */
        'a',  'b',  'c', 'd', 'e', /* items 1 and 3; 2 is empty */
        0,                         /* pad to an even offset */
        3,    0,    0,   0,        /* items, freed */
        12,   0,    15,  0,   15,  0, 17, 0,
    };
    heap_init(&h, image_of(f, GEN_UNICODE));
    heap_begin(&h, HEAP_PROPERTIES);
    assert_int_equal(heap_add(&h, "abc", 3), 0x20);
    assert_int_equal(heap_add(&h, "", 0), 0x40);
    assert_non_null(heap_alloc(&h, 2, &hid));
    assert_int_equal(hid, 0x60);
    uint64_t root;
    memcpy(heap_patch(&h, 0x60), "de", 2);
    root = heap_finish(&h, 0x20);
    heap_done(&h);
    assert_int_equal(finish_and_read(f, root)->stored, sizeof want);
    assert_memory_equal(f->bytes, want, sizeof want);
}

/* Block 8 has room for fill levels; all blocks but the last are of full size. */
static void test_heap_of_many_blocks(void **state)
{
    struct fixture *f = *state;
    struct heap h;
    uint8_t item[3000];
    uint32_t last = 0;
    memset(item, 'x', sizeof item);
    heap_init(&h, image_of(f, GEN_UNICODE));
    heap_begin(&h, HEAP_TABLE);
    for (int i = 0; i < 2 * 140; i++)
        last = heap_add(&h, item, sizeof item);
    assert_int_equal(last, 139u << 16 | 2u << 5);
    uint64_t root = heap_finish(&h, 0x20);
    uint64_t leaves[140];
    assert_int_equal(h.tree.count, 140);
    memcpy(leaves, h.tree.leaves, sizeof leaves);
    heap_done(&h);
    finish_and_read(f, root);
    assert_int_equal(f->bytes[0], 1); /* XBLOCK */
    assert_int_equal(le16(f->bytes + 2), 140);
    uint32_t total = le32(f->bytes + 4);
    for (int i = 0; i < 140; i++) {
        const struct gen_block *b = &f->img->blocks[image_index(leaves[i])];
        assert_int_equal(b->stored, i < 139 ? 8176 : total - 139 * 8176);
        assert_int_equal(b->refs, 2);
        read_block(f, leaves[i]);
        size_t start = i == 0 ? 12 : i == 8 || i == 136 ? 66 : 2;
        assert_int_equal(f->bytes[start], 'x');
        assert_int_equal(le16(f->bytes + le16(f->bytes)), 2);
        /* 8176 - 2 - 6000 - map 10 = 2164 bytes free: level 2; a nibble each */
        if (i == 8)
            assert_int_equal(f->bytes[2 + 1], 0x22);
        if (i == 0)
            assert_int_equal(f->bytes[8], 0x22);
    }
}

static void test_btree_on_heap(void **state)
{
    struct fixture *f = *state;
    struct heap h;
    static uint8_t records[1000 * 8];
    uint32_t header = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        put_le32(records + 8 * i, 10 * i);
        put_le32(records + 8 * i + 4, i);
    }
    heap_init(&h, image_of(f, GEN_UNICODE4K));
    heap_begin(&h, HEAP_TABLE);
    heap_alloc(&h, 8, &header);
    bth_fill(&h, header, (struct bth_shape){4, 4}, records, 1000);
    uint64_t root = heap_finish(&h, header);
    heap_done(&h);
    finish_and_read(f, root);
    static const uint8_t want[8] = {0xB5, 4, 4, 1, 5 << 5, 0, 0, 0}; /* 3 leaves, then the index */
    assert_memory_equal(f->bytes + 12, want, 8);
    const uint8_t *map = f->bytes + le16(f->bytes);
    assert_int_equal(le16(map), 5);
    const uint8_t *index = f->bytes + le16(map + 4 + 2 * 4);
    assert_int_equal(le32(index), 0);
    assert_int_equal(le32(index + 4), 2 << 5);
    assert_int_equal(le32(index + 8), 10 * 411); /* 3288 / 8 records a leaf */
    assert_int_equal(le16(map + 4 + 2 * 5) - le16(map + 4 + 2 * 4), 24);
}

static void test_empty_btree_has_no_root(void **state)
{
    struct fixture *f = *state;
    struct heap h;
    uint32_t header = 0;
    heap_init(&h, image_of(f, GEN_ANSI));
    heap_begin(&h, HEAP_MID_INDEX);
    heap_alloc(&h, 8, &header);
    bth_fill(&h, header, (struct bth_shape){8, 4}, NULL, 0);
    uint64_t root = heap_finish(&h, header);
    heap_done(&h);
    finish_and_read(f, root);
    static const uint8_t want[8] = {0xB5, 8, 4, 0, 0, 0, 0, 0};
    assert_memory_equal(f->bytes + 12, want, 8);
}

static void test_xxblock(void **state)
{
    struct fixture *f = *state;
    struct image_options o = {
        .path = f->path, .format = GEN_UNICODE, .seed = 7, .xblock_children_max = 2};
    assert_int_equal(image_create(&o, &f->img), 0);
    static uint8_t value[8176 * 2 + 100];
    uint64_t root = data_write(f->img, value, sizeof value);
    finish_and_read(f, root);
    assert_int_equal(f->bytes[0], 1);
    assert_int_equal(f->bytes[1], 2);
    assert_int_equal(le16(f->bytes + 2), 2);
    assert_int_equal(le32(f->bytes + 4), sizeof value);
    uint64_t second = le64(f->bytes + 16);
    assert_int_equal(second & 2, 2);
    read_block(f, second);
    assert_int_equal(f->bytes[1], 1);
    assert_int_equal(le16(f->bytes + 2), 1);
    assert_int_equal(le32(f->bytes + 4), 100);
}

static void test_subnodes_are_sorted_and_split(void **state)
{
    struct fixture *f = *state;
    struct subnodes s = {0};
    struct image *img = image_of(f, GEN_ANSI);
    for (uint32_t i = 0; i < 700; i++)
        subnodes_add(img, &s, (700 - i) << 5 | 0x1F, image_put_data(img, "x", 1), 0);
    uint64_t root = subnodes_write(img, &s);
    subnodes_done(&s);
    finish_and_read(f, root);
    assert_int_equal(f->bytes[0], 2);
    assert_int_equal(f->bytes[1], 1); /* SIBLOCK: 681 of 12 bytes fit an ANSI block */
    assert_int_equal(le16(f->bytes + 2), 2);
    assert_int_equal(le32(f->bytes + 4), 1 << 5 | 0x1F);
    assert_int_equal(le32(f->bytes + 12), 682 << 5 | 0x1F);
    read_block(f, le32(f->bytes + 8));
    assert_int_equal(f->bytes[1], 0);
    assert_int_equal(le16(f->bytes + 2), 681);
    for (uint32_t i = 0; i < 681; i++)
        assert_int_equal(le32(f->bytes + 4 + 12 * i), (i + 1) << 5 | 0x1F);
}

static void test_table_layout(void **state)
{
    struct fixture *f = *state;
    struct ltp ltp;
    struct table t;
    struct table_columns c;
    static const uint32_t tags[] = {TABLE_ROW_ID, TABLE_ROW_VERSION, 0x3001001F, 0x360A000B,
                                    0x30080040};
    uint64_t data, sub;
    ltp_init(&ltp, image_of(f, GEN_UNICODE));
    table_columns_init(&c, tags, 5, true);
    assert_int_equal(c.offsets[2], 8);
    assert_int_equal(c.offsets[4], 12);
    assert_int_equal(c.offsets[3], 20);
    assert_int_equal(c.ends[0], 20);
    assert_int_equal(c.ends[1], 20);
    assert_int_equal(c.ends[2], 21);
    assert_int_equal(c.ends[3], 22);
    table_begin(&t, &ltp, &c, false);
    struct prop name = {.type = T_TEXT, .data = "Hi", .size = 2};
    table_row(&t, 0x8022);
    table_cell(&t, 2, &name, 1252);
    table_fixed(&t, 0x360A000B, 1);
    table_row_end(&t);
    table_finish(&t, &data, &sub);
    table_done(&t);
    ltp_done(&ltp);
    assert_int_equal(sub, 0);
    finish_and_read(f, data);
    const uint8_t *info = f->bytes + 12 + 8;
    static const uint8_t want[] = {0x7C, 5, 20, 0, 20, 0, 21, 0, 22, 0, 0x20, 0, 0, 0, 0x80, 0};
    assert_memory_equal(info, want, sizeof want);  /* index: item 1; rows: item 4 */
    assert_int_equal(le32(info + 22), 0x3001001F); /* sorted by tag */
    assert_int_equal(le32(info + 22 + 32), TABLE_ROW_VERSION);
    const uint8_t *row = info + 22 + 40 + 4; /* after the name */
    static const uint8_t want_row[] = {0x22, 0x80, 0, 0, 1, 0, 0, 0, 0x60, 0, 0,
                                       0,    0,    0, 0, 0, 0, 0, 0, 0,    1, 0xF0};
    assert_memory_equal(row, want_row, sizeof want_row);
    assert_memory_equal(info + 22 + 40, "H\0i\0", 4);
}

/* The header, as far as it follows from what was written. */
static void test_header_of_an_empty_image(void **state)
{
    struct fixture *f = *state;
    struct image *img = image_of(f, GEN_UNICODE);
    uint64_t bid = image_put_data(img, "x", 1);
    assert_int_equal(bid, 4);
    finish_and_read(f, bid);
    uint8_t *h = f->bytes;
    assert_int_equal(pread(img->fd, h, 564, 0), 564);
    assert_memory_equal(h, "!BDN", 4);
    assert_memory_equal(h + 8, "SM\x17\0\x13\0\1\1", 8);
    assert_int_equal(le32(h + 4), sum_crc(h + 8, 471));
    assert_int_equal(le32(h + 524), sum_crc(h + 8, 516));
    assert_int_equal(le64(h + 516), 8);
    assert_int_equal(le64(h + 184), 0x4400 + 0x3E000);
    assert_int_equal(lseek(img->fd, 0, SEEK_END), 0x4400 + 0x3E000);
    assert_int_equal(le64(h + 192), 0x4400);
    /* two pages for each B-tree's only page and its reserved place, AMap, PMap, one block */
    assert_int_equal(le64(h + 200), 0x3E000 - 512 * 4 - 64);
    assert_int_equal(h[248], 2);
    assert_int_equal(h[512], 0x80);
    uint8_t amap[512];
    assert_int_equal(pread(img->fd, amap, 512, 0x4400), 512);
    assert_int_equal(amap[0], 0xFF);
    assert_int_equal(amap[496], 0x84);
    assert_int_equal(le64(amap + 504), 0x4400);
}

/* Independent of the compressor: the decoder of [MS-OXRTFCP] 3.1. */
static size_t lzfu_expand(const uint8_t *in, size_t size, uint8_t *out)
{
    static const char primer[] =
        "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
        "\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0"
        "\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
    static uint8_t window[4096];
    size_t write = 207, n = 0, at = 16;
    memset(window, 0, sizeof window);
    memcpy(window, primer, 207);
    while (at < size) {
        uint8_t flags = in[at++];
        for (int bit = 0; bit < 8; bit++, flags >>= 1) {
            if ((flags & 1) == 0) {
                window[write++ % 4096] = out[n++] = in[at++];
                continue;
            }
            uint32_t offset = (uint32_t)(in[at] << 4 | in[at + 1] >> 4);
            uint32_t length = (in[at + 1] & 15u) + 2;
            at += 2;
            if (offset == write % 4096)
                return n;
            for (; length > 0; length--)
                window[write++ % 4096] = out[n++] = window[offset++ % 4096];
        }
    }
    return n;
}

static void test_rtf_compression(void **state)
{
    (void)state;
    static uint8_t rtf[20000], out[24000];
    struct rng r = rng_of(1, 2, 3);
    for (size_t size = 0; size < sizeof rtf; size = size * 2 + 1) {
        struct buf packed = BUF_INIT;
        for (size_t i = 0; i < size; i++)
            rtf[i] = i % 61 < 40 && i > 200 ? rtf[i - 180] : (uint8_t)('a' + rng_below(&r, 16));
        lzfu_compress(rtf, size, &packed);
        assert_false(packed.failed);
        assert_int_equal(le32(packed.data), packed.size - 4);
        assert_int_equal(le32(packed.data + 4), size);
        assert_memory_equal(packed.data + 8, "LZFu", 4);
        assert_int_equal(le32(packed.data + 12), sum_crc(packed.data + 16, packed.size - 16));
        assert_int_equal(lzfu_expand(packed.data, packed.size, out), size);
        assert_memory_equal(out, rtf, size);
        if (size > 1000)
            assert_true(packed.size < size);
        buf_done(&packed);
    }
}

/* Every word of a language exists in its code page: no question mark that was none. */
static void test_languages_fit_their_code_pages(void **state)
{
    (void)state;
    struct encoder e;
    uint8_t out[256];
    encoder_init(&e, false);
    for (int l = 0; l < LANGUAGE_COUNT; l++) {
        const struct language *lang = &languages[l];
        for (int i = 0; i < 40 && lang->words[i] != NULL; i++) {
            int64_t n =
                encode_text(&e, lang->codepage, lang->words[i], strlen(lang->words[i]), out);
            assert_true(n > 0);
            assert_null(memchr(out, '?', (size_t)n));
        }
        for (int i = 0; i < 8; i++) {
            int64_t n =
                encode_text(&e, lang->codepage, lang->family[i], strlen(lang->family[i]), out);
            assert_null(memchr(out, '?', (size_t)n));
        }
    }
    assert_int_equal(encode_text(&e, 1251, "Жё", 4, out), 2);
    assert_memory_equal(out, "\xC6\xB8", 2);
    assert_int_equal(encode_text(&e, 932, "日A", 4, out), 3);
    assert_memory_equal(out,
                        "\x93\xFA"
                        "A",
                        3);
    assert_int_equal(encode_text(&e, 99999, "x", 1, out), ERR_UNSUPPORTED);
    encoder_done(&e);
    assert_int_equal(encode_utf16("aé😀", 7, out), 8);
    assert_memory_equal(out, "a\0\xE9\0\x3D\xD8\0\xDE", 8);
}

static struct item *item_of(struct maker *m, struct arena *a, enum item_change change)
{
    struct plan plan = {.content = 42,
                        .kind = ITEM_MAIL,
                        .change = change,
                        .features = FEATURE_BIG_ATTACHMENT,
                        .number = 3000};
    return item_make(m, a, &plan);
}

static const struct prop *raw_prop(const struct item *it, uint16_t id)
{
    for (size_t i = 0; i < it->bag.count; i++) {
        if (it->bag.list[i].id == id)
            return &it->bag.list[i];
    }
    return NULL;
}

/* An item is a function of its plan; a change changes what it names. */
static void test_items(void **state)
{
    (void)state;
    struct arena a, b;
    struct maker m = {
        .seed = 5, .mail_html_bytes = 3000, .mail_text_bytes = 800, .attach_max = 1000};
    struct corpus *corpus;
    assert_int_equal(corpus_create(&corpus), 0);
    m.corpus = corpus;
    arena_init(&a, 64 << 20);
    arena_init(&b, 64 << 20);
    struct item *one = item_of(&m, &a, CHANGE_NONE);
    assert_non_null(one);
    assert_true(one->bag.count >= 80);
    for (enum item_change change = 0; change < CHANGE_COUNT; change++) {
        arena_reset(&b);
        struct item *two = item_of(&m, &b, change);
        assert_non_null(two);
        assert_int_equal(strcmp(one->subject, two->subject) != 0, change == CHANGE_SUBJECT);
        assert_int_equal(strcmp(one->sender.smtp, two->sender.smtp) != 0, change == CHANGE_SENDER);
        assert_int_equal(strcmp(one->recipients[0].person.smtp, two->recipients[0].person.smtp) !=
                             0,
                         change == CHANGE_TO);
        bool more = one->recipient_count != two->recipient_count;
        assert_int_equal(more, change == CHANGE_CC || change == CHANGE_BCC);
        assert_true(!more ||
                    two->recipients[one->recipient_count].type == 3 - (change == CHANGE_CC));
        assert_int_equal(one->submitted != two->submitted, change == CHANGE_SUBMIT);
        assert_int_equal(two->message_id == NULL, change == CHANGE_NO_MESSAGE_ID);
        assert_int_equal(two->message_id != NULL && strcmp(one->message_id, two->message_id) != 0,
                         change == CHANGE_MESSAGE_ID);
        assert_int_equal(strcmp(one->class, two->class) != 0, change == CHANGE_CLASS);
        assert_int_equal(strcmp(one->attachments[0].name, two->attachments[0].name) != 0,
                         change == CHANGE_ATTACHMENT_NAME);
        assert_int_equal(one->attachments[0].stream != two->attachments[0].stream,
                         change == CHANGE_ATTACHMENT_DATA);
        assert_int_equal(one->flags != two->flags, change == CHANGE_STATE);
        const struct prop *p = raw_prop(one, NAMED + N_custom_text);
        const struct prop *q = raw_prop(two, NAMED + N_custom_text);
        assert_int_equal(p->size != q->size, change == CHANGE_NAMED);
        assert_int_equal(memcmp(one->search_key, two->search_key, 16) != 0,
                         change == CHANGE_SEARCH_KEY);
        assert_int_equal(one->created, two->created);
    }
    arena_done(&a);
    arena_done(&b);
    buf_done(&m.scratch);
    corpus_destroy(corpus);
}

static struct gen_options small_run(struct fixture *f)
{
    struct gen_options o = {.seed = 2, .items = 12, .profile = profile_find("tiny")};
    o.image = (struct image_options){
        .path = f->path, .format = GEN_UNICODE4K, .compress = true, .seed = 2};
    return o;
}

/* Every allocation fails once, the first ones each, later ones in growing steps. */
static void test_failing_allocations(void **state)
{
    struct fixture *f = *state;
    struct gen_options o = small_run(f);
    struct gen_summary s;
    unsigned missed = 0;
    int error = ERR_NOMEM;
    for (uint64_t n = 1; error != 0; n += 1 + n / 6) {
        mem_test_fail(n, 0);
        error = gen_run(&o, &s, &missed);
        mem_test_fail(0, 0);
        if (error != 0)
            assert_int_equal(error, ERR_NOMEM);
    }
    assert_int_equal(s.items, 12);
}

/* A list of quoted names, each a code that findings have. Returns how many. */
static unsigned known_codes(const char *list)
{
    unsigned names = 0;

    for (const char *at = list; (at = strchr(at, '"')) != NULL; names++) {
        size_t size = strcspn(++at, "\"");
        unsigned code = 0;

        while (code < FINDING_CODES &&
               (strlen(finding_info((enum finding_code)code)->name) != size ||
                memcmp(finding_info((enum finding_code)code)->name, at, size) != 0))
            code++;
        if (code == FINDING_CODES)
            fail_msg("no such code: %.*s", (int)size, at);
        at += size + 1;
    }
    return names;
}

static void test_damage_is_told_by_codes_that_exist(void **state)
{
    (void)state;
    for (enum damage_kind kind = 0; kind < DAMAGE_KINDS; kind++) {
        assert_true(known_codes(damage_codes(kind)) > 0);
        known_codes(damage_also(kind));
    }
}

static void test_damage_without_a_place(void **state)
{
    struct fixture *f = *state;
    struct gen_options o = small_run(f);
    struct gen_summary s;
    unsigned missed = DAMAGE_KINDS;
    o.damages[o.damage_count++] = (struct damage_wish){DAMAGE_bbt_crosses, 1};
    assert_int_equal(gen_run(&o, &s, &missed), ERR_UNSUPPORTED);
    assert_int_equal(missed, DAMAGE_bbt_crosses);
    o.damages[0] = (struct damage_wish){DAMAGE_row_missing, 500};
    assert_int_equal(gen_run(&o, &s, &missed), ERR_UNSUPPORTED);
    assert_int_equal(missed, DAMAGE_row_missing);
    o.image.path = "/nonexistent/x";
    assert_int_equal(gen_run(&o, &s, &missed), ERR_NOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_crc_and_signature),
        TEST(test_block_trailers),
        TEST(test_page_trailers),
        TEST(test_ciphers),
        TEST(test_space_steps_over_pages),
        TEST(test_special_pages_of_spans),
        TEST(test_small_heap),
        TEST(test_heap_of_many_blocks),
        TEST(test_btree_on_heap),
        TEST(test_empty_btree_has_no_root),
        TEST(test_xxblock),
        TEST(test_subnodes_are_sorted_and_split),
        TEST(test_table_layout),
        TEST(test_header_of_an_empty_image),
        TEST(test_rtf_compression),
        TEST(test_languages_fit_their_code_pages),
        TEST(test_items),
        TEST(test_failing_allocations),
        TEST(test_damage_is_told_by_codes_that_exist),
        TEST(test_damage_without_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
