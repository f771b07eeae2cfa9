/*
 * trees.h: data trees and subnode trees, when all internal blocks have passed.
 *
 * Threads: one.
 */
#ifndef SCANNER_CHECK_TREES_H
#define SCANNER_CHECK_TREES_H

#include "scanner/check/state.h"

/* Compares the levels of all trees with each other and looks for trees that contain themselves. A
 * reference that cannot be meant is taken out of the links. ERR_LIMIT, ERR_NOMEM. */
int chk_trees(struct chk_state *s);

#endif
