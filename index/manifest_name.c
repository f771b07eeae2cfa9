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
#include "io/patient.h"

enum { NAME_MOST = 200 };

/* The folder of `path` without symlinks, malloc'd by realpath. */
static int real_folder(const char *path, size_t folder_size, uint64_t share, char **out)
{
    char *folder = mem_alloc(folder_size + 2);
    char *real;
    int errnum;

    if (!folder)
        return ERR_NOMEM;
    memcpy(folder, folder_size ? path : ".", folder_size ? folder_size : 1);
    folder[folder_size ? folder_size : 1] = '\0';
    real = patient_realpath(share, folder);
    errnum = errno;
    mem_free(folder);
    if (!real)
        return err_from_errno(errnum);
    *out = real;
    return 0;
}

static size_t cut(struct bytes name)
{
    size_t size = name.size;

    if (size <= NAME_MOST)
        return size;
    size = NAME_MOST;
    while (size > NAME_MOST - 4 && (name.data[size] & 0xc0) == 0x80)
        size--;
    return size;
}

int idx_absolute_path(const char *path, uint64_t share, struct buf *out)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char *folder = NULL;
    int err = real_folder(path, (size_t)(name - path), share, &folder);

    if (err)
        return err;
    buf_printf(out, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
    free(folder);
    return out->failed ? ERR_NOMEM : 0;
}

void idx_manifest_name(struct bytes absolute, char out[IDX_MANIFEST_NAME])
{
    const uint8_t *slash = memrchr(absolute.data, '/', absolute.size);
    const uint8_t *name = slash ? slash + 1 : absolute.data;
    const size_t size = absolute.size - (size_t)(name - absolute.data);

    snprintf(out, IDX_MANIFEST_NAME, "%.*s-%016" PRIx64 ".jsonl.zst",
             (int)cut((struct bytes){name, size}), (const char *)name,
             (uint64_t)XXH3_64bits(absolute.data, absolute.size));
}

unsigned idx_share_of(const char *relative, unsigned shards)
{
    return (unsigned)(XXH3_64bits(relative, strlen(relative)) % shards) + 1;
}
