/*
 * heap_fault.h: why something on a heap could not be read, as the finding that says so.
 *
 * The readers of heaps say no more than ERR_DAMAGED; asked after that, these look again and tell
 * what is wrong. False: nothing that has a code of its own (a lost block tells of itself).
 *
 * Threads: as the heap's.
 */
#ifndef SCANNER_OST_HEAP_FAULT_H
#define SCANNER_OST_HEAP_FAULT_H

#include <stdbool.h>

#include "scanner/finding.h"
#include "scanner/ost/heap.h"

/* Of a heap that should hold the properties (OST_HEAP_PROPERTIES) or the table of a node. */
bool ost_heap_fault(enum ost_format format, struct ost_leaves leaves, uint8_t client,
                    enum finding_code *out);

/* Of one item. */
bool ost_heap_item_fault(const struct ost_heap *h, uint32_t hid, enum finding_code *out);

#endif
