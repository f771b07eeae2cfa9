/*
 * canon.c: see canon.h.
 *
 * A value is written with a form and a size of zero first and both are put right when its bytes are
 * there (finish_value); a long one is then replaced by its digest. So nothing has to know sizes
 * beforehand.
 */
#include "index/canon.h"

#include <string.h>

#include "index/property.h"

enum { VALUE_HEAD = 1 + 8, MARK_2000 = 0x2000 };

void idx_canon_u64(struct buf *out, uint64_t value)
{
    uint8_t bytes[8];

    put_le64(bytes, value);
    buf_append(out, bytes, sizeof bytes);
}

void idx_canon_form(struct buf *out, enum idx_form form)
{
    buf_putc(out, (char)form);
}

static size_t start_value(struct buf *out)
{
    static const uint8_t head[VALUE_HEAD] = {IDX_FORM_BYTES};
    size_t at = out->size;

    buf_append(out, head, sizeof head);
    return at;
}

static void finish_value(struct idx_canon *c, struct buf *out, size_t at, bool well_formed)
{
    struct ost_digest digest;
    size_t size;
    bool is_long;

    if (out->failed)
        return;
    size = out->size - at - VALUE_HEAD;
    is_long = size > IDX_LONG_BYTES;
    out->data[at] = well_formed ? is_long ? IDX_FORM_LONG : IDX_FORM_BYTES
                    : is_long   ? IDX_FORM_BAD_LONG
                                : IDX_FORM_BAD;
    put_le64(out->data + at + 1, size);
    if (!is_long)
        return;
    idx_hash_reset(c->hash);
    idx_hash_update(c->hash, out->data + at + VALUE_HEAD, size);
    idx_hash_final(c->hash, &digest);
    out->size = at + VALUE_HEAD;
    buf_append(out, digest.bytes, digest.size);
}

void idx_canon_bytes(struct idx_canon *c, struct buf *out, struct bytes bytes)
{
    size_t at = start_value(out);

    buf_append(out, bytes.data, bytes.size);
    finish_value(c, out, at, true);
}

void idx_canon_digest(struct buf *out, const struct ost_digest *digest)
{
    idx_canon_form(out, digest->size ? IDX_FORM_DIGEST : IDX_FORM_ABSENT);
    buf_append(out, digest->bytes, digest->size);
}

/* Eight bytes at a time: those from 'A' to 'Z' get the bit that small letters have. */
static void fold_ascii(struct buf *out, size_t at)
{
    const uint64_t each = 0x0101010101010101u;

    for (; out->size - at >= 8; at += 8) {
        uint64_t v = le64(out->data + at), low = v & each * 0x7F;
        uint64_t from_a = low + each * (0x80 - 'A'), beyond_z = low + each * (0x7F - 'Z');

        put_le64(out->data + at, v | (from_a & ~beyond_z & ~v & each * 0x80) >> 2);
    }
    for (; at < out->size; at++) {
        if (out->data[at] >= 'A' && out->data[at] <= 'Z')
            out->data[at] = (uint8_t)(out->data[at] + ('a' - 'A'));
    }
}

void idx_canon_wtf8(struct idx_canon *c, struct buf *out, struct bytes wtf8, bool fold)
{
    size_t at;

    if (!wtf8.data) {
        idx_canon_form(out, IDX_FORM_ABSENT);
        return;
    }
    at = start_value(out);
    idx_text_nfc(wtf8, out);
    if (fold && !out->failed)
        fold_ascii(out, at + VALUE_HEAD);
    finish_value(c, out, at, true);
}

/* ---- normalised bytes ---- */

/* False, with nothing appended, when some of the stored bytes are no text. */
static bool put_text(struct idx_canon *c, struct buf *out, struct bytes stored, bool utf16,
                     uint32_t codepage)
{
    struct bytes text = idx_text_trim(stored, utf16);
    size_t start = out->size;
    bool whole = true;

    idx_text_canonical(c->text, text, utf16, codepage, out, &whole);
    if (!whole)
        out->size = start;
    return whole;
}

/*
 * u32 count, u32 offsets[count], data: elements one behind the other, from the end of the offsets
 * to the end of the value. Ascending offsets keep elements from overlapping, so what is appended
 * stays within a small multiple of what is stored, however hostile.
 */
