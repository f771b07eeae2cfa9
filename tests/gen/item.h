/*
 * item.h: items as content: what is in them, before any image's form.
 *
 * item_make is a pure function of (seed, plan): the same item comes out for every format, cipher
 * and target, which is what the tests of digests rest on. Named properties carry names.h's numbers.
 *
 * Ownership: everything an item points to lives in the arena given. Threads: a maker to one thread.
 */
#ifndef TESTS_GEN_ITEM_H
#define TESTS_GEN_ITEM_H

#include "tests/gen/bag.h"
#include "tests/gen/names.h"
#include "tests/gen/text.h"

enum item_kind {
    ITEM_MAIL,
    ITEM_APPOINTMENT,
    ITEM_MEETING,
    ITEM_CONTACT,
    ITEM_DISTLIST,
    ITEM_TASK,
    ITEM_NOTE,
    ITEM_JOURNAL,
    ITEM_POST,
    ITEM_REPORT,
    ITEM_DOCUMENT,
    ITEM_SHARING,
    ITEM_PERSON,
    ITEM_CONFIG, /* associated */
    ITEM_VIEW,   /* associated */
    ITEM_KINDS,
};

/* What an item is to have beyond its kind's usual. */
enum item_feature {
    FEATURE_MANY_RECIPIENTS = 1 << 0, /* 500 */
    FEATURE_EMBEDDED = 1 << 1,        /* items within items, `number` deep */
    FEATURE_MANY_PROPS = 1 << 2,      /* the 600 extra named properties */
    FEATURE_ATTACHMENTS = 1 << 3,     /* `number` of them */
    FEATURE_BARE = 1 << 4,            /* no subject, no body, no Message-ID */
    FEATURE_BIG_ATTACHMENT = 1 << 5,  /* `number` bytes */
    FEATURE_HEADER_ONLY = 1 << 6,     /* as Outlook holds it when only headers were fetched */
    FEATURE_REFERENCES = 1 << 7,      /* attachments by reference, and an OLE object */
    FEATURE_BODIES = 1 << 8,          /* text, HTML and RTF, all */
    FEATURE_SYNC_LOG = 1 << 9,        /* a synchronisation log */
    FEATURE_MANY_VALUES = 1 << 10,    /* `number` values too long for the heap */
    FEATURE_ODD_VALUES = 1 << 11,     /* empty values, multi-values, lone surrogates where wide */
};

/* The one field in which a near-duplicate, or the server's copy, differs. */
enum item_change {
    CHANGE_NONE,
    CHANGE_SUBJECT,
    CHANGE_SENDER,
    CHANGE_TO,
    CHANGE_CC,
    CHANGE_SUBMIT,
    CHANGE_BODY,
    CHANGE_ATTACHMENT_NAME,
    CHANGE_ATTACHMENT_DATA,
    CHANGE_MESSAGE_ID,
    CHANGE_STATE,
    CHANGE_NAMED,
    CHANGE_CLASS,
    CHANGE_BCC,
    CHANGE_SEARCH_KEY,
    CHANGE_NO_MESSAGE_ID, /* it has none */
    CHANGE_COUNT,
};

/* Whose form an OST's change key of an item has. */
enum item_key {
    KEY_USUAL, /* a client's in one of ten, else a server's */
    KEY_SERVER,
    KEY_CLIENT,
    KEY_NONE,
};

struct plan {
    uint64_t content; /* number of the item's content: the same number, the same item */
    enum item_kind kind;
    uint32_t features;
    uint64_t number; /* of the features that have one */
    uint32_t language;
    enum item_change change;
    uint64_t position; /* of the copy: what its change key is made of */
    bool changed_here; /* its change key is another than the other side's */
    bool old;          /* ten years older: outside of what a client holds */
    enum item_key key;
    bool unsent; /* flagged as such */
};

struct recipient {
    uint8_t type; /* 1 To, 2 Cc, 3 Bcc */
    struct person person;
};

struct item;

struct attachment {
    const char *name, *mime; /* mime may be NULL */
    uint32_t method;
    const uint8_t *data; /* NULL: size bytes of the stream `stream` (stream.h) */
    uint64_t size, stream;
    struct item *embedded;
    const char *path;   /* by reference */
    uint32_t nid;       /* in the image it was written to last */
    uint8_t digest[16]; /* of the data then written: XXH3-128, canonical */
    bool inline_image;
};

struct item {
    struct plan plan;
    bool assoc;
    const struct language *language;
    const char *class;
    const char *subject;    /* without the marker; NULL none */
    const char *message_id; /* NULL none */
    struct person sender;
    bool has_sender;
    uint64_t submitted, delivered, created, modified; /* FILETIME, 0 none */
    uint8_t search_key[16];
    uint32_t flags;            /* 0E07 */
    const char *text;          /* NULL none */
    const uint8_t *html, *rtf; /* rtf: before compression */
    size_t html_size, rtf_size;
    struct recipient *recipients;
    size_t recipient_count;
    struct attachment *attachments;
    size_t attachment_count;
    struct bag bag; /* unsorted; without bodies' RTF, recipients, attachments, store properties */
};

struct maker {
    const struct corpus *corpus;
    uint64_t seed;
    uint32_t mail_html_bytes, mail_text_bytes; /* averages */
    uint32_t attach_percent;
    uint64_t attach_min, attach_max; /* data bytes; most near the minimum */
    struct buf scratch;
};

const char *item_kind_name(enum item_kind kind);
const char *item_change_name(enum item_change change);

/* NULL when the arena refuses. */
struct item *item_make(struct maker *m, struct arena *arena, const struct plan *plan);

/* Parts of item_make, by kind: make_mail.c, make_other.c. */
void make_mail(struct maker *m, struct item *it, struct rng *r);
void make_other(struct maker *m, struct item *it, struct rng *r);

/* Shared by them. */
void make_person_props(struct item *it, const struct person *p);
void make_subject(struct item *it, const char *prefix, const char *subject);
void make_bodies(struct maker *m, struct item *it, struct rng *r, size_t text_bytes,
                 size_t html_bytes, size_t rtf_bytes);
void make_attachment(struct maker *m, struct item *it, struct rng *r, uint64_t size);
struct attachment *make_attachment_slot(struct item *it);
char *make_string(struct maker *m, struct item *it); /* what is in scratch; resets it */
void make_entry_id(struct bag *bag, uint16_t id, const struct person *p);
void make_search_key(struct bag *bag, uint16_t id, const struct person *p);

#endif
