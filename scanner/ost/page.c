/* page.c: see page.h. */
#include "scanner/ost/page.h"

#include "scanner/ost/crc.h"

struct ost_page_trailer ost_page_trailer(const struct ost_variant *v, const uint8_t *page)
{
    const uint8_t *t = page + v->page_trailer;

    return (struct ost_page_trailer){
        .type = t[OFF_PT_TYPE],
        .type_repeat = t[OFF_PT_TYPE_REPEAT],
        .sig = le16(t + OFF_PT_SIG),
        .crc = le32(page + v->page_crc),
        .bid = ost_id(v, page + v->page_bid),
        .constant = v->page_constant ? le64(page + v->page_constant) : 0,
    };
}

static uint16_t expected_sig(uint8_t type, uint64_t offset, uint64_t bid)
{
    switch (type) {
    case PTYPE_BBT:
    case PTYPE_NBT:
    case PTYPE_DLIST:
        return ost_sig(offset, bid);
    default:
        return 0;
    }
}

void ost_page_check(const struct ost_variant *v, const uint8_t *page, uint8_t type, uint64_t bid,
                    uint64_t offset, struct ost_defects *defects)
{
    struct ost_page_trailer t = ost_page_trailer(v, page);
    uint32_t crc = ost_crc(page, v->page_trailer);

    ost_defects_compare(defects, OST_PAGE_TYPE, v->page_trailer + OFF_PT_TYPE, type, t.type);
    ost_defects_compare(defects, OST_PAGE_TYPE_REPEAT, v->page_trailer + OFF_PT_TYPE_REPEAT, type,
                        t.type_repeat);
    ost_defects_compare(defects, OST_PAGE_SIG, v->page_trailer + OFF_PT_SIG,
                        expected_sig(type, offset, bid), t.sig);
    ost_defects_compare(defects, OST_PAGE_BID, v->page_bid, bid, t.bid);
    if (!ost_crc_passes(t.crc, crc))
        ost_defects_add(defects, OST_PAGE_CRC, v->page_crc, crc, t.crc);
    if (v->page_constant)
        ost_defects_compare(defects, OST_PAGE_CONSTANT, v->page_constant, PT_CONST_K, t.constant);
}

enum ost_trust ost_page_trust(const struct ost_defects *d)
{
    bool type = ost_defects_has(d, OST_PAGE_TYPE),
         repeat = ost_defects_has(d, OST_PAGE_TYPE_REPEAT);
    bool sig = ost_defects_has(d, OST_PAGE_SIG), bid = ost_defects_has(d, OST_PAGE_BID);

    if (!ost_defects_has(d, OST_PAGE_CRC))
        return (type && repeat) || (sig && bid) ? OST_TRUST_NONE : OST_TRUST_SOUND;
    return type || repeat || sig || bid ? OST_TRUST_NONE : OST_TRUST_SUSPECT;
}
