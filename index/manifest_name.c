/* manifest_name.c: see manifest_name.h. */
#include "index/manifest_name.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "io/err.h"
#include "io/mem.h"

enum { NAME_MOST = 200 };

/* The folder of `path` without symlinks, malloc'd by realpath. */
static int real_folder(const char *path, size_t folder_size, char **out)
{
    char *folder = mem_alloc(folder_size + 2);
    char *real;

    if (!folder)
        return ERR_NOMEM;
    memcpy(folder, folder_size ? path : ".", folder_size ? folder_size : 1);
    folder[folder_size ? folder_size : 1] = '\0';
    real = realpath(folder, NULL);
    mem_free(folder);
    if (!real)
        return err_from_errno(errno);
    *out = real;
    return 0;
}

static size_t cut(const char *name)
{
    size_t size = strlen(name);

    if (size <= NAME_MOST)
        return size;
    size = NAME_MOST;
    while (size > NAME_MOST - 4 && ((unsigned char)name[size] & 0xc0) == 0x80)
        size--;
    return size;
}

int idx_absolute_path(const char *path, struct buf *out)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char *folder = NULL;
    int err = real_folder(path, (size_t)(name - path), &folder);

    if (err)
        return err;
    buf_printf(out, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
    free(folder);
    return out->failed ? ERR_NOMEM : 0;
}

int idx_manifest_name(const char *path, char out[IDX_MANIFEST_NAME])
{
    struct buf absolute = BUF_INIT;
    int err = idx_absolute_path(path, &absolute);

    if (!err) {
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;

        snprintf(out, IDX_MANIFEST_NAME, "%.*s-%016" PRIx64 ".jsonl.zst", (int)cut(name), name,
                 (uint64_t)XXH3_64bits(absolute.data, absolute.size));
    }
    buf_done(&absolute);
    return err;
}

unsigned idx_share_of(const char *relative, unsigned shards)
{
    return (unsigned)(XXH3_64bits(relative, strlen(relative)) % shards) + 1;
}
