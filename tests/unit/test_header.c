/* test_header.c: the header check, on headers built field by field and on real images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scanner/ost/crc.h"
#include "scanner/ost/header.h"
#include "scanner/ost/offsets.h"
#include "tests/support/samples.h"

enum { FILE_A = 0x42400, FILE_U = 0x42400, FILE_K = 0x100A000 };

struct sample {
    uint8_t bytes[OST_HEADER_SIZE];
    size_t used;
    uint64_t file_size;
};

static void seal(struct sample *s)
{
    if (s->used == HEADER_SIZE_U)
        put_le32(s->bytes + OFF_U_CRC_FULL, ost_crc(s->bytes + CRC_FULL_START, CRC_FULL_LENGTH));
    put_le32(s->bytes + OFF_CRC_PARTIAL, ost_crc(s->bytes + CRC_PARTIAL_START, CRC_PARTIAL_LENGTH));
}

static struct sample prefix(uint16_t version, const char *client)
{
    struct sample s = {.bytes = "!BDN"};

    memcpy(s.bytes + OFF_MAGIC_CLIENT, client, 2);
    put_le16(s.bytes + OFF_VER, version);
    put_le16(s.bytes + OFF_VER_CLIENT, 19);
    put_le16(s.bytes + OFF_PLATFORM, 0x0101);
    put_le32(s.bytes + 16, 0x5C); /* dwOpenDBID: not zero in real files */
    return s;
}

static struct sample ansi(uint16_t version)
{
    struct sample s = prefix(version, "SM");

    s.used = HEADER_SIZE_A;
    s.file_size = FILE_A;
    put_le32(s.bytes + OFF_A_BID_NEXT_B, 0x1004);
    put_le32(s.bytes + OFF_A_BID_NEXT_P, 0x2001);
    put_le32(s.bytes + OFF_A_UNIQUE, 0x3003);
    for (uint32_t i = 0; i < RGNID_COUNT; i++)
        put_le32(s.bytes + OFF_A_RGNID + 4 * i, 0x400 + i);
    put_le32(s.bytes + OFF_A_EOF, FILE_A);
    put_le32(s.bytes + OFF_A_AMAP_LAST, 0x4400);
    put_le32(s.bytes + OFF_A_AMAP_FREE, 0x5005);
    put_le32(s.bytes + OFF_A_BREF_NBT, 0x31);
    put_le32(s.bytes + OFF_A_BREF_NBT + 4, 0x5000);
    put_le32(s.bytes + OFF_A_BREF_BBT, 0x32);
    put_le32(s.bytes + OFF_A_BREF_BBT + 4, 0x5200);
    s.bytes[OFF_A_AMAP_VALID] = 2;
    s.bytes[OFF_A_SENTINEL] = SENTINEL;
    s.bytes[OFF_A_CRYPT] = OST_CRYPT_PERMUTE;
    seal(&s);
    return s;
}

static struct sample wide(uint16_t version, const char *client, uint64_t file_size, uint64_t amap,
                          uint64_t nbt, uint64_t bbt)
{
    struct sample s = prefix(version, client);

    s.used = HEADER_SIZE_U;
    s.file_size = file_size;
    put_le64(s.bytes + OFF_U_BID_NEXT_B, 0x100000004);
    put_le64(s.bytes + OFF_U_BID_NEXT_P, 0x200000001);
    put_le32(s.bytes + OFF_U_UNIQUE, 0x3003);
    for (uint32_t i = 0; i < RGNID_COUNT; i++)
        put_le32(s.bytes + OFF_U_RGNID + 4 * i, 0x400 + i);
    put_le64(s.bytes + OFF_U_EOF, file_size);
    put_le64(s.bytes + OFF_U_AMAP_LAST, amap);
    put_le64(s.bytes + OFF_U_AMAP_FREE, 0x5005);
    put_le64(s.bytes + OFF_U_BREF_NBT, 0x31);
    put_le64(s.bytes + OFF_U_BREF_NBT + 8, nbt);
    put_le64(s.bytes + OFF_U_BREF_BBT, 0x32);
    put_le64(s.bytes + OFF_U_BREF_BBT + 8, bbt);
    s.bytes[OFF_U_AMAP_VALID] = 2;
    s.bytes[OFF_U_SENTINEL] = SENTINEL;
    s.bytes[OFF_U_CRYPT] = OST_CRYPT_NONE;
    s.bytes[OFF_U_CRC_FULL + 4] = 0x12; /* the tail: not zero in real files */
    seal(&s);
    return s;
}

