/* ndbfile.c: see ndbfile.h. */
#include "tests/support/ndbfile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

void ndbfile_open(struct ndbfile *f, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t head = OST_HEADER_SIZE;
    struct stat st;
    void *map;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    assert_ptr_not_equal(map, MAP_FAILED);
    *f = (struct ndbfile){.bytes = {map, (size_t)st.st_size}};
    assert_int_equal(io_source_open_mem(map, f->bytes.size, &f->source), 0);
    if (head > f->bytes.size)
        head = f->bytes.size;
    ost_header_check((struct bytes){map, head}, f->bytes.size, &f->header, &f->report);
    f->variant = ost_variant_of(f->header.format);
}

void ndbfile_close(struct ndbfile *f)
{
    io_source_close(f->source);
    munmap((void *)(uintptr_t)f->bytes.data, f->bytes.size);
}

struct ost_plan_options ndbfile_options(const struct ndbfile *f)
{
    return (struct ost_plan_options){
        .variant = f->variant,
        .nbt = f->header.nbt,
        .bbt = f->header.bbt,
        .memory_bytes = 64 << 20,
    };
}
