/*
 * account.h: what kind of account a store belongs to, from its own properties.
 *
 * Threads: pure.
 */
#ifndef SCANNER_OST_ACCOUNT_H
#define SCANNER_OST_ACCOUNT_H

#include "scanner/ost/item.h"

/* "exchange", "imap", "other" or "unknown"; static. `store`: the properties of node 0x21. */
const char *ost_account(struct ost_props store);

#endif
