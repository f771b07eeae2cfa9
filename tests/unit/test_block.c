/* test_block.c: extents, trailers and decoding of blocks, sound and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "scanner/ost/block.h"
#include "scanner/ost/cipher.h"
#include "tests/support/forge.h"
#include "tests/support/guard.h"

/* "ostscan " 300 times, as Python's zlib.compress makes it at level 6. */
static const uint8_t stream[] = {0x78, 0x9C, 0xCB, 0x2F, 0x2E, 0x29, 0x4E, 0x4E, 0xCC,
                                 0x53, 0xC8, 0x1F, 0xA5, 0x47, 0xE9, 0x51, 0x7A, 0x94,
                                 0x1E, 0xA5, 0x47, 0xE9, 0x51, 0x7A, 0x94, 0x1E, 0xA5,
                                 0xA9, 0x42, 0x03, 0x00, 0x69, 0x81, 0xA3, 0xD2};
enum { STREAM_PLAIN = 2400 };

static void extents_follow_the_variant(void **state)
{
    const struct ost_variant *a = ost_variant_of(OST_FORMAT_ANSI);
    const struct ost_variant *u = ost_variant_of(OST_FORMAT_UNICODE);
    const struct ost_variant *k = ost_variant_of(OST_FORMAT_UNICODE4K);

    (void)state;
    assert_int_equal(ost_block_extent(a, 52), 64);
    assert_int_equal(ost_block_extent(a, 53), 128);
    assert_int_equal(ost_block_extent(a, a->data_max), a->block_max);
    assert_int_equal(ost_block_extent(u, 48), 64);
    assert_int_equal(ost_block_extent(u, 49), 128);
    assert_int_equal(ost_block_extent(u, u->data_max), u->block_max);
    assert_int_equal(ost_block_extent(k, 488), 512);
    assert_int_equal(ost_block_extent(k, 489), 1024);
    assert_int_equal(ost_block_extent(k, k->data_max), k->block_max);
    assert_int_equal(ost_block_extent(k, 0), 512);
    assert_int_equal(ost_block_extent(u, UINT16_MAX), 65600);
}

struct forged {
    const struct ost_variant *v;
    struct ost_block block;
    struct guard extent;
    uint32_t trailer; /* its offset */
};

static void forged_init(struct forged *f, enum ost_format format, uint16_t stored)
{
    static uint8_t data[65536];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + 1);
    f->v = ost_variant_of(format);
    f->block = (struct ost_block){
        0x1234, 0x7654321000 & (f->v->id_size == 4 ? UINT32_MAX : UINT64_MAX), stored, stored, 2,
        0};
    guard_init(&f->extent, ost_block_extent(f->v, stored));
    forge_block(f->v, f->extent.data, &f->block, data);
    f->trailer = (uint32_t)f->extent.size - f->v->block_trailer;
}

static struct ost_defects forged_check(const struct forged *f)
{
    struct ost_defects d = {0};

    ost_block_check(f->v, &f->block, f->extent.data, &d);
    return d;
}

/* Flips a byte, expects one defect of that kind at that offset and that trust, and flips it back.
 */
static void flip(struct forged *f, uint32_t at, enum ost_defect_kind kind, uint32_t reported_at,
                 enum ost_trust trust)
{
    struct ost_defects d;

    f->extent.data[at] ^= 0x40;
    d = forged_check(f);
    assert_int_equal(d.count, 1);
    assert_int_equal(d.list[0].kind, kind);
    assert_int_equal(d.list[0].at, reported_at);
    assert_int_not_equal(d.list[0].expected, d.list[0].actual);
    assert_int_equal(ost_block_trust(&d), trust);
    f->extent.data[at] ^= 0x40;
}

static void trailer_fields(enum ost_format format, uint16_t stored)
{
    struct forged f;
    uint32_t t;

    forged_init(&f, format, stored);
    t = f.trailer;
    assert_int_equal(forged_check(&f).count, 0);
    flip(&f, t + OFF_BT_CB, OST_BLOCK_SIZE, t + OFF_BT_CB, OST_TRUST_SOUND);
    flip(&f, t + OFF_BT_SIG + 1, OST_BLOCK_SIG, t + OFF_BT_SIG, OST_TRUST_SOUND);
    flip(&f, t + f.v->block_bid, OST_BLOCK_BID, t + f.v->block_bid, OST_TRUST_SOUND);
    flip(&f, t + f.v->block_crc, OST_BLOCK_CRC, t + f.v->block_crc, OST_TRUST_SUSPECT);
    for (uint32_t i = 0; i < stored; i += 1 + stored / 300)
        flip(&f, i, OST_BLOCK_CRC, t + f.v->block_crc, OST_TRUST_SUSPECT);
    if (f.v->deflates) {
        flip(&f, t + OFF_K_BT_CONST, OST_BLOCK_CONSTANT, t + OFF_K_BT_CONST, OST_TRUST_SOUND);
        flip(&f, t + OFF_K_BT_INFLATED, OST_BLOCK_INFLATED, t + OFF_K_BT_INFLATED, OST_TRUST_SOUND);
        flip(&f, t + OFF_K_BT_ZERO, OST_BLOCK_ZERO, t + OFF_K_BT_ZERO, OST_TRUST_SOUND);
    }
    assert_true(ost_block_padding_zero(f.v, stored, f.extent.data));
    if (f.trailer > stored) { /* padding: no defect, but to be seen */
        f.extent.data[f.trailer - 1] = 1;
        assert_int_equal(forged_check(&f).count, 0);
        assert_false(ost_block_padding_zero(f.v, stored, f.extent.data));
    }
    guard_done(&f.extent);
}