static struct sample unicode(void)
{
    return wide(23, "SM", FILE_U, 0x4400, 0x5000, 0x5200);
}

static struct sample unicode4k(void)
{
    return wide(36, "SO", FILE_K, 0x22000, 0x25000, 0x26000);
}

static struct ost_header_report check(const struct sample *s, struct ost_header *out)
{
    struct ost_header_report report;
    struct ost_header ignored;
    size_t size = s->file_size < OST_HEADER_SIZE ? (size_t)s->file_size : OST_HEADER_SIZE;
    uint8_t *exact = malloc(size ? size : 1); /* a read beyond it is one the sanitizer sees */

    memcpy(exact, s->bytes, size);
    ost_header_check((struct bytes){exact, size}, s->file_size, out ? out : &ignored, &report);
    free(exact);
    assert_true(report.finding_count <= OST_HEADER_FINDINGS);
    return report;
}

static const struct finding *find(const struct ost_header_report *r, enum finding_code code)
{
    for (unsigned i = 0; i < r->finding_count; i++)
        if (r->findings[i].code == code)
            return &r->findings[i];
    return NULL;
}

static void assert_alone(const struct ost_header_report *r, enum finding_code code,
                         enum ost_header_state state)
{
    assert_int_equal(r->finding_count, 1);
    assert_string_equal(finding_info(r->findings[0].code)->name, finding_info(code)->name);
    assert_int_equal(r->state, state);
}

static void assert_sound(const struct sample *s, enum ost_format format)
{
    struct ost_header h;
    struct ost_header_report r = check(s, &h);

    assert_int_equal(r.finding_count, 0);
    assert_int_equal(r.state, OST_HEADER_SOUND);
    assert_int_equal(h.format, format);
}

static void names_of_the_image_record(void **state)
{
    (void)state;
    assert_null(ost_content_name(OST_CONTENT_UNKNOWN));
    assert_string_equal(ost_content_name(OST_CONTENT_PST), "pst");
    assert_string_equal(ost_content_name(OST_CONTENT_OST), "ost");
    assert_string_equal(ost_content_name(OST_CONTENT_PAB), "pab");
    assert_null(ost_format_name(OST_FORMAT_UNKNOWN));
    assert_string_equal(ost_format_name(OST_FORMAT_ANSI), "ansi");
    assert_string_equal(ost_format_name(OST_FORMAT_UNICODE), "unicode");
    assert_string_equal(ost_format_name(OST_FORMAT_UNICODE4K), "unicode4k");
    assert_string_equal(ost_crypt_name(0), "none");
    assert_string_equal(ost_crypt_name(1), "permute");
    assert_string_equal(ost_crypt_name(2), "cyclic");
    assert_null(ost_crypt_name(3));
    assert_null(ost_crypt_name(0x10));
}

