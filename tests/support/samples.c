/* samples.c: see samples.h. */
#include "tests/support/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char *first_readable(const char *const folders[], const char *name)
{
    static char paths[8][4096];
    static unsigned turn;
    char *path = paths[turn++ % 8];

    for (unsigned i = 0; folders[i]; i++) {
        snprintf(path, sizeof paths[0], "%s/%s", folders[i], name);
        if (access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

const char *sample_path(const char *name)
{
    static const char *const folders[] = {"build/samples", NULL};

    return first_readable(folders, name);
}

const char *corpus_path(const char *name)
{
    static const char *const folders[] = {"../shared/corpus", NULL};

    return first_readable(folders, name);
}

const char *sample_or_skip(const char *name)
{
    const char *path = sample_path(name);
    const char *ci = getenv("CI");

    if (path)
        return path;
    if (ci && strcmp(ci, "true") == 0)
        fail_msg("the sample image %s is missing; ./dev fetches it", name);
    print_message("skipped: the sample image %s is not here (./dev samples fetches it)\n", name);
    skip();
    return NULL;
}

const char *corpus_or_skip(const char *name)
{
    const char *path = corpus_path(name);

    if (path)
        return path;
    print_message("skipped: no corpus with %s beside the project\n", name);
    skip();
    return NULL;
}
