/*
 * json_split.h: the objects of a JSON export, one at a time, however large the file is.
 *
 * Takes a sequence of JSON values, white space between them: objects (JSON Lines), arrays of
 * objects, and envelopes as OData writes them: an object with an array `value`, whose elements are
 * the objects. Objects come out as their text, unread: whoever takes one parses it.
 *
 * Threads: one. Memory: one object of at most JSON_SPLIT_MOST bytes.
 */
#ifndef INDEX_JSON_SPLIT_H
#define INDEX_JSON_SPLIT_H

#include <stdbool.h>

#include "io/buf.h"
#include "io/bytes.h"

enum { JSON_SPLIT_MOST = 64 * 1024 * 1024, JSON_SPLIT_DEPTH = 64 };

struct json_split_sink {
    void *ctx;
    int (*object)(void *ctx, struct bytes text);
    /* An envelope ended; `more`: it names a page that follows. */
    int (*envelope)(void *ctx, bool more);
    /* An element that is no object. */
    int (*other)(void *ctx);
};

struct json_split {
    struct json_split_sink sink;
    unsigned depth;
    uint64_t objects; /* a bit for each open level: it is an object */
    unsigned element; /* the depth at which elements stand; 0: none known */
    bool in_string, escaped, capturing, envelope, more, after_key;
    struct buf whole; /* the top-level object, until it is known to be an envelope; or an element */
    struct buf key;   /* the string read last at depth 1 */
    uint64_t at;      /* bytes taken; after an error, of the offending one */
};

void json_split_init(struct json_split *s, const struct json_split_sink *sink);
void json_split_done(struct json_split *s);

/* ERR_DAMAGED: this is no JSON; ERR_LIMIT: an object is too large or too deep; ERR_NOMEM; what a
 * sink returned. After one of them nothing more may be given. */
int json_split_take(struct json_split *s, struct bytes piece);
/* ERR_DAMAGED: the input ends within a value. */
int json_split_end(const struct json_split *s);

#endif
