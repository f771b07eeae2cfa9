/*
 * discover.c: see discover.h.
 *
 * The walk is a stack of frames, one for each folder between the PATH and the current entry:
 *
 *   frames   [ PATH ]  [ a ]  [ a/b ]            fd, path length, its share of `entries`
 *   entries  |--rest--||-rest-||------rest-----| sorted names still to visit, a stack as well
 *   path     PATH/a/b/name                       one buffer, cut back to the frame's length
 *
 * Everything below a PATH is reached from its folder's descriptor, by name and with O_NOFOLLOW, so
 * a folder that is replaced by a symlink meanwhile leads nowhere else, and no path is too long to
 * be walked. Only the innermost OPEN_FOLDERS frames keep their descriptor; an outer one gets it
 * back through "..", checked against the device and inode it had. If the tree was moved about
 * meanwhile, what is left of that folder is reported as unreadable (ESTALE). A folder from which a
 * symlink was followed keeps its descriptor, for ".." leads elsewhere.
 *
 * What the kernel is asked may never be answered (patient.h): of a folder that another file system
 * is mounted over, of what is behind a symlink, and of all that lies on a share.
 */
#include "io/discover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/buf.h"
#include "io/fault.h"
#include "io/listing.h"
#include "io/mem.h"
#include "io/patient.h"
#include "io/pathlist.h"
#include "io/seen.h"

enum {
    OPEN_FOLDERS = 32, /* more than any usual depth; small beside the usual 1024 descriptors */
    /*
     * Up to this size a file without blocks may still be local: btrfs and ext4 keep the bytes of
     * small files in the inode or the tree. Nor is anything gained by leaving so little unread.
     */
    INLINE_MAX_BYTES = 4096,
};

struct entry {
    size_t name; /* in names */
    unsigned char type;
};

struct frame {
    int fd; /* -1: given up for deeper ones */
    int lost_errnum;
    dev_t device;
    ino_t inode;
    uint64_t share;
    uint32_t id;  /* in seen */
    bool by_link; /* its ".." is not the folder above it here */
    size_t path_size;
    size_t names_size; /* of names before this folder's */
    size_t first;
    size_t next;
    size_t end;
};

struct io_discover {
    struct io_discover_options options;
    struct io_discover_sink sink;
    bool excludes;
    dev_t exclude_device;
    ino_t exclude_inode;
    struct seen seen;
    struct buf path;
    size_t relative; /* where it begins in path */
    struct frame *frames;
    size_t depth;
    size_t frame_capacity;
    struct entry *entries;
    size_t entry_count;
    size_t entry_capacity;
    struct buf names;
    struct buf same_as;
    struct listing listing;
};

const char *io_skip_name(enum io_skip why)
{
    static const char *const names[] = {
        [IO_SKIP_SYMLINK] = "symlink",         [IO_SKIP_SPECIAL] = "special",
        [IO_SKIP_DUPLICATE] = "duplicate",     [IO_SKIP_LOOP] = "loop",
        [IO_SKIP_PLACEHOLDER] = "placeholder", [IO_SKIP_UNREADABLE] = "unreadable",
        [IO_SKIP_EXCLUDED] = "excluded",
    };

    return names[why];
}

int io_discover_create(const struct io_discover_options *options,
                       const struct io_discover_sink *sink, struct io_discover **out)
{
    struct io_discover *d = mem_zalloc(sizeof *d);
    struct stat st;

    if (!d)
        return ERR_NOMEM;
    d->options = *options;
    d->sink = *sink;
    seen_init(&d->seen);
    if (options->exclude && stat(options->exclude, &st) == 0) {
        d->excludes = true;
        d->exclude_device = st.st_dev;
        d->exclude_inode = st.st_ino;
    }
    d->options.exclude = NULL;
    *out = d;
    return 0;
}

void io_discover_destroy(struct io_discover *d)
{
    if (!d)
        return;
    seen_done(&d->seen);
    buf_done(&d->path);
    buf_done(&d->names);
    buf_done(&d->same_as);
    mem_free(d->frames);
    mem_free(d->entries);
    mem_free(d);
}

static bool cancelled(const struct io_discover *d)
{
    return d->options.cancel && atomic_load_explicit(d->options.cancel, memory_order_relaxed);
}

static const char *path_text(const struct io_discover *d)
{
    return (const char *)d->path.data;
}

static int skip(struct io_discover *d, enum io_skip why)
{
    return d->sink.skipped(d->sink.ctx, path_text(d), why, NULL, NULL);
}

