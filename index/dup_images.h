/*
 * dup_images.h: the images whose manifests are searched for duplicates, each once.
 *
 * A manifest is known by its image: path, size and time of change. Several manifests of one image
 * in one state (the same scan given twice, two engines) are one image, of which one manifest is
 * read: what a scan finds twice is no duplicate. The order is that of times, the oldest first, then
 * sizes, then paths, so it does not depend on the order of the manifests, nor, but for images that
 * tie, on whether their paths are redacted.
 *
 * Memory: for each image its paths, and for each folder 48 bytes.
 * Threads: the table belongs to one thread until it is settled; then each image to the thread that
 * reads it.
 */
#ifndef INDEX_DUP_IMAGES_H
#define INDEX_DUP_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/dup_item.h"
#include "index/redact.h"
#include "io/buf.h"

enum dup_image_state {
    DUP_UNREAD,
    DUP_COMPLETE,
    DUP_INCOMPLETE, /* the manifest is cut short, damaged, or could not be read to its end: what was
                       read of it takes part */
    DUP_UNREADABLE, /* nothing of it could be used */
    DUP_REPEATED,   /* the image is in the table by another manifest */
};

const char *dup_image_state_name(enum dup_image_state state);

struct dup_folder {
    uint32_t nid;
    bool has_path;
    uint32_t path_size;
    uint64_t path_at;           /* in the paths of the lane that read it */
    uint64_t path_hash;         /* 0: none */
    uint64_t duplicates, bytes; /* items of it held against one elsewhere, and their sizes */
};

enum { DUP_REASON = 200 };

struct dup_image {
    char *manifest;      /* its path as given */
    bool has_head;       /* a `scan` and an `image` record were read */
    struct buf path;     /* of the image, bytes as the system has them */
    struct buf identity; /* path, size and time */
    struct buf changed;  /* the time, so that its bytes compare as times do */
    uint64_t size_bytes;
    char redacted[IDX_REDACT_ID]; /* by which key; empty: plain */
    enum dup_image_state state;
    char reason[DUP_REASON];       /* for people, of INCOMPLETE and UNREADABLE */
    const struct dup_image *taken; /* of REPEATED: by which manifest */
    unsigned lane;                 /* that read it */
    struct dup_folder *folders;    /* by nid, once read */
    size_t folder_count, folder_capacity;
    bool folders_sorted;
    uint64_t fates[DUP_FATES]; /* items, without associated ones */
    uint64_t assoc;
    uint8_t digest_size;      /* of its items' digests; 0: it has none */
    struct ost_digest digest; /* of all its items; size 0: none */
};

struct dup_images {
    struct dup_image **list;
    size_t count, capacity;
};

void dup_images_init(struct dup_images *t);
void dup_images_done(struct dup_images *t);

/*
 * Adds a manifest and reads its head. What is wrong with the manifest is kept as its state; only
 * ERR_NOMEM is returned.
 */
int dup_images_add(struct dup_images *t, const char *manifest);

/*
 * Puts the images in order and finds repeated ones: of several manifests of an image a complete one
 * is taken, then the one with more items; so those are read here. Call once. ERR_NOMEM.
 */
int dup_images_settle(struct dup_images *t);

/* Adds a `folder` record's nid and path. */
int dup_image_add_folder(struct dup_image *i, const struct dup_folder *folder); /* ERR_NOMEM */
void dup_image_sort_folders(struct dup_image *i); /* once all are there */
struct dup_folder *dup_image_folder(const struct dup_image *i, uint32_t nid); /* NULL: none */

/* Fills `reason` and sets the state. */
void dup_image_fail(struct dup_image *i, enum dup_image_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