static void ansi_fields_are_read(void **state)
{
    struct sample s = ansi(14);
    struct ost_header h;

    (void)state;
    assert_int_equal(check(&s, &h).state, OST_HEADER_SOUND);
    assert_int_equal(h.content, OST_CONTENT_PST);
    assert_int_equal(h.format, OST_FORMAT_ANSI);
    assert_int_equal(h.version, 14);
    assert_int_equal(h.client_version, 19);
    assert_int_equal(h.crypt, OST_CRYPT_PERMUTE);
    assert_int_equal(h.unique, 0x3003);
    assert_int_equal(h.bid_next_block, 0x1004);
    assert_int_equal(h.bid_next_page, 0x2001);
    assert_int_equal(h.highest_index[0], 0x400);
    assert_int_equal(h.highest_index[31], 0x41F);
    assert_int_equal(h.eof, FILE_A);
    assert_int_equal(h.amap_last, 0x4400);
    assert_int_equal(h.amap_free, 0x5005);
    assert_int_equal(h.amap_valid, 2);
    assert_int_equal(h.nbt.bid, 0x31);
    assert_int_equal(h.nbt.offset, 0x5000);
    assert_int_equal(h.bbt.bid, 0x32);
    assert_int_equal(h.bbt.offset, 0x5200);
}

static void wide_fields_are_read(void **state)
{
    struct sample s = unicode4k();
    struct ost_header h;

    (void)state;
    assert_int_equal(check(&s, &h).state, OST_HEADER_SOUND);
    assert_int_equal(h.content, OST_CONTENT_OST);
    assert_int_equal(h.format, OST_FORMAT_UNICODE4K);
    assert_int_equal(h.version, 36);
    assert_int_equal(h.crypt, OST_CRYPT_NONE);
    assert_int_equal(h.unique, 0x3003);
    assert_int_equal(h.bid_next_block, 0x100000004);
    assert_int_equal(h.bid_next_page, 0x200000001);
    assert_int_equal(h.highest_index[0], 0x400);
    assert_int_equal(h.highest_index[31], 0x41F);
    assert_int_equal(h.eof, FILE_K);
    assert_int_equal(h.amap_last, 0x22000);
    assert_int_equal(h.amap_free, 0x5005);
    assert_int_equal(h.amap_valid, 2);
    assert_int_equal(h.nbt.bid, 0x31);
    assert_int_equal(h.nbt.offset, 0x25000);
    assert_int_equal(h.bbt.bid, 0x32);
    assert_int_equal(h.bbt.offset, 0x26000);
}

static void no_bytes(void **state)
{
    struct sample s = unicode();
    struct ost_header_report r;

    (void)state;
    s.file_size = 0;
    r = check(&s, NULL);
    assert_alone(&r, F_file_empty, OST_HEADER_UNUSABLE);
}

static void too_few_bytes(void **state)
{
    const struct sample u = unicode(), a = ansi(14);
    struct sample s;

    (void)state;
    for (s = u, s.file_size = 1; s.file_size < HEADER_SIZE_U; s.file_size++) {
        struct ost_header_report r = check(&s, NULL);

        assert_alone(&r, F_file_too_short, OST_HEADER_UNUSABLE);
        assert_int_equal(r.findings[0].actual, s.file_size);
        assert_int_equal(r.findings[0].expected, HEADER_SIZE_U);
        assert_int_equal(r.findings[0].length, s.file_size);
    }
    for (s = a, s.file_size = 12; s.file_size < HEADER_SIZE_A; s.file_size++) {
        struct ost_header_report r = check(&s, NULL);

        assert_alone(&r, F_file_too_short, OST_HEADER_UNUSABLE);
        assert_int_equal(r.findings[0].expected, HEADER_SIZE_A);
    }
    for (s = a; s.file_size >= HEADER_SIZE_A;
         s.file_size = s.file_size > 600 ? 600 : s.file_size - 1) {
        struct ost_header_report r = check(&s, NULL);

        assert_null(find(&r, F_file_too_short));
        assert_null(find(&r, F_header_crc_partial));
    }
    s = u;
    s.file_size = HEADER_SIZE_U;
    {
        struct ost_header_report r = check(&s, NULL);

        assert_null(find(&r, F_file_too_short));
        assert_non_null(find(&r, F_file_truncated));
        assert_int_equal(r.state, OST_HEADER_UNUSABLE); /* its roots are gone */
    }
}

