/*
 * show.h: manifest lines for people and for other programs.
 *
 * Lines go in one by one, output goes to a callback. SHOW_TABLE: folders, items and findings as
 * aligned tables that fit `width` columns (text is cut with "…", numbers never), other records as
 * "name  value" lists; control characters, bidirectional controls and what is no Unicode are
 * written as \n or \u{9b}. SHOW_JSON: lines as they are. SHOW_CSV: RFC 4180, with one header line;
 * the columns of each type stand in MANIFEST.md, and with several types `type` comes first and the
 * columns are those of all of them, a name once.
 *
 * Threads: a shower belongs to one thread.
 * Memory: the first SHOW_SAMPLE rows of a table, from which its columns' widths are taken.
 */
#ifndef INDEX_SHOW_H
#define INDEX_SHOW_H

#include <stddef.h>

#include "index/manifest.h"
#include "io/bytes.h"

enum idx_show_format { SHOW_TABLE, SHOW_JSON, SHOW_CSV };

enum { SHOW_SAMPLE = 500, SHOW_WIDTH_MIN = 40, SHOW_ALL_TYPES = (1 << IDX_RECORDS) - 1 };

struct idx_show_options {
    enum idx_show_format format;
    unsigned types; /* bit set of 1 << enum idx_record */
    unsigned width; /* of a table, in terminal columns; 0: rows as long as they are */
};

/* Takes output; anything but 0 ends the showing and is returned. */
typedef int (*idx_show_write)(void *ctx, const void *data, size_t size);

struct idx_show;

int idx_show_create(const struct idx_show_options *options, idx_show_write write, void *ctx,
                    struct idx_show **out); /* ERR_NOMEM */
/* One line with its '\n', of that type. ERR_NOMEM; ERR_DAMAGED: no JSON object (nothing of it is
 * shown, and the next line may follow); what `write` returned. */
int idx_show_line(struct idx_show *s, enum idx_record type, struct bytes line);
/* What is still held back; a CSV without rows gets its header line here. */
int idx_show_end(struct idx_show *s);
void idx_show_destroy(struct idx_show *s); /* NULL is allowed */

/*
 * "item,finding" to a bit set of types. ERR_USAGE for a name that is no type (and for no name at
 * all).
 */
int idx_show_types(const char *list, unsigned *types);

#endif
