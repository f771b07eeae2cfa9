/*
 * seedimage.h: small images by ostgen as seeds of the targets that take whole files: one item, any
 * format, cipher and compression, at times with a damage. What lies behind the last byte in use is
 * cut off, so that a 4k image does not take the 16 MiB of its first span.
 */
#ifndef TESTS_FUZZ_SEEDIMAGE_H
#define TESTS_FUZZ_SEEDIMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/mem.h"
#include "tests/gen/damage.h"
#include "tests/gen/run.h"

enum { SEED_SOUND = 18 }; /* sound ones: 3 formats, 3 ciphers, with and without compression */

/* What is in use of the file; 0 when there is no such image. */
static inline size_t seed_read(int fd, uint8_t *data, size_t max)
{
    struct stat s;
    uint8_t *map;
    size_t size;

    if (fstat(fd, &s) != 0 || s.st_size == 0)
        return 0;
    size = (size_t)s.st_size;
    map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return 0;
    while (size > 0 && map[size - 1] == 0)
        size--;
    if (size <= max)
        memcpy(data, map, size);
    munmap(map, (size_t)s.st_size);
    return size <= max ? size : 0;
}

/* Writes an image chosen by `seed` to data; 0: it is larger than max, or cannot be made. */
static inline size_t seed_make(uint8_t *data, size_t max, unsigned seed, bool damaged)
{
    struct gen_options o = {.profile = profile_find("tiny"), .items = 1, .truth = TRUTH_NONE};
    struct gen_summary summary;
    char path[40];
    unsigned missed;
    size_t size = 0;
    int fd = memfd_create("seed", MFD_CLOEXEC);

    if (fd < 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    o.image.path = path;
    o.image.format = (enum gen_format)(seed % 3);
    o.image.crypt = (enum gen_crypt)(seed / 3 % 3);
    o.image.compress = o.image.format == GEN_UNICODE4K && seed / 9 % 2;
    o.seed = o.image.seed = 1 + seed / SEED_SOUND % 16;
    if (damaged) {
        o.damages[0] = (struct damage_wish){.kind = seed / 64 % DAMAGE_KINDS, .count = 1};
        o.damage_count = 1;
    }
    if (gen_run(&o, &summary, &missed) == 0)
        size = seed_read(fd, data, max);
    close(fd);
    return size;
}

/* As seed_make, of the sound ones alone, each made once. */
static inline size_t seed_sound(uint8_t *data, size_t max, unsigned seed)
{
    enum { ROOM = 1 << 19 };
    static struct {
        uint8_t *data;
        size_t size;
    } made[SEED_SOUND];
    unsigned i = seed % SEED_SOUND;

    if (!made[i].data) {
        made[i].data = mem_alloc(ROOM);
        made[i].size = seed_make(made[i].data, ROOM, i, false);
    }
    if (made[i].size == 0 || made[i].size > max)
        return 0;
    memcpy(data, made[i].data, made[i].size);
    return made[i].size;
}

#endif
