/*
 * tinymessage.h: messages of a tiny image (tinyimage.h): recipients, attachments, embedded items.
 */
#ifndef TESTS_SUPPORT_TINYMESSAGE_H
#define TESTS_SUPPORT_TINYMESSAGE_H

#include "tests/support/tinyimage.h"

enum { TINY_SUBJECT = 0x0037, TINY_BODY = 0x1000, TINY_BODY_SUBNODE = 0x5F };

/* A table of rows that have an id and a text (0x3001); NULL: that cell is absent. */
struct ost_subnode tiny_table(struct tiny *t, uint32_t nid, const uint32_t *ids,
                              const char *const *texts, unsigned count);

/* An attachment by value: `size` bytes of `data`, in a subnode. */
struct ost_subnode tiny_attachment(struct tiny *t, uint32_t nid, const void *data, size_t size);
/* An attachment whose data is an object: another message (method 5) or storage (method 6). */
struct ost_subnode tiny_object_attachment(struct tiny *t, uint32_t nid, int32_t method,
                                          struct ost_subnode object);

/*
 * A message with that subject and those subnodes (ascending nids: attachments after 0x671), plus a
 * body of `body_size` bytes in a subnode when above 0. Its roots are returned with `nid`.
 */
struct ost_subnode tiny_message(struct tiny *t, uint32_t nid, const char *subject,
                                const struct ost_subnode *subnodes, unsigned count,
                                size_t body_size);

/*
 * A whole mailbox of all of this, finished: the store, names, the root folder and an inbox with
 * tables, a message with recipients and attachments (by value, embedded, storage), one with a large
 * body, an associated one; nids below.
 */
void tiny_mailbox(struct tiny *t, enum ost_format format);

enum {
    TINY_INBOX = 0x8022,
    TINY_RICH = 0x200024, /* in the inbox */
    TINY_LARGE = 0x200044,
    TINY_ASSOC = 0x200068,
    TINY_ORPHAN = 0x200084, /* no row names it */
    TINY_LOST = 0x2000A4,   /* its folder is missing */
};

#endif
