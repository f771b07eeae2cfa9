/*
 * fields.h: single fields out of a record, as text.
 *
 * Threads: pure functions over what they are given. Values point into the line.
 */
#ifndef INDEX_FIELDS_H
#define INDEX_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "io/buf.h"
#include "io/bytes.h"

/* More members than any record has; later ones are not seen. */
enum { IDX_FIELDS = 64 };

struct idx_fields {
    struct bytes keys[IDX_FIELDS]; /* as they stand */
    struct bytes values[IDX_FIELDS];
    size_t count;
};

/* The members of a line that is one JSON object. ERR_DAMAGED, ERR_LIMIT. */
int idx_fields_parse(struct bytes line, struct idx_fields *out);

/* The value at a path of keys joined by '.', e.g. "digest.body.text"; false: absent. */
bool idx_fields_get(const struct idx_fields *f, const char *path, struct bytes *value);

enum idx_form {
    FORM_VALUE,  /* a scalar's text; anything else as JSON */
    FORM_LIST,   /* the elements, joined by "; ": scalars, or of objects the member `of` */
    FORM_COUNT,  /* how many elements, with those that "<path>_more" tells of */
    FORM_PEOPLE, /* "name <address>", joined by "; "; of an object or a list of objects */
    FORM_HEX,    /* an integer as 0x… */
    FORM_MINUTE, /* a time as "2021-03-04 05:06" */
    FORM_WHO,    /* the name of an object, else its address */
    FORM_MARKS,  /* which of assoc, orphan, recovered, partial, failed the record says (no path) */
};

/* Appends that field in that form; nothing where it is absent. `path` may name alternatives joined
 * by '|': the first that is there. */
void idx_fields_text(const struct idx_fields *f, const char *path, enum idx_form form,
                     const char *of, struct buf *out);

#endif
