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
#include "io/patient.h"
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
    char *real = patient_realpath(SHARE_UNKNOWN, path), *slash;
    struct stat st;
    bool among = false;

    if (real && patient_fstatat(SHARE_UNKNOWN, AT_FDCWD, real, &st, 0) == 0) {
        if (S_ISDIR(st.st_mode)) {
            among = lies_below(out, real);
        } else {
            slash = strrchr(real, '/');
            slash[slash == real] = '\0';
            among = whole && strcmp(out, real) == 0;
        }
    }
    free(real);
    return among;
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

/* Likewise of the last line of a scan.jsonl. */
static bool ends_with_id(const char *path, const char *id)
{
    enum { TAIL = 64 << 10 }; /* more than the line has */
    char other[IDX_REDACT_ID] = "";
    struct buf tail = BUF_INIT;
    const uint8_t *before;
    struct stat st;
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd >= 0 && fstat(fd, &st) == 0 && buf_reserve(&tail, TAIL))
        n = pread(fd, tail.data, TAIL, st.st_size > TAIL ? st.st_size - TAIL : 0);
    if (fd >= 0)
        close(fd);
    if (n > 1) {
        before = memrchr(tail.data, '\n', (size_t)n - 1);
        before = before ? before + 1 : tail.data;
        idx_redacted_by((struct bytes){before, (size_t)(tail.data + n - before)}, other);
    }
    buf_done(&tail);
    return strcmp(other, id) == 0;
}

static int look_at(const char *dir, const char *name, bool (*has)(const char *, const char *),
                   const char *id)
{
    struct buf path = BUF_INIT;
    int status = EXIT_DONE;

    buf_printf(&path, "%s/%s", dir, name);
    if (!buf_cstr(&path)) {
        status = EXIT_PROGRAM;
    } else if (!has((const char *)path.data, id)) {
        complain("%s: not redacted under this key; give an OUT of its own",
                 (const char *)path.data);
        status = EXIT_USAGE;
    }
    buf_done(&path);
    return status;
}

static bool is_manifest(const char *name)
{
    return name[0] != '.';
}

static bool is_summary(const char *name)
{
    const size_t size = strlen(name);

    return strncmp(name, "scan.", 5) == 0 && size > 6 && strcmp(name + size - 6, ".jsonl") == 0;
}

/* Looks at each file of the folder that is one. */
static int look_into(const char *dir, bool (*is_one)(const char *),
                     bool (*has)(const char *, const char *), const char *id)
{
    struct listing *listing = mem_alloc(sizeof *listing);
    int fd = listing_open(AT_FDCWD, dir, 0);
    const struct dirent64 *entry;
    int status = EXIT_DONE, errnum = fd < 0 ? errno : 0;

    if (!listing && !errnum)
        errnum = ENOMEM;
    if (!errnum)
        listing_start(listing, fd, 0);
    while (!errnum && status == EXIT_DONE && (errnum = listing_next(listing, &entry)) == 0 && entry)
        if (is_one(entry->d_name))
            status = look_at(dir, entry->d_name, has, id);
    if (errnum) {
        complain_about(dir, strerror(errnum));
        status = EXIT_ENVIRONMENT;
    }
    mem_free(listing);
    if (fd >= 0)
        close(fd);
    return status;
}

int outfolder_is_redacted(const char *out, const char *manifest_dir, struct bytes key)
{
    struct idx_redactor *r = NULL;
    char id[IDX_REDACT_ID];
    int status;

    if (idx_redactor_create(key, &r) != 0) {
        complain_about(out, "out of memory");
        return EXIT_PROGRAM;
    }
    idx_redactor_id(r, id);
    idx_redactor_destroy(r);
    status = look_into(manifest_dir, is_manifest, has_id, id);
    return status == EXIT_DONE ? look_into(out, is_summary, ends_with_id, id) : status;
}
