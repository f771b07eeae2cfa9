/*
 * compare_match.h: the images to compare, the server's files, and which file belongs to which
 * image.
 *
 * A file belongs to an image if a mapping says so; else if the one's store name is the other's, or
 * is its file name without endings; else if the file names agree. One that several could be is
 * none.
 *
 * Threads: one.
 */
#ifndef SCANNER_APP_COMPARE_MATCH_H
#define SCANNER_APP_COMPARE_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "index/server_input.h"
#include "scanner/app/dup_run.h"

struct match_file {
    char *path;
    enum server_kind kind;
    char *names[3]; /* lower case, by which it may be known: file, its image's file, store; NULL */
    bool used;
};

struct match_image {
    const char *manifest;
    char *image;             /* path of the image */
    char *names[3];          /* as above */
    struct match_file *file; /* NULL: none */
    bool several;            /* … for several could be it */
    bool mapped;             /* a mapping names a file for it, be it there or not */
};

struct match_pair {
    char *image, *server; /* lower case */
};

struct match {
    struct dup_run manifests;
    struct match_image *images;
    size_t image_count;
    struct match_file *files;
    size_t file_count;
    struct match_pair *pairs;
    size_t pair_count;
    bool trouble; /* something given could not be used */
};

void match_init(struct match *m);
void match_done(struct match *m);

/* A manifest, or all manifests of an OUT. What cannot be used is said. ERR_NOMEM. */
int match_add_images(struct match *m, const char *path);
/* A server's file, or all files of a folder; mappings among them are read. ERR_NOMEM. */
int match_add_files(struct match *m, const char *path);
int match_add_mapping(struct match *m, const char *path);

/* Once all were added. One image and one file that were both named belong together. ERR_NOMEM. */
int match_settle(struct match *m, bool both_named);

#endif
