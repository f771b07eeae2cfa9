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

struct ost_pc_entry {
    struct ost_prop prop; /* value empty of OST_PC_SUBNODE and OST_PC_BAD; name is left NULL */
    uint8_t state;        /* enum ost_pc_state */
    uint32_t subnode;     /* of OST_PC_SUBNODE and OST_PC_GUESS; of OST_PC_BAD the HID */
    uint32_t stored_at;   /* its place in the stored order */
};

struct ost_pc {
    struct ost_pc_entry *list;
    size_t count;
    bool damaged;   /* part of the tree could not be read: properties may be missing */
    bool unordered; /* ids were not ascending, or one came twice (the first is kept) */
};

int ost_pc_read(const struct ost_heap *heap, struct arena *arena, struct ost_pc *out);

/*
 * The type that a stored one stands for: bit 0x2000, of unknown meaning (FORMAT.md section 9), is
 * taken off where that leaves a known type.
 */
uint16_t ost_type_of(uint16_t stored);
bool ost_type_known(uint16_t type); /* with OST_MULTI or without */

/* Bytes that a value of a fixed-size type has; 0: of variable size, multi-valued, or unknown. */
unsigned ost_type_width(uint16_t type);

/* The object behind a value of type OST_OBJECT: {nid, size} ([MS-PST] 2.3.3.5). False if short. */
bool ost_object_ref(struct bytes value, uint32_t *nid, uint32_t *size_bytes);

#endif