static void trailer_fields_are_checked(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        const struct ost_variant *v = ost_variant_of(forge_formats[i]);

        trailer_fields(forge_formats[i], 1);
        trailer_fields(forge_formats[i], (uint16_t)(v->unit - v->block_trailer));
        trailer_fields(forge_formats[i], (uint16_t)(v->unit - v->block_trailer + 1));
        trailer_fields(forge_formats[i], (uint16_t)v->data_max);
    }
}

/* Another block in its place passes its own checksum but has neither bid nor signature. */
static void another_block_is_not_trusted(void **state)
{
    struct ost_defects d;
    struct forged f;

    (void)state;
    forged_init(&f, OST_FORMAT_UNICODE, 100);
    f.block.bid = 0x99988;
    d = forged_check(&f);
    assert_int_equal(d.count, 2);
    assert_int_equal(ost_block_trust(&d), OST_TRUST_NONE);
    guard_done(&f.extent);
}

static void sizes_beyond_the_variant_are_told(void **state)
{
    struct ost_defects d;
    struct forged f;

    (void)state;
    forged_init(&f, OST_FORMAT_UNICODE, 8177);
    d = forged_check(&f);
    assert_int_equal(d.count, 1);
    assert_int_equal(d.list[0].kind, OST_BLOCK_SIZE);
    assert_int_equal(d.list[0].expected, 8176);
    assert_int_equal(d.list[0].actual, 8177);
    guard_done(&f.extent);
}

static struct ost_decoder *decoder(enum ost_format format, uint8_t crypt)
{
    struct ost_decoder *d = NULL;

    assert_int_equal(ost_decoder_create(ost_variant_of(format), crypt, &d), 0);
    return d;
}

static void decodes_by_crypt_and_kind(void **state)
{
    static uint8_t data[8000], out[8000], expected[8000];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 13);
    for (uint8_t crypt = 0; crypt <= 2; crypt++) {
        struct ost_decoder *d = decoder(OST_FORMAT_UNICODE, crypt);
        struct ost_block external = {0x1234, 0, 8000, 8000, 2, 0}, internal = external;
        size_t used = 0;

        internal.bid |= BID_INTERNAL;
        memcpy(expected, data, sizeof data);
        if (crypt == 1)
            ost_permute(expected, data, sizeof data);
        if (crypt == 2)
            ost_cyclic(expected, data, sizeof data, 0x1234);
        assert_int_equal(ost_block_decode(d, &external, data, out, &used), 0);
        assert_memory_equal(out, expected, sizeof out);
        assert_int_equal(used, 8000);
        assert_int_equal(ost_block_plain(d, &external), crypt == 0);
        assert_true(ost_block_plain(d, &internal));
        assert_int_equal(ost_block_decode(d, &internal, data, out, NULL), 0);
        assert_memory_equal(out, data, sizeof out);
        ost_decoder_destroy(d);
    }
}

static void inflates_before_it_deciphers(void **state)
{
    uint8_t plain[STREAM_PLAIN], out[STREAM_PLAIN];
    struct ost_block b = {0x44, 0, sizeof stream, STREAM_PLAIN, 2, 0};
    struct ost_decoder *d;

    (void)state;
    for (unsigned i = 0; i < STREAM_PLAIN; i++)
        plain[i] = (uint8_t) "ostscan "[i % 8];
    d = decoder(OST_FORMAT_UNICODE4K, OST_CRYPT_NONE);
    assert_false(ost_block_plain(d, &b));
    assert_int_equal(ost_block_decode(d, &b, stream, out, NULL), 0);
    assert_memory_equal(out, plain, sizeof out);
    ost_decoder_destroy(d);
    for (uint8_t crypt = 1; crypt <= 2; crypt++) {
        uint8_t expected[STREAM_PLAIN];

        if (crypt == 1)
            ost_permute(expected, plain, sizeof plain);
        else
            ost_cyclic(expected, plain, sizeof plain, b.bid);
        d = decoder(OST_FORMAT_UNICODE4K, crypt);
        assert_int_equal(ost_block_decode(d, &b, stream, out, NULL), 0);
        assert_memory_equal(out, expected, sizeof out);
        ost_decoder_destroy(d);
    }
}

