/*
 * signs.h: signs that an OST holds what no server has, and what Outlook logged of synchronizing.
 * Internal to tally.c, signs.c and verdict.c; the calls that fill it are in verdict.h.
 *
 * A strong sign is data that, by what the folder is for, Outlook could not or would not put on the
 * server. A weak one is a stored mark whose meaning no server has confirmed: it asks for a
 * comparison and is never told as fact.
 */
#ifndef SCANNER_CHECK_SIGNS_H
#define SCANNER_CHECK_SIGNS_H

#include "scanner/check/verdict.h"

enum tally_sign {
    SIGN_LOCAL_FAILURES,
    SIGN_CONFLICTS,
    SIGN_UNSENT,
    SIGN_OUTBOX,       /* in the Outbox, but not flagged unsent */
    SIGN_LOCAL_FOLDER, /* in a folder whose id no server gave */
    SIGN_CLIENT_KEY,   /* the change key is of the form that a client writes */
    SIGN_NO_KEY,       /* there is none */
    SIGNS,
};

/* What a folder is to its server. */
enum tally_place {
    PLACE_SERVED, /* the server has it too */
    PLACE_OUTBOX,
    PLACE_LOGS, /* Sync Issues */
    PLACE_CONFLICTS,
    PLACE_LOCAL_FAILURES,
    PLACE_SERVER_FAILURES,
    PLACE_LOCAL, /* its id is of this computer's own */
};

/* The first CHK_REASON_ITEMS different nids, ascending. */
struct tally_nids {
    uint32_t list[CHK_REASON_ITEMS];
    size_t count;
};

struct tally_signs {
    struct tally_nids items[SIGNS], folders[SIGNS];
    uint64_t counts[SIGNS];
    struct chk_sync_error errors[CHK_SYNC_ERRORS];
    size_t error_count;
    uint64_t error_total;
    struct tally_nids logs; /* the items that say so: the least, by tally_nids_least */
};

void tally_nids_add(struct tally_nids *set, uint32_t nid);
/* Keeps the least CHK_REASON_ITEMS instead: the same ones in whatever order they come. */
void tally_nids_least(struct tally_nids *set, uint32_t nid);

enum chk_strength tally_sign_strength(enum tally_sign sign);
const char *tally_sign_text(enum tally_sign sign);

#endif
