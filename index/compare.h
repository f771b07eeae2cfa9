/*
 * compare.h: what differs between an image and the server's side of it (COMPARE.md).
 *
 * Every item of the image has one outcome, and so has every item of the server's that has no
 * counterpart. What the inputs do not prove is not_comparable, with the reason. Nothing here says
 * that anything may be deleted.
 *
 * Memory: `memory_bytes`, and for each folder about 300 bytes.
 * Threads: one.
 */
#ifndef INDEX_COMPARE_H
#define INDEX_COMPARE_H

#include "index/compare_join.h"

enum cmp_outcome {
    CMP_SAME,
    CMP_MOVED,
    CMP_STATE_DIFFERS,
    CMP_CONTENT_DIFFERS,
    CMP_ONLY_OST,
    CMP_ONLY_SERVER,
    CMP_OUTSIDE_WINDOW,
    CMP_HEADER_ONLY,
    CMP_AMBIGUOUS,
    CMP_NOT_COMPARABLE,
    CMP_OUTCOMES
};

const char *cmp_outcome_name(enum cmp_outcome outcome); /* "same" … */

/* Why an item is not_comparable. */
enum cmp_why {
    CMP_WHY_NONE,
    CMP_WHY_UNREADABLE,        /* nothing of it could be read */
    CMP_WHY_PARTIAL,           /* found, but it could not be read whole */
    CMP_WHY_STALE,             /* its node may be one of a deleted item */
    CMP_WHY_COUNTS_ONLY,       /* the input has counts alone */
    CMP_WHY_SHALLOW,           /* found, but the input says too little of it */
    CMP_WHY_NO_KEY,            /* it has no key that the other side has */
    CMP_WHY_NOT_LISTED,        /* the input does not list the items of its folder */
    CMP_WHY_SERVER_INCOMPLETE, /* the server's side was not read to its end */
    CMP_WHY_IMAGE_INCOMPLETE,  /* the image's was not */
    CMP_WHY_HIDDEN,            /* in a folder that no mailbox shows, which the other side lacks */
    CMP_WHY_RECOVERABLE,       /* in Recoverable Items, which no client holds */
    CMP_WHY_ARCHIVE,           /* in an archive mailbox */
    CMP_WHY_NO_DATE,           /* without a date there is no telling whether it is in the window */
    CMP_WHY_NO_WINDOW,         /* nothing shows which window the image holds */
    CMP_WHYS
};

const char *cmp_why_name(enum cmp_why why);
const char *cmp_why_text(enum cmp_why why); /* for people */

/* What a store holds: items from a date on. */
enum cmp_window_basis {
    CMP_WINDOW_ALL,    /* everything */
    CMP_WINDOW_GIVEN,  /* by the user */
    CMP_WINDOW_FOLDER, /* the oldest item that the folder holds */
    CMP_WINDOW_STORE,  /* the folder holds none: the oldest of all mail folders */
    CMP_WINDOW_NONE,   /* nothing shows it */
};

const char *cmp_window_name(enum cmp_window_basis basis);

struct cmp_window {
    enum cmp_window_basis basis;
    int64_t from; /* seconds since 1970, for GIVEN, FOLDER, STORE */
};

/* Of one folder, or of all. */
struct cmp_tally {
    uint64_t image, server;       /* items of each side */
    uint64_t found, found_server; /* … that have a counterpart */
    uint64_t outcomes[CMP_OUTCOMES];
    uint64_t whys[CMP_WHYS];
    uint64_t only_image_bytes, only_server_bytes;
    uint64_t only_image_copies; /* of only_ost: an exact copy of it is on the server */
    uint64_t only_server_later; /* of only_server: later than the last change of the image's file */
    uint64_t altered;           /* of content_differs: under the same change key */
};

struct cmp_folder_result {
    uint32_t number; /* unified */
    bool hidden;     /* it lies beside the mailbox's top folder, as the free/busy data do */
    const struct cmp_folder *image, *server; /* NULL: that side has none */
    struct cmp_window window;                /* of the image */
    struct cmp_tally tally;
    bool has_count, and_hidden; /* what the server states */
    uint64_t count;
    /* By the counts alone: at most one is not 0, and only where it tells. */
    int64_t deficit, surplus;
};

struct cmp_item_result {
    const struct cmp_folder_result *folder; /* NULL: of no known folder */
    enum cmp_outcome outcome;
    enum cmp_why why;
    bool has_counterpart;
    enum cmp_key by;                       /* joined by, with a counterpart */
    bool moved;                            /* … in another folder */
    const struct cmp_folder_result *other; /* … which one, where it is known */
    bool copy;                             /* only_ost: an exact copy of it is on the server */
    unsigned differs;                      /* 1 << enum cmp_part */
    unsigned contradicts; /* 1 << enum cmp_key: keys that are not the same nevertheless */
    unsigned supports;    /* 1: mid, 2: source key */
    const struct cmp_entry *image, *server; /* NULL: not there */
    struct bytes detail;                    /* JSON object, of the image's where there is one */
};

/* What compare found out about one image: what a verdict rests on. Lives as long as the call that
 * hands it out. */
struct cmp_result {
    const struct cmp_side *image, *server;
    const struct cmp_folder_result *folders;
    size_t folder_count;
    struct cmp_tally total;
    uint16_t keys;       /* 1 << enum cmp_key: that both sides have */
    bool items_compared; /* false: counts alone, or no key in common */
    bool whole;          /* both sides complete, and every item of the image was either found or is
                            only_ost: nothing is left open */
    bool different;      /* something differs: what --fail-on difference asks for */
    bool digests_differ; /* the sides' digests are of different algorithms or rules */
    bool before_after;   /* both sides are OSTs */
    uint64_t folders_deficit, folders_surplus; /* by counts alone */
    struct cmp_window window; /* of all mail folders, for what has no folder of its own */
};

/* Appends the path of a folder (cmp_side_path): the image's, else the server's; or the server's
 * own, nothing where it has none. */
void cmp_folder_path(const struct cmp_result *r, const struct cmp_folder_result *f, bool server,
                     struct buf *out);

struct cmp_sink {
    void *ctx;
    bool wants_same; /* items that are the same, too */
    /* The totals are known from the beginning. */
    int (*begin)(void *ctx, const struct cmp_result *r);
    int (*folder)(void *ctx, const struct cmp_result *r, const struct cmp_folder_result *f);
    /* In the order of folders, outcomes, and places in the image. */
    int (*item)(void *ctx, const struct cmp_result *r, const struct cmp_item_result *i);
    int (*end)(void *ctx, const struct cmp_result *r);
};

struct cmp_options {
    uint64_t memory_bytes;
    const char *temp_dir;
    const atomic_bool *cancel; /* may be NULL */
    bool window_given;
    struct cmp_window window; /* ALL or GIVEN */
};

/* Compares two sides that were read. ERR_NOMEM, ERR_CANCELLED, what a sink returned, codes of files
 * with *fault. */
int cmp_compare(struct cmp_side *image, struct cmp_side *server, const struct cmp_options *options,
                const struct cmp_sink *sinks, size_t sink_count, struct fault *fault);

#endif