/* Each cut and each flipped bit of a stream ends in ERR_DAMAGED or in the same bytes, within the
 * buffers: both end at pages that cannot be touched. */
static void bad_streams_are_refused(void **state)
{
    struct ost_block b = {0x44, 0, sizeof stream, STREAM_PLAIN, 2, 0};
    struct ost_decoder *d = decoder(OST_FORMAT_UNICODE4K, OST_CRYPT_NONE);
    struct guard in, out;
    size_t used = 0;

    (void)state;
    guard_init(&out, STREAM_PLAIN);
    for (uint16_t size = 0; size < sizeof stream; size++) {
        guard_init(&in, size);
        memcpy(in.data, stream, size);
        b.stored = size;
        assert_int_equal(ost_block_decode(d, &b, in.data, out.data, NULL), ERR_DAMAGED);
        guard_done(&in);
    }
    b.stored = sizeof stream;
    guard_init(&in, sizeof stream);
    memcpy(in.data, stream, sizeof stream);
    for (size_t bit = 0; bit < 8 * sizeof stream; bit++) {
        int rc;

        in.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        rc = ost_block_decode(d, &b, in.data, out.data, NULL);
        if (rc == 0)
            assert_int_equal(memcmp(out.data, "ostscan ostscan ", 16), 0);
        else
            assert_int_equal(rc, ERR_DAMAGED);
        in.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    b.inflated = STREAM_PLAIN - 1; /* more comes out than was said */
    assert_int_equal(ost_block_decode(d, &b, in.data, out.data, NULL), ERR_DAMAGED);
    guard_done(&in);
    guard_done(&out);

    guard_init(&out, STREAM_PLAIN + 1); /* less comes out than was said */
    b.inflated = STREAM_PLAIN + 1;
    assert_int_equal(ost_block_decode(d, &b, stream, out.data, NULL), ERR_DAMAGED);
    guard_done(&out);

    guard_init(&in, sizeof stream + 3); /* bytes after the stream are told */
    guard_init(&out, STREAM_PLAIN);
    memcpy(in.data, stream, sizeof stream);
    b.stored = sizeof stream + 3;
    b.inflated = STREAM_PLAIN;
    assert_int_equal(ost_block_decode(d, &b, in.data, out.data, &used), 0);
    assert_int_equal(used, sizeof stream);
    guard_done(&in);
    guard_done(&out);
    ost_decoder_destroy(d);
}

static void decoding_makes_no_allocation(void **state)
{
    static uint8_t out[STREAM_PLAIN];
    struct ost_block b = {0x44, 0, sizeof stream, STREAM_PLAIN, 2, 0};
    struct ost_decoder *d = decoder(OST_FORMAT_UNICODE4K, OST_CRYPT_PERMUTE);
    uint64_t before = mem_test_count();

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(ost_block_decode(d, &b, stream, out, NULL), 0);
    assert_int_equal(mem_test_count(), before);
    ost_decoder_destroy(d);
}

static void creation_fails_cleanly(void **state)
{
    struct ost_decoder *d = NULL;
    unsigned failures = 0;

    (void)state;
    assert_int_equal(ost_decoder_create(ost_variant_of(OST_FORMAT_UNICODE), 0x10, &d),
                     ERR_UNSUPPORTED);
    for (;; failures++) {
        int rc;

        mem_test_fail(failures + 1, 0);
        rc = ost_decoder_create(ost_variant_of(OST_FORMAT_UNICODE4K), 0, &d);
        mem_test_fail(0, 0);
        if (rc == 0)
            break;
        assert_int_equal(rc, ERR_NOMEM);
        assert_null(d);
    }
    assert_int_equal(failures, 2); /* its own, and the inflater's through the same heap */
    ost_decoder_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extents_follow_the_variant),
        cmocka_unit_test(trailer_fields_are_checked),
        cmocka_unit_test(another_block_is_not_trusted),
        cmocka_unit_test(sizes_beyond_the_variant_are_told),
        cmocka_unit_test(decodes_by_crypt_and_kind),
        cmocka_unit_test(inflates_before_it_deciphers),
        cmocka_unit_test(bad_streams_are_refused),
        cmocka_unit_test(decoding_makes_no_allocation),
        cmocka_unit_test(creation_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