static int skip_unreadable(struct io_discover *d, const char *what, int errnum)
{
    struct fault fault;

    fault_errno(&fault, what, errnum);
    return d->sink.skipped(d->sink.ctx, path_text(d), IO_SKIP_UNREADABLE, &fault, NULL);
}

static int skip_seen(struct io_discover *d, enum io_skip why, uint32_t id)
{
    const char *same_as;

    seen_path(&d->seen, id, &d->same_as);
    same_as = buf_cstr(&d->same_as);
    if (!same_as)
        return ERR_NOMEM;
    return d->sink.skipped(d->sink.ctx, path_text(d), why, NULL, same_as);
}

static bool name_matches(const char *name)
{
    static const char *const suffixes[] = {".ost", ".pst", ".old", ".bak", ".nst"};
    size_t length = strlen(name);

    if (length < 4)
        return false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (strcasecmp(name + length - 4, suffixes[i]) == 0)
            return true;
    }
    return false;
}

static bool wanted(const struct io_discover *d, const char *name)
{
    return d->options.all_files || name_matches(name);
}

static int64_t time_ns(struct timespec t)
{
    int64_t ns;

    if (__builtin_mul_overflow((int64_t)t.tv_sec, 1000000000, &ns) ||
        __builtin_add_overflow(ns, (int64_t)t.tv_nsec, &ns))
        return t.tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

/* The path stands in d->path; `parent` 0 and the whole path as name when it is a PATH itself. */
static int visit_file(struct io_discover *d, const struct stat *st, uint64_t share, uint32_t parent,
                      const char *name)
{
    uint32_t id = seen_find(&d->seen, st->st_dev, st->st_ino);
    struct io_found found;
    int r;

    if (!S_ISREG(st->st_mode))
        return skip(d, IO_SKIP_SPECIAL);
    if (id)
        return skip_seen(d, IO_SKIP_DUPLICATE, id);
    if (d->path.size >= PATH_MAX)
        return skip_unreadable(d, "open", ENAMETOOLONG);
    r = seen_add(&d->seen, st->st_dev, st->st_ino, parent, name, &id);
    if (r < 0)
        return r;
    if (st->st_size > INLINE_MAX_BYTES && st->st_blocks == 0 && !d->options.recall)
        return skip(d, IO_SKIP_PLACEHOLDER);
    found = (struct io_found){
        .path = path_text(d),
        .relative = path_text(d) + d->relative,
        .size_bytes = (uint64_t)st->st_size,
        .device = st->st_dev,
        .inode = st->st_ino,
        .mtime_ns = time_ns(st->st_mtim),
        .share = share,
        .named = !parent,
        .by_name = name_matches(name),
    };
    return d->sink.image(d->sink.ctx, &found);
}

static int compare_entries(const void *a, const void *b, void *names)
{
    const struct entry *x = a, *y = b;

    return strcmp((const char *)names + x->name, (const char *)names + y->name);
}

static int add_entry(struct io_discover *d, const char *name, unsigned char type)
{
    size_t at = d->names.size;

    if (d->entry_count == d->entry_capacity) {
        size_t capacity = d->entry_capacity ? d->entry_capacity * 2 : 64;
        struct entry *grown = mem_realloc(d->entries, capacity * sizeof *grown);

        if (!grown)
            return ERR_NOMEM;
        d->entries = grown;
        d->entry_capacity = capacity;
    }
    buf_append(&d->names, name, strlen(name) + 1);
    if (d->names.failed)
        return ERR_NOMEM;
    d->entries[d->entry_count++] = (struct entry){.name = at, .type = type};
    return 0;
}

/* Lists the newest frame's folder; a failure on the way is reported and what came before kept. */
static int read_entries(struct io_discover *d, struct frame *f)
{
    const struct dirent64 *e;
    int errnum, r;

    listing_start(&d->listing, f->fd, f->share);
    while ((errnum = listing_next(&d->listing, &e)) == 0 && e) {
        if (cancelled(d))
            return ERR_CANCELLED;
        if (e->d_type != DT_DIR && e->d_type != DT_LNK && e->d_type != DT_UNKNOWN &&
            !wanted(d, e->d_name))
            continue;
        r = add_entry(d, e->d_name, e->d_type);
        if (r < 0)
            return r;
    }
    f->end = d->entry_count;
    if (f->end > f->first)
        qsort_r(d->entries + f->first, f->end - f->first, sizeof *d->entries, compare_entries,
                d->names.data);
    return errnum ? skip_unreadable(d, "list", errnum) : 0;
}

static void close_frame(struct frame *f)
{
    if (f->fd >= 0)
        patient_close(f->share, f->fd);
    f->fd = -1;
}

/* A folder that was opened. */
struct opened {
    int fd; /* -1: errno says why it is not */
    struct stat st;
    uint64_t share;
};

static struct opened open_folder(const struct frame *f, const char *path, bool by_link)
{
    const uint64_t share = f && (f->share || !by_link) ? f->share : SHARE_UNKNOWN;
    struct opened o;

    o.fd = patient_open_folder(share, f ? f->fd : AT_FDCWD, path, by_link ? 0 : O_NOFOLLOW, &o.st,
                               &o.share);
    return o;
}

/* Makes the folder whose path stands in d->path the current one. Takes it over on success. */
static int push(struct io_discover *d, const struct opened *o, uint32_t id, bool by_link)
{
    if (d->depth == d->frame_capacity) {
        size_t capacity = d->frame_capacity ? d->frame_capacity * 2 : 32;
        struct frame *grown = mem_realloc(d->frames, capacity * sizeof *grown);

        if (!grown)
            return ERR_NOMEM;
        d->frames = grown;
        d->frame_capacity = capacity;
    }
    if (d->depth >= OPEN_FOLDERS && !d->frames[d->depth - OPEN_FOLDERS + 1].by_link)
        close_frame(&d->frames[d->depth - OPEN_FOLDERS]);
    d->frames[d->depth++] = (struct frame){
        .fd = o->fd,
        .device = o->st.st_dev,
        .inode = o->st.st_ino,
        .share = o->share,
        .id = id,
        .by_link = by_link,
        .path_size = d->path.size,
        .names_size = d->names.size,
        .first = d->entry_count,
        .next = d->entry_count,
        .end = d->entry_count,
    };
    return 0;
}

/* Owns the folder. The path stands in d->path; parent and name as for visit_file. */
static int enter(struct io_discover *d, const struct opened *o, uint32_t parent, const char *name,
                 bool by_link)
{
    const struct stat *st = &o->st;
    uint32_t id;
    int r;

    if (d->excludes && st->st_dev == d->exclude_device && st->st_ino == d->exclude_inode) {
        r = skip(d, IO_SKIP_EXCLUDED);
        goto out;
    }
    id = seen_find(&d->seen, st->st_dev, st->st_ino);
    if (id) {
        r = skip_seen(d, IO_SKIP_LOOP, id);
        goto out;
    }
    r = seen_add(&d->seen, st->st_dev, st->st_ino, parent, name, &id);
    if (r < 0)
        goto out;
    r = push(d, o, id, by_link);
    if (r < 0)
        goto out;
    return read_entries(d, &d->frames[d->depth - 1]);
out:
    patient_close(o->share, o->fd);
    return r;
}

/* From the folder being left back to the one above, when that has no descriptor any more. */
static void reopen(struct frame *above, const struct frame *left)
{
    struct opened o = {.fd = -1};

    above->lost_errnum = ESTALE;
    if (left->fd < 0)
        return;
    o = open_folder(left, "..", false);
    if (o.fd < 0)
        above->lost_errnum = errno;
    else if (o.st.st_dev == above->device && o.st.st_ino == above->inode)
        above->fd = o.fd;
    else
        patient_close(o.share, o.fd);
}

static void leave(struct io_discover *d)
{
    struct frame *f = &d->frames[--d->depth];

    if (d->depth && d->frames[d->depth - 1].fd < 0)
        reopen(&d->frames[d->depth - 1], f);
    close_frame(f);
    d->names.size = f->names_size;
    d->entry_count = f->first;
}

static int visit_folder(struct io_discover *d, const struct frame *f, const char *name,
                        bool by_link)
{
    const struct opened o = open_folder(f, name, by_link);

    return o.fd < 0 ? skip_unreadable(d, "open", errno) : enter(d, &o, f->id, name, by_link);
}

/*
 * A symlink below a PATH matters if its name does, or if a folder is, or may be, behind it: one
 * that leads nowhere hides nothing.
 */
static int visit_symlink(struct io_discover *d, const struct frame *f, const char *name)
{
    const uint64_t share = f->share ? f->share : SHARE_UNKNOWN;
    struct stat st;
    int errnum = patient_fstatat(share, f->fd, name, &st, 0) == 0 ? 0 : errno;
    bool folder =
        errnum ? errnum != ENOENT && errnum != ENOTDIR && errnum != ELOOP : S_ISDIR(st.st_mode);

    if (!folder && !wanted(d, name))
        return 0;
    if (!d->options.follow)
        return skip(d, IO_SKIP_SYMLINK);
    if (errnum)
        return skip_unreadable(d, "stat", errnum);
    return folder ? visit_folder(d, f, name, true) : visit_file(d, &st, share, f->id, name);
}

static int visit_entry(struct io_discover *d, const struct frame *f, const char *name,
                       unsigned char type)
{
    uint64_t share = f->share;
    struct stat st;

    if (type == DT_DIR)
        return visit_folder(d, f, name, false);
    if (type == DT_UNKNOWN && !share)
        share = SHARE_UNKNOWN;
    if (patient_fstatat(share, f->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return wanted(d, name) || type == DT_UNKNOWN ? skip_unreadable(d, "stat", errno) : 0;
    if (S_ISDIR(st.st_mode))
        return visit_folder(d, f, name, false);
    if (S_ISLNK(st.st_mode))
        return visit_symlink(d, f, name);
    return wanted(d, name) ? visit_file(d, &st, f->share, f->id, name) : 0;
}

static bool set_path(struct io_discover *d, const struct frame *f, const char *name)
{
    d->path.size = f->path_size;
    if (name) {
        if (d->path.data[d->path.size - 1] != '/')
            buf_putc(&d->path, '/');
        buf_puts(&d->path, name);
    }
    return buf_cstr(&d->path) != NULL;
}

static int step(struct io_discover *d)
{
    struct frame *f = &d->frames[d->depth - 1];
    const struct entry *e;
    const char *name;

    if (f->next == f->end) {
        leave(d);
        return 0;
    }
    if (f->fd < 0) {
        f->next = f->end;
        return set_path(d, f, NULL) ? skip_unreadable(d, "open", f->lost_errnum) : ERR_NOMEM;
    }
    e = &d->entries[f->next++];
    name = (const char *)d->names.data + e->name;
    return set_path(d, f, name) ? visit_entry(d, f, name, e->type) : ERR_NOMEM;
}

static int walk(struct io_discover *d, const char *path)
{
    const struct opened o = open_folder(NULL, path, true);
    int r;

    d->relative = d->path.size + (path[d->path.size - 1] != '/');
    r = o.fd < 0 ? skip_unreadable(d, "open", errno) : enter(d, &o, 0, path, false);
    while (!r && d->depth)
        r = cancelled(d) ? ERR_CANCELLED : step(d);
    while (d->depth)
        close_frame(&d->frames[--d->depth]);
    d->entry_count = 0;
    buf_reset(&d->names);
    return r;
}

int io_discover_path(struct io_discover *d, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct statfs fs;
    struct stat st;

    if (cancelled(d))
        return ERR_CANCELLED;
    buf_reset(&d->path);
    buf_puts(&d->path, path);
    if (!buf_cstr(&d->path))
        return ERR_NOMEM;
    if (patient_fstatat(SHARE_UNKNOWN, AT_FDCWD, path, &st, 0) < 0)
        return skip_unreadable(d, "stat", errno);
    if (S_ISDIR(st.st_mode))
        return walk(d, path);
    d->relative = slash ? (size_t)(slash - path) + 1 : 0;
    if (patient_statfs(SHARE_UNKNOWN, path, &fs) < 0)
        fs.f_type = 0;
    return visit_file(d, &st, io_share_of((uint64_t)fs.f_type, st.st_dev), 0, path);
}

static int visit_listed(void *ctx, const char *path, int errnum)
{
    struct io_discover *d = ctx;

    if (!errnum)
        return io_discover_path(d, path);
    buf_reset(&d->path);
    buf_puts(&d->path, path);
    return buf_cstr(&d->path) ? skip_unreadable(d, "list entry", errnum) : ERR_NOMEM;
}

int io_discover_list(struct io_discover *d, const char *list, bool null_separated,
                     struct fault *fault)
{
    bool from_stdin = strcmp(list, "-") == 0;
    int fd = from_stdin ? STDIN_FILENO : open(list, O_RDONLY | O_CLOEXEC);
    int r;

    if (fd < 0)
        return fault_errno(fault, "open", errno);
    r = pathlist_read(fd, null_separated ? '\0' : '\n', d->options.cancel, visit_listed, d, fault);
    if (!from_stdin)
        close(fd);
    return r;
}
