/* reader_fixture.c: see reader_fixture.h. */
#include "tests/support/reader_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "io/mem.h"
#include "tests/support/pattern.h"
#include "tests/support/tempdir.h"

enum { FILE_SIZE = READER_FILE_SIZE, MANY = READER_MANY, MANY_BYTES = READER_MANY_BYTES };

void make_reader(struct reader_fixture *f)
{
    const char *name = f->backend == IO_BACKEND_PREAD ? "pread" : "uring";

    assert_int_equal(io_reader_create(&f->options, &f->reader), 0);
    if (strcmp(io_reader_backend(f->reader), name) != 0) {
        print_message("skipped: %s\n", io_reader_note(f->reader));
        io_reader_destroy(f->reader);
        f->reader = NULL;
        skip();
    }
}

int reader_set_up(void **state)
{
    struct reader_fixture *f = mem_zalloc(sizeof *f);
    struct fault fault;
    const char *path;

    f->backend = *(const enum io_backend *)*state;
    f->folder = tempdir_make();
    path = pattern_file(f->folder, "image", FILE_SIZE);
    assert_int_equal(io_file_open(path, 0, &f->file, &fault), 0);
    f->options = (struct io_reader_options){.backend = f->backend,
                                            .depth = 16,
                                            .threads = 4,
                                            .test_outcome = fault_reader_outcome,
                                            .test_ctx = &f->faults};
    *state = f;
    return 0;
}

int reader_tear_down(void **state)
{
    struct reader_fixture *f = *state;

    io_reader_destroy(f->reader);
    io_file_close(&f->file);
    tempdir_remove(f->folder);
    mem_free(f);
    return 0;
}

struct io_request request(const struct reader_fixture *f, uint64_t offset, uint32_t length,
                          void *into)
{
    memset(into, 0xAA, length);
    return (struct io_request){.fd = f->file.fd, .offset = offset, .length = length, .into = into};
}

int read_one(struct reader_fixture *f, struct io_request *q)
{
    io_reader_submit(f->reader, q);
    assert_int_equal(io_reader_outstanding(f->reader), 1);
    assert_ptr_equal(io_reader_wait(f->reader), q);
    assert_int_equal(io_reader_outstanding(f->reader), 0);
    assert_null(io_reader_wait(f->reader));
    return q->result;
}

void assert_whole(const struct io_request *q)
{
    assert_int_equal(q->result, 0);
    assert_int_equal(q->errnum, 0);
    assert_int_equal(q->received, q->length);
    assert_true(pattern_matches(q->offset, q->into, q->length));
}

void read_many(struct reader_fixture *f)
{
    struct io_request *requests = mem_alloc_array(MANY, sizeof *requests);
    uint8_t *memory = mem_alloc_array(MANY, MANY_BYTES);
    uint64_t seed = 42;

    for (size_t i = 0; i < MANY; i++) {
        uint32_t length = (uint32_t)(pattern_random(&seed) % MANY_BYTES) + 1;
        uint64_t offset = pattern_random(&seed) % (FILE_SIZE - length + 1);

        requests[i] = request(f, offset, length, memory + i * MANY_BYTES);
        requests[i].user = NULL;
        io_reader_submit(f->reader, &requests[i]);
    }
    assert_int_equal(io_reader_outstanding(f->reader), MANY);
    for (size_t left = MANY; left > 0; left--) {
        struct io_request *q = io_reader_wait(f->reader);

        assert_non_null(q);
        assert_null(q->user);
        q->user = q;
        assert_whole(q);
        assert_int_equal(io_reader_outstanding(f->reader), left - 1);
    }
    assert_null(io_reader_wait(f->reader));
    mem_free(memory);
    mem_free(requests);
}

void read_into_pool(struct reader_fixture *f, uint32_t length)
{
    uint8_t *beside = mem_aligned(4096, length);
    uint8_t *base = io_pool_base(f->options.pool);
    size_t size = io_pool_buffer_size(f->options.pool);
    uint8_t *const places[] = {
        base,   base + size + 512,       base + 3 * size - 512, base + 5 * size,
        beside, base + 8 * size - length};
    enum { PLACES = sizeof places / sizeof places[0] };
    struct io_request q[PLACES];

    for (size_t i = 0; i < PLACES; i++) {
        q[i] = request(f, i * 12288, length, places[i]);
        io_reader_submit(f->reader, &q[i]);
    }
    for (size_t i = 0; i < PLACES; i++)
        assert_whole(io_reader_wait(f->reader));
    mem_free(beside);
}
