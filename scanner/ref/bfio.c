/*
 * bfio.c: see bfio.h. A read that begins inside the source and ends beyond it is cut, one that
 * begins beyond it gives nothing: what read(2) does on a file, and what libpff expects where a
 * damaged image points behind its end.
 */
#include "scanner/ref/bfio.h"

#include <stdio.h>

static ssize_t on_read(intptr_t *io_handle, uint8_t *buffer, size_t size, libbfio_error_t **error)
{
    struct bfio *b = (struct bfio *)io_handle;
    uint64_t at = (uint64_t)b->offset, rest;

    (void)error;
    if (at >= b->source->size_bytes || !size)
        return 0;
    rest = b->source->size_bytes - at;
    if (size > rest)
        size = (size_t)rest;
    if (io_source_read(b->source, at, buffer, size)) {
        if (!b->fault.code)
            b->fault = b->source->fault;
        return -1;
    }
    b->offset += (int64_t)size;
    return (ssize_t)size;
}

static ssize_t on_write(intptr_t *io_handle, const uint8_t *buffer, size_t size,
                        libbfio_error_t **error)
{
    (void)io_handle, (void)buffer, (void)size, (void)error;
    return -1;
}

static off64_t on_seek(intptr_t *io_handle, off64_t offset, int whence, libbfio_error_t **error)
{
    struct bfio *b = (struct bfio *)io_handle;
    int64_t base = 0, target;

    (void)error;
    if (whence == SEEK_CUR)
        base = b->offset;
    else if (whence == SEEK_END)
        base = (int64_t)b->source->size_bytes;
    else if (whence != SEEK_SET)
        return -1;
    if (__builtin_add_overflow(base, offset, &target) || target < 0)
        return -1;
    b->offset = target;
    return target;
}

static int on_size(intptr_t *io_handle, size64_t *size, libbfio_error_t **error)
{
    (void)error;
    *size = ((struct bfio *)io_handle)->source->size_bytes;
    return 1;
}

static int on_open(intptr_t *io_handle, int access_flags, libbfio_error_t **error)
{
    (void)error;
    ((struct bfio *)io_handle)->offset = 0;
    return access_flags == LIBBFIO_ACCESS_FLAG_READ ? 1 : -1;
}

static int on_close(intptr_t *io_handle, libbfio_error_t **error)
{
    (void)io_handle, (void)error;
    return 0;
}

static int on_yes(intptr_t *io_handle, libbfio_error_t **error)
{
    (void)io_handle, (void)error;
    return 1;
}

static int on_free(intptr_t **io_handle, libbfio_error_t **error)
{
    (void)error;
    *io_handle = NULL;
    return 1;
}

static int on_clone(intptr_t **destination, intptr_t *source, libbfio_error_t **error)
{
    (void)destination, (void)source, (void)error;
    return -1;
}

int bfio_init(struct bfio *b, struct io_source *source)
{
    libbfio_error_t *error = NULL;

    *b = (struct bfio){.source = source};
    if (libbfio_handle_initialize(&b->handle, (intptr_t *)b, on_free, on_clone, on_open, on_close,
                                  on_read, on_write, on_seek, on_yes, on_yes, on_size,
                                  LIBBFIO_FLAG_IO_HANDLE_NON_MANAGED, &error) == 1)
        return 0;
    libbfio_error_free(&error);
    return ERR_NOMEM;
}

void bfio_done(struct bfio *b)
{
    libbfio_error_t *error = NULL;

    if (b->handle && libbfio_handle_free(&b->handle, &error) != 1)
        libbfio_error_free(&error);
}
