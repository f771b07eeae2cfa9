/*
 * finding.h: what is wrong in an image, as data.
 *
 * The list of codes stands in finding_codes.h, one line each: name, layer, usual severity, the
 * evidence its statement rests on (FORMAT.md's tags), and a sentence. A code whose evidence is SRC
 * or SYN is never corrupt.
 *
 * Threads: plain data; the tables are constant.
 */
#ifndef SCANNER_FINDING_H
#define SCANNER_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum finding_layer {
    LAYER_IO,
    LAYER_HEADER,
    LAYER_PAGE,
    LAYER_BLOCK,
    LAYER_BTREE,
    LAYER_ALLOC,
    LAYER_HEAP,
    LAYER_TABLE,
    LAYER_OBJECT,
    LAYER_ITEM,
};

enum finding_severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CORRUPT };

enum finding_code {
#define FINDING(name, layer, severity, evidence, text) F_##name,
#include "scanner/finding_codes.h"
#undef FINDING
    FINDING_CODES
};

struct finding_info {
    const char *name; /* lower case, as written in manifests */
    enum finding_layer layer;
    enum finding_severity severity;
    const char *evidence; /* "R4", "R5", "R4,R5", "SRC", "SYN", "-": needs none (I/O) */
    const char *text;     /* one sentence for a person, without a full stop */
};

/* The entry of a code below FINDING_CODES (assert). */
const struct finding_info *finding_info(enum finding_code code);
const char *finding_layer_name(enum finding_layer layer);
const char *finding_severity_name(enum finding_severity severity);

/*
 * One finding. Numbers that do not apply have their has_ flag false. items/folders: nids that it
 * affects, owned by whoever made the finding, valid during the sink call.
 */
struct finding {
    enum finding_code code;
    enum finding_severity severity;
    bool has_offset, has_bid, has_nid, has_expected, has_actual;
    uint64_t offset, length; /* bytes of the image; length 0 unknown */
    uint64_t bid;
    uint32_t nid;
    uint64_t expected, actual;
    const uint32_t *items;
    size_t item_count;
    const uint32_t *folders;
    size_t folder_count;
    const char *detail; /* appended to the code's text after ": ", or NULL */
};

/* A finding of `code` with its usual severity and nothing else. */
struct finding finding_of(enum finding_code code);

/* The order of manifests: offset (absent last), code name, bid, nid, expected, actual; <0, 0, >0. */
int finding_compare(const struct finding *a, const struct finding *b);

#endif
