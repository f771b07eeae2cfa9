/* outfolder.c: see outfolder.h. */
#include "scanner/app/outfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index/manifest.h"
#include "index/redact.h"
#include "io/listing.h"
#include "io/mem.h"
#include "scanner/app/commands.h"

/* The path without symlinks of what is there of `path`; false when nothing can be told. */
static bool resolve_existing(const char *path, char real[PATH_MAX], bool *whole)
{
    char *part = mem_strdup(path);
    bool found = false;

    *whole = true;
    while (part && !(found = realpath(part, real) != NULL) && errno == ENOENT) {
        size_t size = strlen(part);
        char *slash;

        while (size > 1 && part[size - 1] == '/')
            part[--size] = '\0';
        slash = strrchr(part, '/');
        *whole = false;
        if (!slash && strcmp(part, ".") == 0)
            break;
        if (!slash)
            strcpy(part, ".");
        else
            slash[slash == part] = '\0';
    }
    mem_free(part);
    return found;
}

static bool lies_below(const char *path, const char *folder)
{
    const size_t size = strcmp(folder, "/") == 0 ? 0 : strlen(folder);

    return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* True if OUT, `whole` or what is there of it, lies where the images of `path` do. */
static bool is_among(const char *out, bool whole, const char *path)
{
    char real[PATH_MAX];
    struct stat st;
    char *slash;

    if (!realpath(path, real) || stat(real, &st) < 0)
        return false;
    if (S_ISDIR(st.st_mode))
        return lies_below(out, real);
    slash = strrchr(real, '/');
    slash[slash == real] = '\0';
    return whole && strcmp(out, real) == 0;
}

int outfolder_is_apart(const struct options *o)
{
    char out[PATH_MAX];
    bool whole;

    if (!resolve_existing(o->out, out, &whole))
        return EXIT_DONE;
    for (size_t i = 0; i < o->path_count; i++) {
        if (!is_among(out, whole, o->paths[i]))
            continue;
        complain("%s: OUT lies among the images of %s; give a folder outside of it", o->out,
                 o->paths[i]);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

int outfolder_read_key(const char *path, struct buf *key)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int errnum = fd < 0 ? errno : 0;
    ssize_t n = 1;

    while (!errnum && n && key->size <= IDX_REDACT_KEY_MOST) {
        if (!buf_reserve(key, IDX_REDACT_KEY_LEAST * 64))
            errnum = ENOMEM;
        else if ((n = read(fd, key->data + key->size, IDX_REDACT_KEY_LEAST * 64)) < 0)
            errnum = errno == EINTR ? 0 : errno;
        else
            key->size += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    if (errnum) {
        complain_about(path, strerror(errnum));
        return EXIT_ENVIRONMENT;
    }
    if (key->size < IDX_REDACT_KEY_LEAST || key->size > IDX_REDACT_KEY_MOST) {
        complain("%s: a key has 16 bytes to 64 KiB", path);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

void outfolder_forget_key(struct buf *key)
{
    if (key->capacity)
        explicit_bzero(key->data, key->capacity);
    buf_done(key);
}

/* True if the manifest's first line has that id. One that cannot be read at all tells nothing. */
static bool has_id(const char *path, const char *id)
{
    struct idx_manifest_reader *r = NULL;
    enum idx_manifest_state state;
    char other[IDX_REDACT_ID] = "";
    enum idx_record type;
    struct bytes line;
    struct fault fault;

    if (idx_manifest_open(path, &r, &fault) != 0)
        return false;
    if (idx_manifest_next(r, &type, &line, &state) == 1 && type == RECORD_SCAN)
        idx_redacted_by(line, other);
    idx_manifest_close(r);
    return strcmp(other, id) == 0;
}

static int look_at(const char *dir, const char *name, const char *id)
{
    struct buf path = BUF_INIT;
    int status = EXIT_DONE;

    buf_printf(&path, "%s/%s", dir, name);
    if (!buf_cstr(&path)) {
        status = EXIT_PROGRAM;
    } else if (!has_id((const char *)path.data, id)) {
        complain("%s: not redacted under this key; give an OUT of its own",
                 (const char *)path.data);
        status = EXIT_USAGE;
    }
    buf_done(&path);
    return status;
}

int outfolder_is_redacted(const char *manifest_dir, struct bytes key)
{
    struct listing *listing = mem_alloc(sizeof *listing);
    int fd = listing_open(AT_FDCWD, manifest_dir, 0);
    struct idx_redactor *r = NULL;
    const struct dirent64 *entry;
    char id[IDX_REDACT_ID];
    int status = EXIT_DONE, errnum = 0;

    if (fd < 0 || !listing || idx_redactor_create(key, &r) != 0) {
        complain_about(manifest_dir, fd < 0 ? strerror(errno) : "out of memory");
        status = fd < 0 ? EXIT_ENVIRONMENT : EXIT_PROGRAM;
        goto out;
    }
    idx_redactor_id(r, id);
    listing_start(listing, fd);
    while (status == EXIT_DONE && (errnum = listing_next(listing, &entry)) == 0 && entry)
        if (entry->d_name[0] != '.')
            status = look_at(manifest_dir, entry->d_name, id);
    if (errnum) {
        complain_about(manifest_dir, strerror(errnum));
        status = EXIT_ENVIRONMENT;
    }
out:
    idx_redactor_destroy(r);
    mem_free(listing);
    if (fd >= 0)
        close(fd);
    return status;
}
