/*
 * reader_fixture.h: a reader over a file of pattern bytes, for tests that name their backend.
 *
 * The functions judge with cmocka's asserts. cmocka.h is to be included before.
 */
#ifndef TESTS_SUPPORT_READER_FIXTURE_H
#define TESTS_SUPPORT_READER_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "io/file.h"
#include "io/pool.h"
#include "io/reader.h"
#include "io/reader_backend.h"
#include "tests/support/fault_reader.h"

enum { READER_FILE_SIZE = 1000 * 1000 + 77, READER_MANY = 600, READER_MANY_BYTES = 5000 };

struct reader_fixture {
    enum io_backend backend;
    const char *folder;
    struct io_file file;
    struct fault_reader faults;
    struct io_reader_options options;
    struct io_reader *reader;
};

/* A cmocka test on one backend; its state is the fixture. */
#define READER_CASE(name, kind)                                                                    \
    {                                                                                              \
#name " (" #kind ")", name, reader_set_up, reader_tear_down, &(enum io_backend)            \
        {                                                                                          \
            IO_BACKEND_##kind                                                                      \
        }                                                                                          \
    }

int reader_set_up(void **state);
int reader_tear_down(void **state);

/* Creates f->reader from f->options; skips the test when the backend is not to be had. */
void make_reader(struct reader_fixture *f);
/* A request for the file, its buffer filled with 0xAA. */
struct io_request request(const struct reader_fixture *f, uint64_t offset, uint32_t length,
                          void *into);
/* Submits one and waits for it; gives its result. */
int read_one(struct reader_fixture *f, struct io_request *q);
/* It gave all its bytes, and the right ones. */
void assert_whole(const struct io_request *q);
/* READER_MANY at once, more than the kernel may have; every one comes back once, and whole. */
void read_many(struct reader_fixture *f);
/* Into buffers of the pool (8 of them), parts of them, over two of them, and beside the pool. */
void read_into_pool(struct reader_fixture *f, uint32_t length);

#endif
