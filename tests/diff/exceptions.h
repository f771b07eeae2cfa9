/*
 * exceptions.h: where the engines may differ, and what proves that libpff is the one that is wrong.
 *
 * A list is a file of lines with the columns below, separated by tabs; '#' begins a comment.
 *
 *   image    a file's name; * and ? as in the shell
 *   nid      of the folder or item, hexadecimal; * any
 *   key      of the fact (facts.h); * and ? as in the shell
 *   count    how many differences of that image it accounts for: exactly so many; * any number
 *   native   what each engine says: as compare_text writes it; * anything; "zero" an empty value or
 *   libpff   one of zero bytes
 *   proof    what is checked of each of these differences:
 *            cell             the cell exists by its row's bitmap, as a third reading finds
 * (cells.h) masked           libpff's digest is that of the native item without such cells plain
 * all that the native engine says of this node is what it says of it in the same image written
 * without cipher and compression, of which both engines agree crash            the same, and libpff
 * crashed before it came to this node unopened         libpff does not open the image: its header's
 * checksum is wrong block BID AT HEX the image's own bytes: the decoded block of that bid holds
 * these at that place (all hexadecimal); more of them follow after "; " reason   for people
 *
 * Of several lines that fit a difference the first whose proof holds accounts for it.
 *
 * Failures fail the running test. Threads: one.
 */
#ifndef TESTS_DIFF_EXCEPTIONS_H
#define TESTS_DIFF_EXCEPTIONS_H

#include "tests/diff/cells.h"
#include "tests/diff/compare.h"

struct exception;

struct judge {
    struct exception *list;
    size_t count;
    char *text;
    /* of all images so far */
    uint64_t images, facts, excused, alone, cells;
    uint64_t wrong; /* differences that nothing excuses, and exceptions that are not met */
    /* the image at hand */
    const char *image;
    const struct facts *native, *libpff, *plain;
    struct cells *witness;
    uint32_t last_node;      /* of which libpff said something */
    bool proved_any, proved; /* whether proved_nid is as in the plain twin */
    uint32_t proved_nid;
};

void judge_init(struct judge *j, const char *path);
void judge_done(struct judge *j);

/* Compares what both engines said of the image at `path`, called `name`. plain: what the native one
 * said of its plain twin, or NULL. What is wrong is printed and counted. */
void judge_image(struct judge *j, const char *name, const char *path, const struct facts *native,
                 const struct facts *libpff, const struct facts *plain);

/* Prints the totals, and fails the running test when anything was wrong. all: every image of the
 * list was there, so an exception that met none is wrong. */
void judge_conclude(struct judge *j, bool all);

#endif