/* Where reading stopped early the check goes by what was read, and never beyond it. */
static void fewer_bytes_read_than_the_file_has(void **state)
{
    struct sample s = unicode();
    struct ost_header h;
    struct ost_header_report r;

    (void)state;
    ost_header_check((struct bytes){s.bytes, 100}, s.file_size, &h, &r);
    assert_alone(&r, F_file_too_short, OST_HEADER_UNUSABLE);
    assert_int_equal(h.version, 23);
    assert_int_equal(h.eof, 0);
    ost_header_check((struct bytes){NULL, 0}, s.file_size, &h, &r);
    assert_alone(&r, F_file_too_short, OST_HEADER_UNUSABLE);
}

static void other_content_is_named_once(void **state)
{
    struct sample s = {.file_size = 1 << 20};
    struct ost_header_report r;
    uint32_t x = 7;

    (void)state;
    r = check(&s, NULL); /* zeros, whose checksum is right */
    assert_alone(&r, F_magic_wrong, OST_HEADER_UNUSABLE);
    assert_int_equal(r.findings[0].expected, le32("!BDN"));
    assert_int_equal(r.findings[0].actual, 0);
    for (size_t i = 0; i < sizeof s.bytes; i++) {
        x = x * 1664525 + 1013904223;
        s.bytes[i] = (uint8_t)(x >> 24);
    }
    r = check(&s, NULL);
    assert_alone(&r, F_magic_wrong, OST_HEADER_UNUSABLE);
    memset(s.bytes, 'x', sizeof s.bytes);
    s.file_size = 5; /* a short text file */
    r = check(&s, NULL);
    assert_alone(&r, F_magic_wrong, OST_HEADER_UNUSABLE);
}

/* The magic alone is damaged: everything under the checksum says that it is an image. */
static void image_without_magic(void **state)
{
    struct sample s = unicode();
    struct ost_header_report r;

    (void)state;
    s.bytes[0] = '?';
    r = check(&s, NULL);
    assert_alone(&r, F_magic_wrong, OST_HEADER_SUSPECT);
    s.bytes[OFF_CRC_PARTIAL] ^= 1;
    r = check(&s, NULL);
    assert_alone(&r, F_magic_wrong, OST_HEADER_UNUSABLE);
}

static void address_book(void **state)
{
    struct sample s = ansi(14);
    struct ost_header h;
    struct ost_header_report r;

    (void)state;
    memcpy(s.bytes + OFF_MAGIC_CLIENT, "AB", 2);
    seal(&s);
    r = check(&s, &h);
    assert_alone(&r, F_content_pab, OST_HEADER_UNUSABLE);
    assert_int_equal(h.content, OST_CONTENT_PAB);
}

static void unknown_client(void **state)
{
    struct sample s = unicode();
    struct ost_header h;
    struct ost_header_report r;

    (void)state;
    memcpy(s.bytes + OFF_MAGIC_CLIENT, "SN", 2);
    seal(&s);
    r = check(&s, &h);
    assert_alone(&r, F_client_unknown, OST_HEADER_SUSPECT);
    assert_int_equal(r.findings[0].offset, OFF_MAGIC_CLIENT);
    assert_int_equal(r.findings[0].actual, le16("SN"));
    assert_int_equal(h.content, OST_CONTENT_UNKNOWN);
    assert_int_equal(h.format, OST_FORMAT_UNICODE);
}

static void versions(void **state)
{
    static const uint16_t unknown[] = {0, 13, 22, 24, 35};
    static const uint16_t unicode4k_too[] = {37, 38, 0xFFFF};
    struct sample s = ansi(15);

    (void)state;
    assert_sound(&s, OST_FORMAT_ANSI);
    s = wide(21, "SM", FILE_U, 0x4400, 0x5000, 0x5200);
    assert_sound(&s, OST_FORMAT_UNICODE);
    s = wide(23, "SO", FILE_U, 0x4400, 0x5000, 0x5200);
    assert_sound(&s, OST_FORMAT_UNICODE);
    for (size_t i = 0; i < 3; i++) {
        s = wide(unicode4k_too[i], "SO", FILE_K, 0x22000, 0x25000, 0x26000);
        assert_sound(&s, OST_FORMAT_UNICODE4K);
    }
    for (size_t i = 0; i < 5; i++) {
        struct ost_header_report r;
        struct ost_header h;

        s = wide(unknown[i], "SM", FILE_U, 0x4400, 0x5000, 0x5200);
        r = check(&s, &h);
        assert_alone(&r, F_version_unknown, OST_HEADER_UNUSABLE);
        assert_int_equal(r.findings[0].actual, unknown[i]);
        assert_int_equal(h.format, OST_FORMAT_UNKNOWN);
        assert_int_equal(h.version, unknown[i]);
    }
}

