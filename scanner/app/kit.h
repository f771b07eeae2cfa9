/*
 * kit.h: what a thread needs to read items and write their lines, kept from image to image.
 *
 * Ownership: one thread owns a kit and all in it.
 */
#ifndef SCANNER_APP_KIT_H
#define SCANNER_APP_KIT_H

#include "index/digest.h"
#include "index/dup_item.h"
#include "index/evidence.h"
#include "index/frames.h"
#include "index/hash.h"
#include "index/redact.h"
#include "index/text.h"
#include "io/arena.h"
#include "io/buf.h"
#include "io/reader.h"

struct kit {
    struct io_reader *reader;
    struct idx_digester *digester;
    struct idx_hash *hash; /* of attachment data: */
    struct ost_hasher hasher;
    struct idx_text *text;
    struct idx_log_reader log;
    struct packer *packer;
    struct idx_redactor *redactor; /* NULL: nothing is redacted */
    struct arena arena;            /* of the item in hand */
    struct buf line;               /* empty between lines */
    struct idx_digests digests;    /* of the item in hand */
    struct idx_item_places places; /* of its line, before it is redacted */
    struct dup_item dup;           /* what the duplicate index wants of it */
    struct buf note;               /* the same, packed */
};

struct kit_options {
    enum idx_algorithm digest;
    enum io_backend io;
    uint64_t read_timeout_ns; /* 0: none */
    struct bytes redact_key;  /* empty: none */
};

/* ERR_NOMEM, ERR_MFILE, ERR_SYS, ERR_UNSUPPORTED (hash.h). */
int kit_init(struct kit *k, const struct kit_options *options);
void kit_done(struct kit *k); /* all zero is allowed */

/* Redacts the record that stands in k->line, where there is a key. */
void kit_redact(struct kit *k);

/* What the duplicate index wants of the item whose line kit_item_line has just written, into
 * k->note, which is empty where that fails: of the line as it is written, so redacted with it. */
void kit_note(struct kit *k, const struct ost_item *item, const struct idx_view *view);
/* The same from the line alone, which may be that of an item that could not be read. */
void kit_note_line(struct kit *k);

/* Makes the line of an item in k->line, redacted; *view: until the next call. ERR_NOMEM. */
int kit_item_line(struct kit *k, const struct ost_item *item, struct idx_view *view);

#endif
