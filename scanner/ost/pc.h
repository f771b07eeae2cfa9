/*
 * pc.h: the property context: the properties of a node.
 *
 * FORMAT.md section 9 ([MS-PST] 2.3.3). Turns the B-tree of a heap with client BC into a list of
 * properties in ascending order of id; values within the heap are resolved, values in subnodes are
 * handed back by nid for the caller to resolve. One bad property costs that property. Properties of
 * id 0 name nothing and are left out.
 *
 * Ownership: the list lives in the arena, values in the heap's leaves, which must stay.
 * Threads: pure over what it is given. Errors: ERR_DAMAGED (no property context at all), ERR_NOMEM,
 * ERR_LIMIT (the arena's) and codes of the heap's blocks.
 */
#ifndef SCANNER_OST_PC_H
#define SCANNER_OST_PC_H

#include <stdbool.h>
#include <stdint.h>

#include "io/arena.h"
#include "scanner/ost/heap.h"
#include "scanner/ost/item.h"

enum ost_pc_state {
    OST_PC_VALUE,   /* prop.value is complete */
    OST_PC_SUBNODE, /* the value is the data of subnode `subnode` of this node */
    OST_PC_GUESS,   /* of an unknown type: as OST_PC_SUBNODE where there is one, else prop.value */
    OST_PC_BAD,     /* its bytes could not be found: the reference is wrong */
};

/* A property whose value is not in the heap, or nowhere, or of a type that is not known. */
struct ost_pc_open {
    uint32_t at;      /* its place in the list */
    uint32_t subnode; /* of OST_PC_SUBNODE and OST_PC_GUESS; of OST_PC_BAD the HID */
    uint8_t state;    /* enum ost_pc_state */
};

struct ost_pc {
    struct ost_prop *list; /* value empty of OST_PC_SUBNODE and OST_PC_BAD; names are left NULL */
    size_t count;
    struct ost_pc_open *open; /* in the order of the list */
    size_t open_count;
    bool damaged;   /* part of the tree could not be read: properties may be missing */
    bool unordered; /* ids were not ascending, or one came twice (the first is kept) */
};

/* One property by itself. */
struct ost_pc_entry {
    struct ost_prop prop;
    uint8_t state; /* enum ost_pc_state */
    uint32_t subnode;
};

struct ost_pc_entry ost_pc_at(const struct ost_pc *pc, size_t i);

int ost_pc_read(const struct ost_heap *heap, struct arena *arena, struct ost_pc *out);

/*
 * What is known of types: 0 nothing, else OST_TYPE_KNOWN and the width of values of a fixed size. A
 * place holds the low nine bits of a type and its OST_MULTI; types with other bits are not known.
 */
enum { OST_TYPE_KNOWN = 0x80, OST_TYPE_PLACES = 0x400, OST_TYPE_BITS = 0x11FF };

extern const uint8_t ost_types[OST_TYPE_PLACES];

static inline unsigned ost_type_info(uint16_t type)
{
    return type & ~OST_TYPE_BITS ? 0 : ost_types[(type & 0x1FF) | (type & OST_MULTI) >> 3];
}

static inline bool ost_type_known(uint16_t type) /* with OST_MULTI or without */
{
    return ost_type_info(type) != 0;
}

/* Bytes that a value of a fixed-size type has; 0: of variable size, multi-valued, or unknown. */
static inline unsigned ost_type_width(uint16_t type)
{
    return ost_type_info(type) & (unsigned)~OST_TYPE_KNOWN;
}

/*
 * The type that a stored one stands for: bit 0x2000, of unknown meaning (FORMAT.md section 9), is
 * taken off where that leaves a known type.
 */
static inline uint16_t ost_type_of(uint16_t stored)
{
    uint16_t base = stored & (uint16_t)~0x2000;

    return ost_type_known(base) ? base : stored;
}

/* The object behind a value of type OST_OBJECT: {nid, size} ([MS-PST] 2.3.3.5). False if short. */
bool ost_object_ref(struct bytes value, uint32_t *nid, uint32_t *size_bytes);

#endif