static void sentinel_tells_versions_apart(void **state)
{
    (void)state;
    for (uint16_t version = 16; version <= 20; version++) {
        struct sample s = ansi(version);
        struct ost_header h;
        struct ost_header_report r = check(&s, &h);

        assert_alone(&r, F_version_unknown, OST_HEADER_SOUND);
        assert_int_equal(h.format, OST_FORMAT_ANSI);
        s.bytes[OFF_U_SENTINEL] = SENTINEL; /* behind the ANSI header */
        r = check(&s, &h);
        assert_alone(&r, F_version_unknown, OST_HEADER_SOUND);
        assert_int_equal(h.format, OST_FORMAT_ANSI);

        s = wide(version, "SM", FILE_U, 0x4400, 0x5000, 0x5200);
        r = check(&s, &h);
        assert_alone(&r, F_version_unknown, OST_HEADER_SOUND);
        assert_int_equal(h.format, OST_FORMAT_UNICODE);
        s.bytes[OFF_A_SENTINEL] = SENTINEL; /* within the Unicode header's maps */
        seal(&s);
        r = check(&s, &h);
        assert_alone(&r, F_version_unknown, OST_HEADER_SOUND);
        assert_int_equal(h.format, OST_FORMAT_UNICODE);

        s.bytes[OFF_A_SENTINEL] = s.bytes[OFF_U_SENTINEL] = 0;
        seal(&s);
        r = check(&s, &h);
        assert_alone(&r, F_version_unknown, OST_HEADER_UNUSABLE);
    }
}

static void checksums(void **state)
{
    struct sample s = unicode();
    uint32_t right = le32(s.bytes + OFF_CRC_PARTIAL);
    struct ost_header_report r;

    (void)state;
    put_le32(s.bytes + OFF_CRC_PARTIAL, ~right);
    r = check(&s, NULL);
    assert_alone(&r, F_header_crc_partial, OST_HEADER_SUSPECT);
    assert_int_equal(r.findings[0].expected, right);
    assert_int_equal(r.findings[0].actual, ~right);
    assert_int_equal(r.findings[0].offset, CRC_PARTIAL_START);
    assert_int_equal(r.findings[0].length, CRC_PARTIAL_LENGTH);
    s = unicode();
    s.bytes[OFF_U_CRC_FULL] ^= 1;
    r = check(&s, NULL);
    assert_alone(&r, F_header_crc_full, OST_HEADER_SUSPECT);
    assert_int_equal(r.findings[0].length, CRC_FULL_LENGTH);
    s = ansi(14);
    s.bytes[OFF_U_CRC_FULL] ^= 1; /* no field of an ANSI header */
    assert_sound(&s, OST_FORMAT_ANSI);
}

