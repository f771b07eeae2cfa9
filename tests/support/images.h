/*
 * images.h: real images copied into memory, to be damaged; and a check of them whose findings are
 * kept.
 */
#ifndef TESTS_SUPPORT_IMAGES_H
#define TESTS_SUPPORT_IMAGES_H

#include <stddef.h>
#include <stdint.h>

#include "scanner/check/check.h"
#include "tests/support/ndbfile.h"

enum { IMAGES_FINDINGS = 4096, IMAGES_AFFECTED = 16 };

struct images_finding {
    struct finding f; /* its lists are not to be used */
    uint32_t items[IMAGES_AFFECTED], folders[IMAGES_AFFECTED];
};

struct images_check {
    int rc;
    struct chk_result result;
    size_t count; /* of all; only the first IMAGES_FINDINGS are kept */
    struct images_finding findings[IMAGES_FINDINGS];
};

/* A writable copy of `size` bytes (at most the file's; SIZE_MAX: all). Fails the running test. */
uint8_t *images_copy(const struct ndbfile *f, size_t *size);

/* Checks the bytes with the settings of `job` but sources, header and report (NULL: the usual). */
void images_check(const uint8_t *data, size_t size, const struct chk_job *job,
                  struct images_check *out);

/* The first finding of that code, or NULL. */
const struct images_finding *images_find(const struct images_check *c, enum finding_code code);
/* Findings of severity corrupt that do not begin in [offset, offset + length). */
size_t images_corrupt_elsewhere(const struct images_check *c, uint64_t offset, uint64_t length);
/* The same of those that do. */
size_t images_corrupt_at(const struct images_check *c, uint64_t offset, uint64_t length);
void images_print(const struct images_check *c);

#endif
