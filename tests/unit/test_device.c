/* test_device.c: what is said of devices in /sys, and by file systems' types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/device.h"
#include "tests/support/tempdir.h"

static void put(const char *dir, const char *name, const char *text)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void make(const char *dir, const char *name)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

/* As in /sys: a name of numbers leads to the device's folder; a partition's lies in its disk's. */
static void link_to(const char *dir, const char *to, const char *name)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(symlink(to, path), 0);
}

static void disks_and_their_partitions(void **state)
{
    const char *dir = tempdir_make();

    (void)state;
    make(dir, "sda");
    make(dir, "sda/queue");
    make(dir, "sda/sda1");
    put(dir, "sda/queue/rotational", "1\n");
    make(dir, "nvme");
    make(dir, "nvme/queue");
    put(dir, "nvme/queue/rotational", "0\n");
    make(dir, "odd");
    make(dir, "odd/queue");
    put(dir, "odd/queue/rotational", "maybe\n");
    make(dir, "vda");
    make(dir, "vda/queue");
    make(dir, "vda/vda1");
    put(dir, "vda/queue/rotational", "1\n");
    make(dir, "xvda");
    make(dir, "xvda/queue");
    put(dir, "xvda/queue/rotational", "0\n");
    link_to(dir, "vda", "254:0");
    link_to(dir, "vda/vda1", "254:1");
    link_to(dir, "xvda", "202:0");
    link_to(dir, "sda", "8:0");
    link_to(dir, "sda/sda1", "8:1");
    link_to(dir, "nvme", "259:0");
    link_to(dir, "odd", "7:0");
    assert_int_equal(io_device_rotates(dir, 8, 0), IO_DEVICE_DISK);
    assert_int_equal(io_device_rotates(dir, 8, 1), IO_DEVICE_DISK);
    assert_int_equal(io_device_rotates(dir, 259, 0), IO_DEVICE_FLASH);
    assert_int_equal(io_device_rotates(dir, 7, 0), IO_DEVICE_UNKNOWN);
    assert_int_equal(io_device_rotates(dir, 254, 0), IO_DEVICE_UNKNOWN);
    assert_int_equal(io_device_rotates(dir, 254, 1), IO_DEVICE_UNKNOWN);
    assert_int_equal(io_device_rotates(dir, 202, 0), IO_DEVICE_FLASH);
    assert_int_equal(io_device_rotates(dir, 1, 2), IO_DEVICE_UNKNOWN);
    assert_int_equal(io_device_rotates("/nowhere", 8, 0), IO_DEVICE_UNKNOWN);
}

static void types(void **state)
{
    static const uint64_t far[] = {0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x00C36400};
    static const uint64_t near[] = {0xEF53, 0x58465342, 0x9123683E, 0x01021994, 0x794C7630, 0};

    (void)state;
    for (unsigned i = 0; i < sizeof far / sizeof *far; i++)
        assert_int_equal(io_device_of_type(far[i]), IO_DEVICE_NETWORK);
    for (unsigned i = 0; i < sizeof near / sizeof *near; i++)
        assert_int_equal(io_device_of_type(near[i]), IO_DEVICE_UNKNOWN);
    /* Where it is a signed 32-bit number. */
    assert_int_equal(io_device_of_type((uint64_t)(int64_t)(int32_t)0xFF534D42), IO_DEVICE_NETWORK);
}

/* Of this machine nothing is known but that it answers. */
static void the_real_thing(void **state)
{
    const char *dir = tempdir_make();
    struct stat st;

    (void)state;
    assert_int_equal(stat(dir, &st), 0);
    assert_true(io_device_of(dir, st.st_dev, 0) <= IO_DEVICE_NETWORK);
    assert_int_equal(io_device_of("/nowhere", 0, 0), IO_DEVICE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disks_and_their_partitions),
        cmocka_unit_test(types),
        cmocka_unit_test(the_real_thing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