static bool elements_fit(struct bytes value, uint32_t *count)
{
    uint64_t before;

    if (value.size < 4)
        return false;
    *count = le32(value.data);
    before = 4 + (uint64_t)*count * 4;
    if (before > value.size)
        return false;
    for (uint32_t i = 0; i < *count; i++) {
        uint32_t offset = le32(value.data + 4 + (size_t)i * 4);

        if (offset < before || offset > value.size)
            return false;
        before = offset;
    }
    return true;
}

static bool put_elements(struct idx_canon *c, struct buf *out, struct bytes value, uint16_t type,
                         uint32_t codepage)
{
    size_t start = out->size;
    uint32_t count;

    if (!elements_fit(value, &count))
        return false;
    for (uint32_t i = 0; i < count && !out->failed; i++) {
        size_t from = le32(value.data + 4 + (size_t)i * 4);
        size_t to = i + 1 < count ? le32(value.data + 8 + (size_t)i * 4) : value.size;
        struct bytes element = {value.data + from, to - from};
        size_t at = out->size;

        idx_canon_u64(out, 0);
        if (type == OST_BINARY) {
            buf_append(out, element.data, element.size);
        } else if (!put_text(c, out, element, type == OST_UNICODE, codepage)) {
            out->size = start;
            return false;
        }
        if (!out->failed)
            put_le64(out->data + at, out->size - at - 8);
    }
    return true;
}

/* Bytes of one value of a type of fixed size, 0 for others. */
static size_t width(uint16_t type)
{
    switch (type) {
    case OST_BOOL:
        return 1;
    case OST_I16:
        return 2;
    case OST_I32:
    case OST_F32:
    case OST_ERROR:
        return 4;
    case OST_F64:
    case OST_CURRENCY:
    case OST_APPTIME:
    case OST_I64:
    case OST_TIME:
        return 8;
    case OST_GUID:
        return 16;
    default:
        return 0;
    }
}

bool idx_canon_normal(struct idx_canon *c, struct buf *out, const struct ost_prop *prop,
                      uint32_t codepage)
{
    uint16_t base = (uint16_t)(prop->type & ~(MARK_2000 | OST_MULTI));
    bool multi = prop->type & OST_MULTI;
    struct bytes value = prop->value;

    if (!value.size)
        return true;
    switch (base) {
    case OST_UNICODE:
    case OST_STRING8:
        if (multi)
            return put_elements(c, out, value, base, codepage);
        return put_text(c, out, value, base == OST_UNICODE, codepage);
    case OST_BINARY:
        if (multi)
            return put_elements(c, out, value, base, codepage);
        break;
    case OST_BOOL:
        if (multi)
            break;
        if (value.size != 1)
            return false;
        buf_putc(out, value.data[0] ? 1 : 0);
        return true;
    default:
        if (width(base) && (multi ? value.size % width(base) : value.size != width(base)))
            return false;
    }
    buf_append(out, value.data, value.size);
    return true;
}

/* ---- entries ---- */

static void put_be16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put_text_name(struct idx_canon *c, struct buf *out, const struct ost_name *name)
{
    size_t at;

    buf_putc(out, 3);
    buf_append(out, name->guid, sizeof name->guid);
    at = out->size;
    idx_canon_u64(out, 0);
    put_text(c, out, name->text, true, 0);
    if (out->failed)
        return;
    if (idx_set_of(name) == IDX_SET_INTERNET_HEADERS)
        fold_ascii(out, at + 8);
    put_le64(out->data + at, out->size - at - 8);
}

void idx_canon_name(struct idx_canon *c, struct buf *out, const struct ost_name *name)
{
    uint8_t key[1 + 16 + 4] = {2};

    if (name->is_text) {
        put_text_name(c, out, name);
        return;
    }
    memcpy(key + 1, name->guid, 16);
    put_be16(key + 17, name->number >> 16);
    put_be16(key + 19, name->number);
    buf_append(out, key, sizeof key);
}

/* Types as they stand behind a key: string8 is Unicode. */
static uint16_t type_of(const struct ost_prop *prop)
{
    uint16_t type = prop->type & (uint16_t)~MARK_2000;

    return (type & ~OST_MULTI) == OST_STRING8 ? (uint16_t)(type + 1) : type;
}

static void put_type(struct buf *out, const struct ost_prop *prop)
{
    uint8_t bytes[2];

    put_le16(bytes, type_of(prop));
    buf_append(out, bytes, sizeof bytes);
}

