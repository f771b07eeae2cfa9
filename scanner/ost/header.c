/*
 * header.c: see header.h.
 *
 *   0        8           479      524      528     564
 *   | magic  | CRCPartial covers  |        |  tail  |     Unicode, both page sizes
 *   |        | CRCFull covers ............ |        |
 *
 *   0        8           479      512
 *   | magic  | CRCPartial covers  | tail   |               ANSI: no CRCFull
 *
 * Neither checksum covers the magic. So a file without it is taken for an image only when all of
 * client, version and CRCPartial say so; without that its one finding is the magic, for whatever
 * else its bytes would mean as a header is noise.
 *
 * wVer tells the format. Of the values that no known program writes, 16 to 20 are told apart by the
 * place of the sentinel; where both places hold it (the Unicode sentinel lies behind an ANSI
 * header, the ANSI one within a Unicode map), CRCFull decides, which only a Unicode header has.
 *
 * As every field's place depends on it, a damaged wVer would make noise of the rest. But CRCPartial
 * covers it: where it fits with another version in its place, that one was there.
 */
#include "scanner/ost/header.h"

#include <string.h>

#include "scanner/ost/crc.h"
#include "scanner/ost/offsets.h"

enum {
    MAGIC = 0x4E444221, /* "!BDN" */
    CLIENT_PST = 0x4D53,
    CLIENT_OST = 0x4F53,
    CLIENT_PAB = 0x4241,
    VER_ANSI_LOW = 14,
    VER_ANSI_HIGH = 15,
    VER_GUESS_LOW = 16,
    VER_GUESS_HIGH = 20,
    VER_UNICODE_OLD = 21,
    VER_UNICODE = 23,
    VER_UNICODE4K = 36,
};

/* Where the fields of a format stand. `wide`: bytes of a BID and of an offset. */
struct layout {
    uint16_t size, wide;
    uint16_t bid_next_block, bid_next_page, unique, rgnid;
    uint16_t eof, amap_last, amap_free, nbt, bbt, amap_valid, sentinel, crypt;
    uint32_t page_bytes, first_page; /* first_page: the first AMap, before which no page lies */
};

#define LAYOUT_U                                                                                   \
    .size = HEADER_SIZE_U, .wide = 8, .bid_next_block = OFF_U_BID_NEXT_B,                          \
    .bid_next_page = OFF_U_BID_NEXT_P, .unique = OFF_U_UNIQUE, .rgnid = OFF_U_RGNID,               \
    .eof = OFF_U_EOF, .amap_last = OFF_U_AMAP_LAST, .amap_free = OFF_U_AMAP_FREE,                  \
    .nbt = OFF_U_BREF_NBT, .bbt = OFF_U_BREF_BBT, .amap_valid = OFF_U_AMAP_VALID,                  \
    .sentinel = OFF_U_SENTINEL, .crypt = OFF_U_CRYPT

static const struct layout layouts[] = {
    [OST_FORMAT_ANSI] = {.size = HEADER_SIZE_A,
                         .wide = 4,
                         .bid_next_block = OFF_A_BID_NEXT_B,
                         .bid_next_page = OFF_A_BID_NEXT_P,
                         .unique = OFF_A_UNIQUE,
                         .rgnid = OFF_A_RGNID,
                         .eof = OFF_A_EOF,
                         .amap_last = OFF_A_AMAP_LAST,
                         .amap_free = OFF_A_AMAP_FREE,
                         .nbt = OFF_A_BREF_NBT,
                         .bbt = OFF_A_BREF_BBT,
                         .amap_valid = OFF_A_AMAP_VALID,
                         .sentinel = OFF_A_SENTINEL,
                         .crypt = OFF_A_CRYPT,
                         .page_bytes = 512,
                         .first_page = 0x4400},
    [OST_FORMAT_UNICODE] = {LAYOUT_U, .page_bytes = 512, .first_page = 0x4400},
    [OST_FORMAT_UNICODE4K] = {LAYOUT_U, .page_bytes = 4096, .first_page = 0x22000},
};

const char *ost_content_name(enum ost_content content)
{
    static const char *const names[] = {NULL, "pst", "ost", "pab"};

    return content <= OST_CONTENT_PAB ? names[content] : NULL;
}

const char *ost_format_name(enum ost_format format)
{
    static const char *const names[] = {NULL, "ansi", "unicode", "unicode4k"};

    return format <= OST_FORMAT_UNICODE4K ? names[format] : NULL;
}

const char *ost_crypt_name(uint8_t crypt)
{
    static const char *const names[] = {"none", "permute", "cyclic"};

    return crypt <= OST_CRYPT_CYCLIC ? names[crypt] : NULL;
}

static void worsen(struct ost_header_report *report, enum ost_header_state state)
{
    if (report->state < state)
        report->state = state;
}

static struct finding *add(struct ost_header_report *report, enum finding_code code)
{
    struct finding *f = &report->findings[report->finding_count];

