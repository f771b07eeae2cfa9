/*
 * tree.h: data trees (XBLOCK, XXBLOCK) and subnode trees (SLBLOCK, SIBLOCK), for writing.
 *
 * Errors are kept in the image. Threads: one.
 */
#ifndef TESTS_GEN_TREE_H
#define TESTS_GEN_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "tests/gen/image.h"

/* A growing list of leaves. */
struct data_tree {
    struct image *img;
    uint64_t *leaves;
    size_t count, capacity;
    uint64_t total;
};

void data_tree_init(struct data_tree *t, struct image *img);
void data_tree_done(struct data_tree *t);
void data_tree_reset(struct data_tree *t);
/* A leaf that was, or will be, written under this BID with that size. */
void data_tree_add(struct data_tree *t, uint64_t bid, size_t size);
/* Root of the tree: the leaf itself if there is one, 0 if there is none. */
uint64_t data_tree_finish(struct data_tree *t);

/* A whole value as a data tree. size 0 gives 0. */
uint64_t data_write(struct image *img, const void *data, size_t size);

struct subnode {
    uint32_t nid;
    uint64_t data, sub;
};

struct subnodes {
    struct subnode *list;
    size_t count, capacity;
};

void subnodes_done(struct subnodes *s);
void subnodes_add(struct image *img, struct subnodes *s, uint32_t nid, uint64_t data, uint64_t sub);
/* Sorts and writes them; the root's BID, 0 if there are none. Empties the list. */
uint64_t subnodes_write(struct image *img, struct subnodes *s);

/* Damage made while writing: what the next subnode tree that fits is to be given. */
enum subnode_flaw { SUBNODE_SOUND, SUBNODE_ORDER, SUBNODE_DANGLING, SUBNODE_CYCLE };
uint64_t subnodes_write_flawed(struct image *img, struct subnodes *s, enum subnode_flaw flaw);

#endif
