/*
 * wire.h: the byte protocol by which the libpff child tells its parent what it reads.
 *
 * A stream of frames: u8 kind, u32 length, payload. This header holds the layout and the encoder
 * (the child's side); decode.h is the parent's side, which believes nothing of it.
 *
 * Threads: an encoder belongs to one thread.
 */
#ifndef SCANNER_REF_WIRE_H
#define SCANNER_REF_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/buf.h"
#include "scanner/finding.h"
#include "scanner/ost/item.h"

/* See wire.c for the grammar. Payloads are little-endian, without padding, in the order given. */
enum wire_kind {
    WIRE_IMAGE = 1,  /* u64 nodes, u64 messages, u32 code page, u32 receive folder */
    WIRE_FOLDER,     /* u32 nid, parent, code page, u8 flags, u64 rows, assoc rows, items, assoc */
    WIRE_ITEM,       /* u32 nid, folder, code page, u8 flags */
    WIRE_PROP,       /* u16 id, type, u8 name (enum wire_name), name, value to the frame's end */
    WIRE_ROW,        /* as WIRE_PROP: a property of the contents row */
    WIRE_RECIPIENT,  /* nothing */
    WIRE_ATTACHMENT, /* u32 nid, i32 method, u8 flags */
    WIRE_DATA,       /* nothing: the attachment's data follows */
    WIRE_CHUNK,      /* 1 to WIRE_CHUNK_MAX bytes of it */
    WIRE_DAMAGE,     /* u16 code */
    WIRE_END,        /* u8: 1, or after WIRE_DATA 0 when the data could not be read whole */
    WIRE_FAILED,     /* u32 nid, folder, u8 flags, text: why */
    WIRE_FINDING,    /* u16 code, u32 nid, folder (0: none), u64 offset, length (0: none), text */
    WIRE_PROGRESS,   /* u64 bytes */
    WIRE_DONE,       /* nothing: the image was read to its end, or given up with a finding */
};

/* Behind a property's type: nothing; GUID and u32 number; GUID, u32 size and UTF-16LE text. */
enum wire_name { WIRE_NAME_NONE, WIRE_NAME_NUMBER, WIRE_NAME_TEXT, WIRE_NAMES };

enum {
    WIRE_HEAD = 5,
    WIRE_CHUNK_MAX = 1 << 20,
    WIRE_TEXT_MAX = 200,  /* printable ASCII */
    WIRE_NAME_MAX = 2048, /* bytes of a name's text; MAPI allows 254 characters */
    WIRE_PROP_HEAD_MAX = 5 + 16 + 4 + WIRE_NAME_MAX,
    WIRE_FLAG_ASSOC = 1,      /* item, failed */
    WIRE_FLAG_ORPHAN = 2,     /* item */
    WIRE_FLAG_ROWS = 1,       /* folder: the contents table could be read */
    WIRE_FLAG_ASSOC_ROWS = 2, /* folder: the associated table could be read */
    WIRE_FLAG_DEPTH = 1,      /* attachment: its item lies too deep to be read */
};

/* True if a value of that type may have that many bytes: its natural width, or 0 (empty) for the
 * types that are stored by reference. Types that are not known have no width. */
bool wire_width_fits(uint16_t type, size_t size);

/* Frames wait in `out` until wire_flush writes them to `fd`. A failed write or allocation sticks:
 * wire_flush and every later call give the same code. */
struct wire {
    int fd;
    int error;
    struct buf out;
};

void wire_init(struct wire *w, int fd);
void wire_done(struct wire *w);
int wire_flush(struct wire *w); /* ERR_NOMEM, ERR_CHILD: nobody listens any more */

/* Each container is closed by wire_end. receive_folder: roles.h. */
void wire_image(struct wire *w, uint64_t nodes, uint64_t messages, uint32_t codepage,
                uint32_t receive_folder);
void wire_folder(struct wire *w, const struct ost_folder *folder); /* without its properties */
void wire_item(struct wire *w, const struct ost_item *item);       /* nid to codepage only */
void wire_prop(struct wire *w, enum wire_kind kind, const struct ost_prop *prop);
void wire_attachment(struct wire *w, uint32_t nid, int32_t method, bool too_deep);
void wire_begin(struct wire *w, enum wire_kind kind); /* WIRE_RECIPIENT, WIRE_DATA */
void wire_chunk(struct wire *w, struct bytes data);   /* any size, cut into frames */
void wire_damage(struct wire *w, enum finding_code code);
void wire_end(struct wire *w, bool whole);

void wire_failed(struct wire *w, uint32_t nid, uint32_t folder, bool assoc, const char *why);
/* finding: code, nid, offset and length, folder_count 0 or 1, detail. */
void wire_finding(struct wire *w, const struct finding *finding);
void wire_progress(struct wire *w, uint64_t bytes);
void wire_finish(struct wire *w); /* WIRE_DONE */

#endif