static void sentinel_and_crypt(void **state)
{
    struct sample all[] = {ansi(14), unicode(), unicode4k()};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        size_t sentinel = i ? OFF_U_SENTINEL : OFF_A_SENTINEL;
        struct sample s = all[i];
        struct ost_header h;
        struct ost_header_report r;

        s.bytes[sentinel] = 0x81;
        seal(&s);
        r = check(&s, NULL);
        assert_alone(&r, F_header_sentinel, OST_HEADER_SUSPECT);
        assert_int_equal(r.findings[0].offset, sentinel);
        assert_int_equal(r.findings[0].expected, SENTINEL);
        assert_int_equal(r.findings[0].actual, 0x81);
        s = all[i];
        s.bytes[sentinel + 1] = OST_CRYPT_CYCLIC;
        seal(&s);
        assert_int_equal(check(&s, &h).finding_count, 0);
        assert_int_equal(h.crypt, OST_CRYPT_CYCLIC);
        s.bytes[sentinel + 1] = 0x10;
        seal(&s);
        r = check(&s, NULL);
        assert_alone(&r, F_crypt_unknown, OST_HEADER_SUSPECT);
        assert_int_equal(r.findings[0].actual, 0x10);
    }
}

static void file_size_against_header(void **state)
{
    struct sample all[] = {ansi(14), unicode(), unicode4k()};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sample s = all[i];
        uint64_t eof = s.file_size;
        struct ost_header_report r;

        s.file_size = eof - 1;
        r = check(&s, NULL);
        assert_alone(&r, F_file_truncated, OST_HEADER_SUSPECT);
        assert_int_equal(r.findings[0].expected, eof);
        assert_int_equal(r.findings[0].actual, eof - 1);
        assert_int_equal(r.findings[0].offset, eof - 1);
        assert_int_equal(r.findings[0].length, 1);
        s.file_size = eof + 7;
        r = check(&s, NULL);
        assert_alone(&r, F_file_trailing, OST_HEADER_SOUND);
        assert_int_equal(r.findings[0].offset, eof);
        assert_int_equal(r.findings[0].length, 7);
    }
}

/* Each root at the edges of where a page can lie. */
static void roots(void **state)
{
    static const struct {
        size_t page, first, width;
    } facts[] = {{512, 0x4400, 4}, {512, 0x4400, 8}, {4096, 0x22000, 8}};
    static const size_t fields[][2] = {{OFF_A_BREF_NBT, OFF_A_BREF_BBT},
                                       {OFF_U_BREF_NBT, OFF_U_BREF_BBT},
                                       {OFF_U_BREF_NBT, OFF_U_BREF_BBT}};
    struct sample all[] = {ansi(14), unicode(), unicode4k()};

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct sample s = all[i / 2];
        size_t page = facts[i / 2].page, first = facts[i / 2].first, width = facts[i / 2].width;
        size_t field = fields[i / 2][i % 2] + width;
        const struct {
            uint64_t offset;
            int state;
        } cases[] = {
            {first + page, OST_HEADER_SOUND},
            {first, OST_HEADER_UNUSABLE},
            {0, OST_HEADER_UNUSABLE},
            {s.file_size - page, OST_HEADER_SOUND},
            {s.file_size, OST_HEADER_UNUSABLE},
            {s.file_size - page + 64, OST_HEADER_UNUSABLE},
            {first + page + 64, OST_HEADER_SUSPECT},
            {width == 8 ? UINT64_MAX : UINT32_MAX, OST_HEADER_UNUSABLE},
        };

        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            struct ost_header_report r;

            if (width == 8)
                put_le64(s.bytes + field, cases[k].offset);
            else
                put_le32(s.bytes + field, (uint32_t)cases[k].offset);
            seal(&s);
            r = check(&s, NULL);
            assert_int_equal(r.state, cases[k].state);
            assert_int_equal(r.finding_count, cases[k].state == OST_HEADER_SOUND ? 0 : 1);
            if (!r.finding_count)
                continue;
            assert_int_equal(r.findings[0].code, F_root_out_of_range);
            assert_int_equal(r.findings[0].offset, field);
            assert_int_equal(r.findings[0].length, width);
            assert_int_equal(r.findings[0].bid, i % 2 ? 0x32 : 0x31);
            assert_int_equal(r.findings[0].actual, cases[k].offset);
            assert_non_null(strstr(r.findings[0].detail, i % 2 ? "block" : "node"));
        }
    }
}

