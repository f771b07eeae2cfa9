/*
 * item.h: the engine-neutral item: what an engine hands out, whichever engine it is.
 *
 * Property values stand as MAPI stores them ([MS-PST] 2.3.3, FORMAT.md section 9), little-endian,
 * whatever held them: inline values at their natural width (i16 2 bytes, i32/f32/error 4, bool 1,
 * 8-byte types 8, GUID 16), PtypString UTF-16LE without terminator, PtypString8 as stored bytes in
 * the item's code page, PtypBinary and kin as they are, fixed multi-values packed, variable ones as
 * u32 count, u32 offsets[count] from the start of the value, data. An empty value has size 0.
 * The subject keeps its prefix marker. Nothing is validated beyond lengths: readers bound it.
 *
 * Ownership: everything an item points to lives in the engine's arena until the sink returns.
 * Threads: an item belongs to the thread in whose sink call it was handed out.
 */
#ifndef SCANNER_OST_ITEM_H
#define SCANNER_OST_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/bytes.h"

/* Property types used by name ([MS-OXCDATA] 2.11.1). OST_MULTI is or-ed in for multi-values. */
enum ost_type {
    OST_I16 = 0x0002,
    OST_I32 = 0x0003,
    OST_F32 = 0x0004,
    OST_F64 = 0x0005,
    OST_CURRENCY = 0x0006,
    OST_APPTIME = 0x0007,
    OST_ERROR = 0x000A,
    OST_BOOL = 0x000B,
    OST_OBJECT = 0x000D,
    OST_I64 = 0x0014,
    OST_STRING8 = 0x001E,
    OST_UNICODE = 0x001F,
    OST_TIME = 0x0040,
    OST_GUID = 0x0048,
    OST_SERVERID = 0x00FB,
    OST_RESTRICTION = 0x00FD,
    OST_ACTIONS = 0x00FE,
    OST_BINARY = 0x0102,
    OST_MULTI = 0x1000,
};

/* Whose name a local property id (0x8000 and above) has in this file. Text is UTF-16LE. */
struct ost_name {
    uint8_t guid[16]; /* as stored; all zero when the map names no set */
    bool is_text;
    uint32_t number;   /* LID, when !is_text */
    struct bytes text; /* when is_text */
};

struct ost_prop {
    uint16_t id;
    uint16_t type;
    const struct ost_name *name; /* of ids from 0x8000; NULL where the map has none */
    struct bytes value;
};

/* Properties in ascending order of id, at most one of each id. */
struct ost_props {
    const struct ost_prop *list;
    size_t count;
};

/* The property of that id and type, or NULL. type 0: any type. String types match each other. */
const struct ost_prop *ost_props_find(struct ost_props props, uint16_t id, uint16_t type);

/* The properties of `count` ids that ascend, NULL where there is none: of many at once in one pass.
 */
void ost_props_pick(struct ost_props props, const uint16_t *ids, size_t count,
                    const struct ost_prop **out);
/* As ost_props_find compares types. p NULL: false. */
bool ost_prop_is(const struct ost_prop *p, uint16_t type);

/* Digest of a byte stream by the hasher given to the engine; size 16 (XXH3-128, canonical) or 32
 * (SHA-256); 0: none, the bytes could not be read whole. */
struct ost_digest {
    uint8_t bytes[32];
    uint8_t size;
};

struct ost_item;

struct ost_attachment {
    uint32_t nid;
    struct ost_props props;          /* without the data (0x3701) */
    int32_t method;                  /* 0x3705 ([MS-OXCMSG] 2.2.2.9), -1 absent */
    bool has_data;                   /* 0x3701 is there as bytes, or as storage (method 6) */
    uint64_t data_bytes;             /* bytes that were read of it */
    struct ost_digest data_digest;   /* of all of them; size 0 where it could not be read whole */
    const struct ost_item *embedded; /* method 5, else NULL */
    bool truncated_depth; /* there is an embedded item below the depth that is read (limits.h) */
};

/* One reason why an item is partial. code: enum finding_code (finding.h). */
struct ost_damage {
    uint16_t code;
    bool has_bid;
    bool has_offset;
    uint64_t bid;
    uint64_t offset;
};

struct ost_item {
    uint32_t nid;
    uint32_t folder; /* nid of its parent; 0 for an embedded item */
    bool assoc;
    bool orphan;       /* its folder is missing, or no contents row names it */
    bool recovered;    /* its node was found by carving */
    uint64_t order;    /* sweep key: highest offset among its blocks; 0 from the libpff engine */
    uint32_t codepage; /* of its string8 values: message's, else store's, else 1252 */
    struct ost_props props;
    struct ost_props row; /* from its contents row: 0x3008, 0x65E2, 0x65E3 where props lack them */
    const struct ost_props *recipients;
    size_t recipient_count;
    const struct ost_attachment *attachments;
    size_t attachment_count;
    const struct ost_damage *damage; /* not empty: the item is partial */
    size_t damage_count;
};

/* A folder, with its own properties and the counts of what hangs below it. */
struct ost_folder {
    uint32_t nid;
    uint32_t parent; /* nid; the root folder is its own parent; 0 unknown */
    uint32_t codepage;
    const char *role; /* roles.h; static text or NULL */
    struct ost_props props;
    bool has_rows, has_assoc_rows; /* the contents / associated table could be read */
    uint64_t rows, assoc_rows;
    uint64_t items, assoc; /* message nodes whose parent it is, normal and associated */
};

/* What the image says of itself. Absent things are 0 / NULL / false. */
struct ost_image {
    uint8_t content; /* enum ost_content (header.h) */
    uint8_t format;  /* enum ost_format */
    uint8_t crypt;
    uint16_t version;
    uint32_t unique;
    uint32_t codepage;
    struct ost_props store; /* of node 0x21 */
    const char *account;    /* "exchange" "imap" "other" "unknown" */
    bool has_blocks, has_nodes, has_allocated;
    uint64_t blocks, nodes, allocated_bytes;
};

/* A streaming digest that the layer above gives an engine for attachment data. begin returns NULL
 * when out of memory. end frees the state; abort frees it unfinished. An engine's job ends or
 * aborts one state before it begins another. */
struct ost_hasher {
    void *ctx;
    void *(*begin)(void *ctx);
    void (*update)(void *state, const void *data, size_t size);
    void (*end)(void *state, struct ost_digest *out);
    void (*abort)(void *state);
};

#endif
