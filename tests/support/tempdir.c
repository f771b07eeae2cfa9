/* tempdir.c: see tempdir.h. */
#include "tests/support/tempdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ftw.h>
#include <cmocka.h>

#include "io/mem.h"

const char *tempdir_make(void)
{
    const char *parent = getenv("TMPDIR");
    char path[4096];

    snprintf(path, sizeof path, "%s/ostscan-test-XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(path))
        fail_msg("no temporary folder %s", path);
    return mem_strdup(path);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void tempdir_remove(const char *path)
{
    if (!path)
        return;
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    mem_free((char *)path);
}