static void allocation_flag(void **state)
{
    struct sample s = unicode();
    struct ost_header_report r;

    (void)state;
    s.bytes[OFF_U_AMAP_VALID] = 1;
    seal(&s);
    assert_sound(&s, OST_FORMAT_UNICODE);
    s.bytes[OFF_U_AMAP_VALID] = 0;
    seal(&s);
    r = check(&s, NULL);
    assert_alone(&r, F_amap_invalid_flag, OST_HEADER_SOUND);
    s.bytes[OFF_U_AMAP_VALID] = 3;
    seal(&s);
    r = check(&s, NULL);
    assert_alone(&r, F_amap_invalid_flag, OST_HEADER_SOUND);
    assert_int_equal(r.findings[0].actual, 3);
}

/* All that can be wrong at once still fits into a report. */
static void everything_wrong_at_once(void **state)
{
    struct sample s = unicode();
    struct ost_header_report r;

    (void)state;
    memset(s.bytes + 4, 0xFF, sizeof s.bytes - 4);
    r = check(&s, NULL);
    assert_int_equal(r.state, OST_HEADER_UNUSABLE);
    assert_int_equal(r.finding_count, 9);
    assert_null(find(&r, F_file_trailing));
}

/* Every single bit: a flip is noticed, or lies in the tail that no checksum covers and nothing
 * reads. */
static void single_bit_flips(void **state)
{
    static const size_t tail[3] = {CRC_PARTIAL_START + CRC_PARTIAL_LENGTH, OFF_U_CRC_FULL + 4,
                                   OFF_U_CRC_FULL + 4};
    struct sample all[] = {ansi(14), unicode(), unicode4k()};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t bit = 0; bit < 8 * all[i].used; bit++) {
            struct sample s = all[i];
            struct ost_header_report r;
            size_t at = bit / 8;

            s.bytes[at] ^= (uint8_t)(1u << (bit % 8));
            r = check(&s, NULL);
            if (at < tail[i])
                assert_int_not_equal(r.state, OST_HEADER_SOUND);
            else
                assert_int_equal(r.finding_count, 0);
        }
}

/* A damaged version, of which the checksum tells what it was: nothing else is called damaged. */
static void version_is_proved_by_the_checksum(void **state)
{
    struct sample all[] = {ansi(14), ansi(15), unicode(),
                           wide(21, "SO", FILE_U, 0x4400, 0x5000, 0x5200), unicode4k()};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (unsigned bit = 0; bit < 16; bit++) {
            struct sample s = all[i];
            struct ost_header whole, h;
            struct ost_header_report r;
            bool ansi_form = s.used == HEADER_SIZE_A;

            check(&s, &whole);
            s.bytes[OFF_VER + bit / 8] ^= (uint8_t)(1u << (bit % 8));
            r = check(&s, &h);
            assert_int_equal(r.state, OST_HEADER_SUSPECT);
            assert_int_equal(r.finding_count, ansi_form ? 1 : 2);
            assert_non_null(find(&r, F_header_crc_partial));
            assert_int_equal(find(&r, F_header_crc_full) != NULL, !ansi_form);
            assert_memory_equal(&h, &whole, sizeof h);
            s.bytes[OFF_A_EOF] ^= 4; /* of two damages it cannot tell */
            check(&s, &h);
            assert_int_equal(h.version, le16(s.bytes + OFF_VER));
        }
}

static void check_real(const char *path, int content, int version, int crypt, uint64_t size)
{
    uint8_t bytes[OST_HEADER_SIZE];
    struct ost_header h;
    struct ost_header_report r;
    FILE *f = fopen(path, "rb");
    size_t got;

    assert_non_null(f);
    got = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    ost_header_check((struct bytes){bytes, got}, size, &h, &r);
    assert_int_equal(r.state, OST_HEADER_SOUND);
    assert_int_equal(r.finding_count, 0);
    assert_int_equal(h.content, content);
    assert_int_equal(h.version, version);
    assert_int_equal(h.format, version == 14   ? OST_FORMAT_ANSI
                               : version == 23 ? OST_FORMAT_UNICODE
                                               : OST_FORMAT_UNICODE4K);
    assert_int_equal(h.crypt, crypt);
    assert_int_equal(h.eof, size);
}

