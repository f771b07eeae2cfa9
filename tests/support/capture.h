/*
 * capture.h: what a function writes to standard output or error, caught.
 *
 * Threads: one capture of a descriptor at a time; nothing may fail a test while one is on, for the
 * message would be caught too.
 */
#ifndef TESTS_SUPPORT_CAPTURE_H
#define TESTS_SUPPORT_CAPTURE_H

#include <stddef.h>

struct capture {
    int fd;    /* 1 or 2 */
    int saved; /* what it was */
    int file;
    char text[16384];
};

/* From here on what is written to `fd` goes to a file. */
void capture_begin(struct capture *c, int fd);
/* Bytes that were written so far. */
size_t capture_size(const struct capture *c);
/* Puts `fd` back; what was written, in c->text, cut to its size. */
const char *capture_end(struct capture *c);

/* Lets `fd` be `to` until capture_restore of what is returned. */
int capture_replace(int fd, int to);
void capture_restore(int fd, int saved);

/* A terminal `columns` wide. What is written to `slave` is read from `master`, which never waits.
 * Skips the running test where there are none to be had. */
void capture_terminal(unsigned short columns, int *master, int *slave);

#endif
