/*
 * account.c: see account.h.
 *
 * The OST of an Exchange mailbox keeps its inbox (or root) as an Exchange folder entry id in 3416,
 * whose provider uid is the mailbox guid in 6615 ([MS-OXCDATA] 2.2.4.1; the same in all Exchange
 * OSTs at hand, 512-byte and 4096-byte pages; PSTs have a 24-byte entry id there, or none, and no
 * 6615):
 *
 *   flags(4) │ provider uid(16) │ type(2): 1, private folder │ replica guid(16) │ counter(6) │ 0(2)
 *
 * No store of another kind of account was at hand, so nothing else is told.
 */
#include "scanner/ost/account.h"

#include <string.h>

enum {
    PID_FOLDER = 0x3416,
    PID_MAILBOX = 0x6615,
    ENTRY_SIZE = 46,
    ENTRY_UID = 4,
    ENTRY_TYPE = 20,
    TYPE_PRIVATE = 1,
    UID_SIZE = 16,
};

const char *ost_account(struct ost_props store)
{
    const struct ost_prop *folder = ost_props_find(store, PID_FOLDER, OST_BINARY);
    const struct ost_prop *mailbox = ost_props_find(store, PID_MAILBOX, OST_GUID);

    if (folder && mailbox && folder->value.size == ENTRY_SIZE && mailbox->value.size == UID_SIZE &&
        le16(folder->value.data + ENTRY_TYPE) == TYPE_PRIVATE &&
        memcmp(folder->value.data + ENTRY_UID, mailbox->value.data, UID_SIZE) == 0)
        return "exchange";
    return "unknown";
}