void idx_canon_key(struct idx_canon *c, struct buf *out, const struct ost_prop *prop)
{
    uint8_t key[1 + 2] = {1};

    if (prop->name) {
        idx_canon_name(c, out, prop->name);
    } else {
        put_be16(key + 1, prop->id);
        buf_append(out, key, sizeof key);
    }
    put_type(out, prop);
}

/*
 * The values that nearly all are: short, of a common type, well-formed. Written where they belong,
 * at once.
 */
enum { SHORT_VALUE = 64 * 1024 };

static bool is_short(const struct ost_prop *prop)
{
    return prop->value.size <= SHORT_VALUE;
}

/* Room for a short value, whatever is made of it. */
static size_t short_room(const struct ost_prop *prop)
{
    return VALUE_HEAD + prop->value.size + prop->value.size / 2;
}

/* Writes a short value to `head`, where there is room for it; returns its end. NULL: it is to be
 * written the long way. */
static uint8_t *put_short_value(uint8_t *head, const struct ost_prop *prop)
{
    struct bytes value = prop->value;
    uint8_t *at = head + VALUE_HEAD, *end = at + value.size;

    switch (prop->type & ~MARK_2000) {
    case OST_UNICODE:
        end = idx_text_utf16_plain(idx_text_trim(value, true), at);
        break;
    case OST_BOOL:
        if (value.size > 1)
            return NULL;
        if (value.size)
            *at = value.data[0] ? 1 : 0;
        break;
    case OST_BINARY:
        if (value.size)
            memcpy(at, value.data, value.size);
        break;
    case OST_I32:
        if (value.size != 4)
            return NULL;
        memcpy(at, value.data, 4);
        break;
    case OST_I64:
    case OST_TIME:
        if (value.size != 8)
            return NULL;
        memcpy(at, value.data, 8);
        break;
    default:
        return NULL;
    }
    if (!end)
        return NULL;
    *head = IDX_FORM_BYTES;
    put_le64(head + 1, (uint64_t)(end - at));
    return end;
}

static void put_long_value(struct idx_canon *c, struct buf *out, const struct ost_prop *prop,
                           uint32_t codepage)
{
    bool well_formed;
    size_t at;

    if ((prop->type & ~MARK_2000) == OST_OBJECT) {
        idx_canon_form(out, IDX_FORM_ABSENT);
        return;
    }
    at = start_value(out);
    well_formed = idx_canon_normal(c, out, prop, codepage);
    if (!well_formed)
        buf_append(out, prop->value.data, prop->value.size);
    finish_value(c, out, at, well_formed);
}

enum { TAG_KEY = 1 + 2, LID_KEY = 1 + 16 + 4, TYPE = 2 };

/* Appends the entry of a property with a short value, whose key is `key_size` bytes and written by
 * whoever calls. False, with nothing appended: the long way. */
static bool put_short(struct buf *out, size_t key_size, const struct ost_prop *prop)
{
    uint8_t *at, *end;

    if (!is_short(prop) || !buf_reserve(out, key_size + TYPE + short_room(prop)))
        return false;
    at = out->data + out->size + key_size;
    put_le16(at, type_of(prop));
    end = put_short_value(at + TYPE, prop);
    if (end)
        out->size = (size_t)(end - out->data);
    return end != NULL;
}

static bool put_short_tagged(struct buf *out, const struct ost_prop *prop)
{
    size_t start = out->size;

    if (!put_short(out, TAG_KEY, prop))
        return false;
    out->data[start] = 1;
    put_be16(out->data + start + 1, prop->id);
    return true;
}

static bool put_short_named(struct buf *out, struct bytes key, const struct ost_prop *prop)
{
    size_t start = out->size;

    if (!put_short(out, key.size, prop))
        return false;
    if (key.size == LID_KEY)
        memcpy(out->data + start, key.data, LID_KEY);
    else
        memcpy(out->data + start, key.data, key.size);
    return true;
}

void idx_canon_entry(struct idx_canon *c, struct buf *out, const struct ost_prop *prop,
                     uint32_t codepage)
{
    if (!prop->name && put_short_tagged(out, prop))
        return;
    idx_canon_key(c, out, prop);
    put_long_value(c, out, prop, codepage);
}

void idx_canon_named(struct idx_canon *c, struct buf *out, struct bytes key,
                     const struct ost_prop *prop, uint32_t codepage)
{
    if (put_short_named(out, key, prop))
        return;
    buf_append(out, key.data, key.size);
    put_type(out, prop);
    put_long_value(c, out, prop, codepage);
}
