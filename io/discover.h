/*
 * discover.h: from what the user named to the images to read, each once.
 *
 * Walks folders without recursion, in a fixed order (entries sorted by name as bytes), and calls
 * back for every image and for every path that was passed over, with the reason. Nothing found on
 * the way is fatal.
 *
 * Rules: a PATH may itself be a symlink (followed). Below it symlinks are not followed, unless
 * `follow` says so; one that is not is reported if its name matches (all_files: any) or a folder is
 * behind it. With `follow` one that leads nowhere is unreadable if its name matches.
 * A file reached twice (hard link, PATH given twice, loop by bind mount) is visited once, by
 * device and inode; so is a folder. FIFOs, sockets, devices are reported as special if their name
 * matches (all_files: any) or they are a PATH. A regular file of more than 4 KiB but no blocks is a
 * placeholder of an archive tier (offline), reported unless `recall`; smaller ones may be kept
 * inside the inode.
 * By name: .ost .pst .old .bak .nst in any case; all_files: every regular file, which the caller
 * then probes by its magic. A file that is itself a PATH, or stands in a files-from list, is
 * always an image, whatever its name. Names that do not match are not reported at all.
 * Any depth is walked; an image whose path is too long to be opened by it (PATH_MAX) is reported as
 * unreadable. Files are not opened: who opens one compares device and inode to be sure of it.
 *
 * Threads: one walk belongs to one thread. Errors of the walk itself: ERR_NOMEM, ERR_CANCELLED.
 */
#ifndef IO_DISCOVER_H
#define IO_DISCOVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/err.h"

enum io_skip {
    IO_SKIP_SYMLINK,     /* below a PATH; not followed */
    IO_SKIP_SPECIAL,     /* FIFO, socket, device */
    IO_SKIP_DUPLICATE,   /* this file was already visited under another name */
    IO_SKIP_LOOP,        /* this folder was already visited */
    IO_SKIP_PLACEHOLDER, /* recall would be needed to read it */
    IO_SKIP_UNREADABLE,  /* fault says why: a PATH that does not exist, a folder not permitted */
    IO_SKIP_EXCLUDED,    /* the folder the caller excluded (its own output) */
};

const char *io_skip_name(enum io_skip why); /* "symlink", "special", "duplicate" … for records */

struct io_found {
    const char *path;     /* as reached from the PATH, valid during the call */
    const char *relative; /* the same below the PATH it came from; the file name for a file PATH */
    uint64_t size_bytes;
    uint64_t device;
    uint64_t inode;
    int64_t mtime_ns;
    uint64_t share; /* that it lies on (io/patient.h) */
    bool named;     /* the user named this very file */
    bool by_name;   /* its name is an image's */
};

struct io_discover_options {
    bool all_files;
    bool recall;
    bool follow;               /* symlinks below a PATH, out of its tree too */
    const char *exclude;       /* a folder that is not entered, by device and inode; NULL: none. It
                                  has to exist when the walk is created. */
    const atomic_bool *cancel; /* may be NULL */
};

struct io_discover_sink {
    void *ctx;
    /* Non-zero stops the walk and is returned. */
    int (*image)(void *ctx, const struct io_found *found);
    /* `same_as`: the path visited first, for DUPLICATE and LOOP, else NULL. */
    int (*skipped)(void *ctx, const char *path, enum io_skip why, const struct fault *fault,
                   const char *same_as);
};

struct io_discover;

int io_discover_create(const struct io_discover_options *options,
                       const struct io_discover_sink *sink, struct io_discover **out);
void io_discover_destroy(struct io_discover *d);

/* Walks one PATH of the command line. What earlier calls visited is not visited again. */
int io_discover_path(struct io_discover *d, const char *path);

/*
 * Each path of the list file (`-`: standard input), split at newlines, or at NUL if null_separated,
 * and visited as it arrives. Empty entries are ignored; a carriage return before a newline belongs
 * to the path. An entry that cannot be a path (longer than PATH_MAX, a NUL in a line) is reported
 * as unreadable. When the list cannot be read, *fault says why: ERR_NOENT, ERR_ACCESS, ERR_IO, or
 * ERR_SYS for what is no file.
 */
int io_discover_list(struct io_discover *d, const char *list, bool null_separated,
                     struct fault *fault);

#endif
