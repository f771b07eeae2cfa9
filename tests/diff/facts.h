/*
 * facts.h: all that an engine says of an image, as a list of single facts, to be held against
 * another engine's.
 *
 * A fact has the node that it is about, a key and a value. Keys name the place within the node:
 *
 *   parent, name, rows, role, orphan ...    of the folder or item itself
 *   0037                                    a property, by its id
 *   row 3008                                one from the item's contents row
 *   recipient 2 3001                        one of the third recipient
 *   attachment 0 3707, attachment 0 data    of the first attachment
 *   attachment 0 item 0037                  of the item embedded in it, and so on downwards
 *   digest exact                            a digest of the item
 *   masked exact                            the same of the item without the empty and zero cells
 *                                           of its recipients (which no libpff can give)
 *
 * A property's value is its type, the GUID and name of a named one, and its bytes. The order of
 * items is no fact: it is each engine's own. Nor are findings.
 *
 * Failures fail the running test. Threads: one.
 */
#ifndef TESTS_DIFF_FACTS_H
#define TESTS_DIFF_FACTS_H

#include "io/buf.h"
#include "scanner/engine.h"
#include "tests/support/digests.h"

struct fact {
    uint32_t nid;
    uint32_t size; /* of the value */
    size_t key;    /* where in the bytes; ended by NUL, followed by the value */
};

struct facts_counts {
    uint64_t folders, items, assoc, failed, partial;
    uint64_t props, recipients, attachments, embedded, digests;
    uint64_t data_bytes; /* of attachments */
};

struct facts {
    struct engine_sink sink;
    struct ost_hasher hasher;
    struct digest_bench bench;
    struct buf bytes, path;
    struct fact *list;
    size_t count, capacity;
    struct facts_counts counts;
    unsigned codes[FINDING_CODES];
};

/* The key of an item that an engine knows of and cannot read. */
#define FACT_FAILED "failed"
/* Keys that begin so are no facts of the image, and not compared. */
#define FACT_MASKED "masked"

void facts_init(struct facts *f);
void facts_done(struct facts *f);
/* Sorts the facts by node and key; none may be there twice. */
void facts_seal(struct facts *f);

const char *fact_key(const struct facts *f, size_t i);
struct bytes fact_value(const struct facts *f, size_t i);
/* The value of that fact; data NULL: there is none. */
struct bytes fact_find(const struct facts *f, uint32_t nid, const char *key);
/* What an image says of its own form: its cipher, and how large its store is. */
bool fact_is_of_form(const struct facts *f, size_t i);
/* The value of a property's fact without its type and name. */
struct bytes fact_bytes(struct bytes value);
uint16_t fact_type(struct bytes value); /* 0: no property */

#endif