    assert(report->finding_count < OST_HEADER_FINDINGS);
    report->finding_count++;
    *f = finding_of(code);
    if (f->severity == SEVERITY_CORRUPT)
        worsen(report, OST_HEADER_SUSPECT);
    return f;
}

static struct finding *add_actual(struct ost_header_report *report, enum finding_code code,
                                  uint64_t offset, uint64_t length, uint64_t actual)
{
    struct finding *f = add(report, code);

    f->has_offset = f->has_actual = true;
    f->offset = offset;
    f->length = length;
    f->actual = actual;
    return f;
}

static void add_expected(struct ost_header_report *report, enum finding_code code, uint64_t offset,
                         uint64_t length, uint64_t expected, uint64_t actual)
{
    struct finding *f = add_actual(report, code, offset, length, actual);

    f->has_expected = true;
    f->expected = expected;
}

static enum ost_content content_of(uint16_t client)
{
    switch (client) {
    case CLIENT_PST:
        return OST_CONTENT_PST;
    case CLIENT_OST:
        return OST_CONTENT_OST;
    case CLIENT_PAB:
        return OST_CONTENT_PAB;
    default:
        return OST_CONTENT_UNKNOWN;
    }
}

static bool crc_full_fits(const uint8_t *h)
{
    return ost_crc(h + CRC_FULL_START, CRC_FULL_LENGTH) == le32(h + OFF_U_CRC_FULL);
}

static bool crc_partial_fits(const uint8_t *h)
{
    return ost_crc(h + CRC_PARTIAL_START, CRC_PARTIAL_LENGTH) == le32(h + OFF_CRC_PARTIAL);
}

static uint16_t version_of(const uint8_t *h)
{
    static const uint16_t known[] = {VER_ANSI_LOW, VER_ANSI_HIGH, VER_UNICODE_OLD, VER_UNICODE,
                                     VER_UNICODE4K};
    uint8_t tried[CRC_PARTIAL_START + CRC_PARTIAL_LENGTH];

    memcpy(tried, h, sizeof tried);
    for (size_t i = 0; !crc_partial_fits(h) && i < sizeof known / sizeof *known; i++) {
        put_le16(tried + OFF_VER, known[i]);
        if (crc_partial_fits(tried))
            return known[i];
    }
    return le16(h + OFF_VER);
}

static enum ost_format format_by_sentinel(const uint8_t *h)
{
    bool ansi = h[OFF_A_SENTINEL] == SENTINEL, unicode = h[OFF_U_SENTINEL] == SENTINEL;

    if (ansi && unicode)
        return crc_full_fits(h) ? OST_FORMAT_UNICODE : OST_FORMAT_ANSI;
    if (ansi)
        return OST_FORMAT_ANSI;
    return unicode ? OST_FORMAT_UNICODE : OST_FORMAT_UNKNOWN;
}

static enum ost_format format_of(uint16_t version, const uint8_t *h)
{
    if (version == VER_ANSI_LOW || version == VER_ANSI_HIGH)
        return OST_FORMAT_ANSI;
    if (version == VER_UNICODE || version == VER_UNICODE_OLD)
        return OST_FORMAT_UNICODE;
    if (version >= VER_UNICODE4K)
        return OST_FORMAT_UNICODE4K;
    if (version >= VER_GUESS_LOW && version <= VER_GUESS_HIGH)
        return format_by_sentinel(h);
    return OST_FORMAT_UNKNOWN;
}

static uint64_t wide_at(const struct layout *at, const uint8_t *p)
{
    return at->wide == 8 ? le64(p) : le32(p);
}

static struct ost_bref bref_at(const struct layout *at, const uint8_t *p)
{
    return (struct ost_bref){.bid = wide_at(at, p), .offset = wide_at(at, p + at->wide)};
}

static void parse(const uint8_t *h, struct ost_header *out)
{
    const struct layout *at;

    out->version = version_of(h);
    out->client_version = le16(h + OFF_VER_CLIENT);
    out->content = content_of(le16(h + OFF_MAGIC_CLIENT));
    out->format = format_of(out->version, h);
    if (out->format == OST_FORMAT_UNKNOWN)
        return;
    at = &layouts[out->format];
    out->crypt = h[at->crypt];
    out->unique = le32(h + at->unique);
    out->bid_next_block = wide_at(at, h + at->bid_next_block);
    out->bid_next_page = wide_at(at, h + at->bid_next_page);
    for (unsigned i = 0; i < RGNID_COUNT; i++)
        out->highest_index[i] = le32(h + at->rgnid + 4 * i);
    out->eof = wide_at(at, h + at->eof);
    out->amap_last = wide_at(at, h + at->amap_last);
    out->amap_free = wide_at(at, h + at->amap_free);
    out->amap_valid = h[at->amap_valid];
    out->nbt = bref_at(at, h + at->nbt);
    out->bbt = bref_at(at, h + at->bbt);
}

