/* evict.c: see evict.h. */
#include "bench/evict.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/err.h"
#include "io/mem.h"

int evict_file(int fd, uint64_t size_bytes, uint64_t *resident_bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (size_t)((size_bytes + page - 1) / page);
    unsigned char *in_core = mem_alloc(pages + 1);
    void *map = MAP_FAILED;
    int rc = in_core ? 0 : ERR_NOMEM;

    /* What is still to be written cannot be given up. */
    if (!rc && (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)))
        rc = ERR_SYS;
    if (!rc && pages)
        map = mmap(NULL, pages * page, PROT_READ, MAP_SHARED, fd, 0);
    if (!rc && pages && (map == MAP_FAILED || mincore(map, pages * page, in_core)))
        rc = ERR_SYS;
    if (!rc) {
        *resident_bytes = 0;
        for (size_t i = 0; i < pages; i++)
            *resident_bytes += in_core[i] & 1 ? page : 0;
    }
    if (map != MAP_FAILED)
        munmap(map, pages * page);
    mem_free(in_core);
    return rc;
}
