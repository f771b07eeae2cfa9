/* compare_entry.c: see compare_entry.h. */
#include "index/compare_entry.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

const char *cmp_key_name(enum cmp_key key)
{
    static const char *const names[CMP_KEYS] = {"change_key", "search_key", "message_id", "core",
                                                "exact"};

    assert(key < CMP_KEYS);
    return names[key];
}

const char *cmp_part_name(enum cmp_part part)
{
    static const char *const names[CMP_PARTS] = {
        "headers", "recipients", "body", "attachments", "properties", "state", "change_key"};

    assert(part < CMP_PARTS);
    return names[part];
}

uint64_t cmp_mark_of(struct bytes value)
{
    uint64_t mark = XXH3_64bits(value.data, value.size);

    return mark ? mark : 1;
}

void cmp_entry_key(struct cmp_entry *e, enum cmp_key key, const uint8_t value[16])
{
    memcpy(e->key[key], value, sizeof e->key[key]);
    e->keys |= (uint16_t)(1u << key);
}

void cmp_entry_key_of(struct cmp_entry *e, enum cmp_key key, struct bytes value)
{
    XXH128_canonical_t hash;

    if (!value.size)
        return;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(value.data, value.size));
    cmp_entry_key(e, key, hash.digest);
}

void cmp_entry_mark(struct cmp_entry *e, enum cmp_mark mark, uint64_t value)
{
    e->mark[mark] = value;
    e->known |= (uint16_t)(1u << mark);
}

bool cmp_keys_equal(const struct cmp_entry *a, const struct cmp_entry *b, enum cmp_key key)
{
    return (a->keys & b->keys) >> key & 1 && memcmp(a->key[key], b->key[key], 16) == 0;
}

bool cmp_keys_contradict(const struct cmp_entry *a, const struct cmp_entry *b, enum cmp_key key)
{
    return (a->keys & b->keys) >> key & 1 && memcmp(a->key[key], b->key[key], 16) != 0;
}

static bool differs(const struct cmp_entry *a, const struct cmp_entry *b, enum cmp_mark mark)
{
    return (a->known & b->known) >> mark & 1 && a->mark[mark] != b->mark[mark];
}

enum { BODIES = 1u << CMP_MARK_TEXT | 1u << CMP_MARK_HTML | 1u << CMP_MARK_RTF };

bool cmp_entry_bodiless(const struct cmp_entry *e)
{
    return (e->known & BODIES) == BODIES && !e->mark[CMP_MARK_TEXT] && !e->mark[CMP_MARK_HTML] &&
           !e->mark[CMP_MARK_RTF];
}

/* Stores keep a body in one form or in several; only forms that both have can be held against each
 * other. */
static bool body_differs(const struct cmp_entry *a, const struct cmp_entry *b)
{
    if ((a->known & b->known & BODIES) != BODIES)
        return false;
    if (cmp_entry_bodiless(a) || cmp_entry_bodiless(b))
        return cmp_entry_bodiless(a) != cmp_entry_bodiless(b);
    for (unsigned m = CMP_MARK_TEXT; m <= CMP_MARK_RTF; m++)
        if (a->mark[m] && b->mark[m] && a->mark[m] != b->mark[m])
            return true;
    return false;
}

unsigned cmp_entry_differences(const struct cmp_entry *a, const struct cmp_entry *b)
{
    unsigned bits = 0;

    if (differs(a, b, CMP_MARK_SUBJECT) || differs(a, b, CMP_MARK_FROM) ||
        differs(a, b, CMP_MARK_SUBMITTED) || differs(a, b, CMP_MARK_CLASS) ||
        cmp_keys_contradict(a, b, CMP_KEY_MIH))
        bits |= 1u << CMP_PART_HEADERS;
    if (differs(a, b, CMP_MARK_RECIPIENTS))
        bits |= 1u << CMP_PART_RECIPIENTS;
    if (body_differs(a, b))
        bits |= 1u << CMP_PART_BODY;
    if (differs(a, b, CMP_MARK_ATTACHMENTS))
        bits |= 1u << CMP_PART_ATTACHMENTS;
    if (cmp_keys_equal(a, b, CMP_KEY_EXACT))
        bits = 0; /* marks may tell apart what `exact` rightly takes for the same */
    else if (!bits && cmp_keys_contradict(a, b, CMP_KEY_EXACT))
        bits |= 1u << CMP_PART_OTHER;
    if (differs(a, b, CMP_MARK_STATE) || differs(a, b, CMP_MARK_READ))
        bits |= 1u << CMP_PART_STATE;
    if (cmp_keys_contradict(a, b, CMP_KEY_CHANGE))
        bits |= 1u << CMP_PART_CHANGE_KEY;
    return bits;
}