/* True when the file is an image, and one that goes on far enough to be checked. */
static bool check_kind(const uint8_t *h, size_t size, const struct ost_header *out,
                       struct ost_header_report *report)
{
    uint32_t magic = le32(h + OFF_MAGIC);
    size_t needed = out->format == OST_FORMAT_ANSI ? HEADER_SIZE_A : HEADER_SIZE_U;

    if (size >= sizeof magic && magic != MAGIC) {
        add_expected(report, F_magic_wrong, OFF_MAGIC, sizeof magic, MAGIC, magic);
        if (!crc_partial_fits(h) || out->content == OST_CONTENT_UNKNOWN ||
            out->format == OST_FORMAT_UNKNOWN)
            return false;
    }
    if (out->content == OST_CONTENT_PAB) {
        add_actual(report, F_content_pab, OFF_MAGIC_CLIENT, 2, CLIENT_PAB);
        return false;
    }
    if (size < needed) {
        add_expected(report, F_file_too_short, 0, size, needed, size);
        return false;
    }
    return true;
}

static void check_checksums(const uint8_t *h, enum ost_format format,
                            struct ost_header_report *report)
{
    if (!crc_partial_fits(h))
        add_expected(report, F_header_crc_partial, CRC_PARTIAL_START, CRC_PARTIAL_LENGTH,
                     ost_crc(h + CRC_PARTIAL_START, CRC_PARTIAL_LENGTH), le32(h + OFF_CRC_PARTIAL));
    if (format != OST_FORMAT_ANSI && format != OST_FORMAT_UNKNOWN && !crc_full_fits(h))
        add_expected(report, F_header_crc_full, CRC_FULL_START, CRC_FULL_LENGTH,
                     ost_crc(h + CRC_FULL_START, CRC_FULL_LENGTH), le32(h + OFF_U_CRC_FULL));
}

static void check_root(const struct layout *at, const struct ost_bref *root, uint16_t where,
                       uint64_t file_size, const char *tree, const char *tree_misplaced,
                       struct ost_header_report *report)
{
    bool inside = root->offset >= (uint64_t)at->first_page + at->page_bytes &&
                  range_fits(root->offset, at->page_bytes, file_size);
    struct finding *f;

    if (inside && root->offset % at->page_bytes == 0)
        return;
    f = add_actual(report, F_root_out_of_range, (uint64_t)where + at->wide, at->wide, root->offset);
    f->has_bid = true;
    f->bid = root->bid;
    f->detail = inside ? tree_misplaced : tree;
    if (!inside)
        worsen(report, OST_HEADER_UNUSABLE);
}

static void check_fields(const uint8_t *h, const struct ost_header *out, uint64_t file_size,
                         struct ost_header_report *report)
{
    const struct layout *at = &layouts[out->format];

    if (h[at->sentinel] != SENTINEL)
        add_expected(report, F_header_sentinel, at->sentinel, 1, SENTINEL, h[at->sentinel]);
    if (!ost_crypt_name(out->crypt)) {
        add_actual(report, F_crypt_unknown, at->crypt, 1, out->crypt);
        worsen(report, OST_HEADER_SUSPECT);
    }
    if (out->eof > file_size)
        add_expected(report, F_file_truncated, file_size, out->eof - file_size, out->eof,
                     file_size);
    if (out->eof < file_size)
        add_expected(report, F_file_trailing, out->eof, file_size - out->eof, out->eof, file_size);
    check_root(at, &out->nbt, at->nbt, file_size, "node B-tree", "node B-tree, at no page boundary",
               report);
    check_root(at, &out->bbt, at->bbt, file_size, "block B-tree",
               "block B-tree, at no page boundary", report);
    if (out->amap_valid != 1 && out->amap_valid != 2)
        add_actual(report, F_amap_invalid_flag, at->amap_valid, 1, out->amap_valid);
}

void ost_header_check(struct bytes head, uint64_t file_size, struct ost_header *out,
                      struct ost_header_report *report)
{
    uint8_t h[OST_HEADER_SIZE] = {0};
    size_t size = head.size < sizeof h ? head.size : sizeof h;

    *out = (struct ost_header){0};
    *report = (struct ost_header_report){.state = OST_HEADER_SOUND};
    if (size)
        memcpy(h, head.data, size);
    parse(h, out);
    if (file_size == 0)
        add(report, F_file_empty);
    if (file_size == 0 || !check_kind(h, size, out, report)) {
        worsen(report, OST_HEADER_UNUSABLE);
        return;
    }
    if (out->content == OST_CONTENT_UNKNOWN)
        add_actual(report, F_client_unknown, OFF_MAGIC_CLIENT, 2, le16(h + OFF_MAGIC_CLIENT));
    if (out->format == OST_FORMAT_UNKNOWN ||
        (out->version >= VER_GUESS_LOW && out->version <= VER_GUESS_HIGH))
        add_actual(report, F_version_unknown, OFF_VER, 2, out->version);
    check_checksums(h, out->format, report);
    if (out->format == OST_FORMAT_UNKNOWN)
        worsen(report, OST_HEADER_UNUSABLE);
    else
        check_fields(h, out, file_size, report);
}
