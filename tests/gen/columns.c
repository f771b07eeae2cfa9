#include "tests/gen/columns.h"

/*
 * Columns in the order of their existence bits, as the tables of real files have them: the first
 * count of each list are a PST's, all of them an OST's, unless there are two lists.
 */

#define IDS TABLE_ROW_ID, TABLE_ROW_VERSION

static const uint32_t hierarchy_ost[] = {IDS,        0x3001001F, 0x36020003, 0x36030003, 0x360A000B,
                                         0x66380003, 0x67F40014, 0x0E300102, 0x0E330014, 0x0E340102,
                                         0x0E380003, 0x3613001F, 0x66350003, 0x66360003};
static const uint32_t hierarchy_pst[] = {IDS,        0x3001001F, 0x36020003, 0x36030003,
                                         0x360A000B, 0x0E300102, 0x0E330014, 0x0E340102,
                                         0x0E380003, 0x3613001F, 0x66350003, 0x66360003};
static const uint32_t contents_ost[] = {
    IDS,        0x0E170003, 0x001A001F, 0x0E070003, 0x00170003, 0x0042001F, 0x0037001F, 0x0E060040,
    0x00390040, 0x0E080003, 0x0E04001F, 0x0E03001F, 0x0057000B, 0x0058000B, 0x00360003, 0x67F40014,
    0x66120003, 0x67F5000B, 0x65E20102, 0x65E30102, 0x30080040, 0x66280014, 0x10970003, 0x10981102,
    0x66220040, 0x66230003, 0x0070001F, 0x00710102, 0x30130102, 0x0E2A000B, 0x65C60003, 0x0E380003};
static const uint32_t contents_mail_ost[] = {
    IDS,        0x0E170003, 0x001A001F, 0x0E070003, 0x00170003, 0x0042001F, 0x0037001F, 0x0E060040,
    0x00390040, 0x0E080003, 0x0E04001F, 0x0E03001F, 0x0057000B, 0x0058000B, 0x00360003, 0x67F40014,
    0x66120003, 0x67F5000B, 0x65E20102, 0x65E30102, 0x30080040, 0x66280014, 0x10970003, 0x10981102,
    0x66220040, 0x66230003, 0x0070001F, 0x00710102, 0x30130102, 0x0E2A000B, 0x65C60003, 0x0E380003,
    0x30070040, 0x10800003, 0x300B0102, 0x1035001F, 0x10900003, 0x6619001F, 0x00410102, 0x0C190102};
static const uint32_t contents_pst[] = {
    IDS,        0x0E170003, 0x001A001F, 0x0E070003, 0x00170003, 0x0042001F, 0x0037001F,
    0x0E060040, 0x00390040, 0x0E080003, 0x0E04001F, 0x0E03001F, 0x0057000B, 0x0058000B,
    0x00360003, 0x10970003, 0x0070001F, 0x00710102, 0x30130102, 0x65C60003, 0x30080040,
    0x0E300102, 0x0E330014, 0x0E340102, 0x0E3D0102, 0x0E3C0102, 0x0E380003};
static const uint32_t assoc_ost[] = {IDS,        0x0E170003, 0x001A001F, 0x0E070003, 0x3001001F,
                                     0x70030003, 0x70040102, 0x70050102, 0x7006001F, 0x70070003,
                                     0x6800001F, 0x6803000B, 0x68051003, 0x682F001F, 0x67F40014,
                                     0x66120003, 0x65E20102, 0x65E30102, 0x30080040, 0x66280014};
static const uint32_t search[] = {IDS,        0x67F10003, 0x0E05001F, 0x0E170003, 0x001A001F,
                                  0x0E070003, 0x00170003, 0x0042001F, 0x0037001F, 0x0E060040,
                                  0x0E080003, 0x0E04001F, 0x0E03001F, 0x0057000B, 0x0058000B,
                                  0x00360003, 0x0E2A000B, 0x30080040};
static const uint32_t recipients[] = {IDS,        0x0E0F000B, 0x3002001F, 0x3003001F, 0x0FFF0102,
                                      0x3001001F, 0x0C150003, 0x300B0102, 0x0FF90102, 0x0FFE0003,
                                      0x39000003, 0x3A40000B, 0x39FF001F, 0x39FE001F, 0x3A20001F};
static const uint32_t attachments[] = {IDS,        0x370B0003, 0x0E200003, 0x37050003, 0x3704001F,
                                       0x3707001F, 0x370E001F, 0x37140003, 0x7FFE000B, 0x66180048};
static const uint32_t receive[] = {IDS, 0x66050003, 0x001A001F, 0x67F40014, 0x30080040};
static const uint32_t outgoing[] = {IDS, 0x00390040, 0x0E140003, 0x0E100003};
static const uint32_t other[] = {IDS, 0x0E300102, 0x0E330014};
static const uint32_t folder_states[] = {IDS,        0x67F40014, 0x66110003, 0x66130040,
                                         0x36DE0003, 0x67410003, 0x67450102};

#define LIST(a) (a), sizeof(a) / sizeof *(a)

struct list {
    const uint32_t *tags;
    size_t count;
};

static struct list list_of(enum column_set set, bool ost)
{
    switch (set) {
    case COLUMNS_HIERARCHY:
        return ost ? (struct list){LIST(hierarchy_ost)} : (struct list){LIST(hierarchy_pst)};
    case COLUMNS_CONTENTS:
        return ost ? (struct list){LIST(contents_ost)} : (struct list){LIST(contents_pst)};
    case COLUMNS_CONTENTS_MAIL:
        return ost ? (struct list){LIST(contents_mail_ost)} : (struct list){LIST(contents_pst)};
    case COLUMNS_ASSOC:
        return (struct list){assoc_ost, ost ? sizeof assoc_ost / sizeof *assoc_ost : 15};
    case COLUMNS_SEARCH:
        return (struct list){LIST(search)};
    case COLUMNS_RECIPIENTS:
        return (struct list){LIST(recipients)};
    case COLUMNS_ATTACHMENTS:
        return (struct list){attachments, sizeof attachments / sizeof *attachments - !ost};
    case COLUMNS_RECEIVE:
        return (struct list){receive, ost ? 6 : 4};
    case COLUMNS_OUTGOING:
        return (struct list){LIST(outgoing)};
    case COLUMNS_FOLDER_STATES:
        return (struct list){LIST(folder_states)};
    default:
        return (struct list){LIST(other)};
    }
}

void columns_init(struct table_columns sets[COLUMN_SETS], bool ost, bool wide)
{
    for (unsigned i = 0; i < COLUMN_SETS; i++) {
        struct list l = list_of(i, ost);
        table_columns_init(&sets[i], l.tags, l.count, wide);
    }
}
