/* tempdir.c: see tempdir.h. A chain of folders may be deeper than paths are long or descriptors are
 * many, so removal moves folders up until the top holds nothing: no recursion, two descriptors. */
#include "tests/support/tempdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

const char *tempdir_make(void)
{
    static char paths[4][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    const char *base = getenv("TMPDIR");

    snprintf(path, sizeof paths[0], "%s/ostscan-test.XXXXXX", base && *base == '/' ? base : "/tmp");
    if (!mkdtemp(path))
        fail_msg("no temporary folder: %s", path);
    return path;
}

/* Moves what is in the folder `name` up into `top` and removes it. */
static void flatten(int top, const char *name, unsigned *serial)
{
    int fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir;
    struct dirent *e;

    if (fd < 0 || fchmod(fd, 0700) < 0)
        return;
    dir = fdopendir(fd);
    if (!dir)
        return;
    while ((e = readdir(dir))) {
        char moved[32];

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, e->d_name, 0) == 0)
            continue;
        snprintf(moved, sizeof moved, "moved-%u", (*serial)++);
        fchmodat(fd, e->d_name, 0700, 0);
        renameat(fd, e->d_name, top, moved);
    }
    closedir(dir);
}

void tempdir_remove(const char *path)
{
    unsigned serial = 0;
    bool more = true;

    while (more) {
        DIR *dir = opendir(path);
        struct dirent *e;

        more = false;
        if (!dir)
            break;
        while ((e = readdir(dir))) {
            if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                continue;
            if (unlinkat(dirfd(dir), e->d_name, 0) == 0)
                continue;
            fchmodat(dirfd(dir), e->d_name, 0700, 0);
            flatten(dirfd(dir), e->d_name, &serial);
            more = unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) == 0 || more;
        }
        closedir(dir);
    }
    rmdir(path);
}

const char *tempdir;

int tempdir_set_up(void **state)
{
    (void)state;
    tempdir = tempdir_make();
    return 0;
}

int tempdir_tear_down(void **state)
{
    (void)state;
    tempdir_remove(tempdir);
    return 0;
}

const char *tempdir_path(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", tempdir, name);
    return path;
}