static void real_samples_are_sound(void **state)
{
    (void)state;
    check_real(sample_or_skip(SAMPLE_OST), OST_CONTENT_OST, 36, 0, 16818176);
    check_real(sample_or_skip(SAMPLE_OST2), OST_CONTENT_OST, 36, 0, 16818176);
    check_real(sample_or_skip(SAMPLE_ENRON), OST_CONTENT_PST, 23, 1, 13984768);
}

/* PROVENANCE.tsv: file, …, size (7th), magic, wVer, crypt, … */
static void real_corpus_is_as_its_list_says(void **state)
{
    FILE *list = fopen(corpus_or_skip("PROVENANCE.tsv"), "r");
    char line[4096];
    unsigned seen = 0;

    (void)state;
    assert_non_null(list);
    assert_non_null(fgets(line, sizeof line, list));
    assert_non_null(strstr(line, "\tsize\tmagic\twVer\tcrypt\t"));
    while (fgets(line, sizeof line, list)) {
        char *fields[10], *rest = line;

        for (size_t i = 0; i < 10; i++)
            fields[i] = strsep(&rest, "\t");
        assert_non_null(fields[9]);
        if (strncmp(fields[0], "damaged-", 8) == 0)
            continue;
        check_real(corpus_path(fields[0]),
                   strcmp(fields[7], "SO") == 0 ? OST_CONTENT_OST : OST_CONTENT_PST,
                   atoi(fields[8]), atoi(fields[9]), strtoull(fields[6], NULL, 10));
        seen++;
    }
    fclose(list);
    assert_true(seen > 0);
}

static struct ost_header_report check_damaged(const char *name, uint64_t size)
{
    FILE *f = fopen(corpus_or_skip(name), "rb");
    struct sample s = {.file_size = size};

    assert_non_null(f);
    assert_true(fread(s.bytes, 1, sizeof s.bytes, f) > 0);
    fclose(f);
    return check(&s, NULL);
}

static void real_damaged_headers(void **state)
{
    struct ost_header_report r = check_damaged("damaged-header-crc.pst", 271360);

    (void)state;
    assert_int_equal(r.state, OST_HEADER_SUSPECT);
    assert_non_null(find(&r, F_header_crc_partial));
    assert_non_null(find(&r, F_header_crc_full));
    assert_non_null(find(&r, F_amap_invalid_flag));
    assert_int_equal(r.finding_count, 3);
    r = check_damaged("damaged-truncated-in-header.pst", 40);
    assert_alone(&r, F_file_too_short, OST_HEADER_UNUSABLE);
    assert_int_equal(r.findings[0].expected, HEADER_SIZE_U);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_image_record),
        cmocka_unit_test(ansi_fields_are_read),
        cmocka_unit_test(wide_fields_are_read),
        cmocka_unit_test(no_bytes),
        cmocka_unit_test(too_few_bytes),
        cmocka_unit_test(fewer_bytes_read_than_the_file_has),
        cmocka_unit_test(other_content_is_named_once),
        cmocka_unit_test(image_without_magic),
        cmocka_unit_test(address_book),
        cmocka_unit_test(unknown_client),
        cmocka_unit_test(versions),
        cmocka_unit_test(sentinel_tells_versions_apart),
        cmocka_unit_test(checksums),
        cmocka_unit_test(sentinel_and_crypt),
        cmocka_unit_test(file_size_against_header),
        cmocka_unit_test(roots),
        cmocka_unit_test(allocation_flag),
        cmocka_unit_test(everything_wrong_at_once),
        cmocka_unit_test(single_bit_flips),
        cmocka_unit_test(version_is_proved_by_the_checksum),
        cmocka_unit_test(real_samples_are_sound),
        cmocka_unit_test(real_corpus_is_as_its_list_says),
        cmocka_unit_test(real_damaged_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
