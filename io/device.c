/*
 * device.c: see device.h. A partition has no queue of its own: its disk's folder is the one above.
 * A guest's disk (virtio, Xen) is called rotational where its host has said nothing, which is most
 * of them: only "no" is an answer there.
 */
#include "io/device.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "io/patient.h"

/* linux/magic.h has some of them; the others belong to modules of their own. */
static const uint64_t network[] = {
    0x6969,     /* NFS */
    0x517B,     /* SMB */
    0xFF534D42, /* CIFS */
    0xFE534D42, /* SMB 2 */
    0x01021997, /* 9P */
    0x00C36400, /* Ceph */
    0x5346414F, /* AFS */
    0x6B414653, /* kAFS */
    0x73757245, /* Coda */
    0x564C,     /* NCP */
    0x0BD00BD0, /* Lustre */
    0x47504653, /* GPFS */
    0x7461636F, /* OCFS2 */
    0x01161970, /* GFS2 */
    0x19830326, /* BeeGFS */
    0xAAD7AAEA, /* PanFS */
};

enum io_device io_device_of_type(uint64_t type)
{
    for (unsigned i = 0; i < sizeof network / sizeof *network; i++)
        if ((uint32_t)type == network[i])
            return IO_DEVICE_NETWORK;
    return IO_DEVICE_UNKNOWN;
}

/* What one of those files says. */
static enum io_device answer(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char said = '\0';

    if (fd < 0)
        return IO_DEVICE_UNKNOWN;
    if (read(fd, &said, 1) != 1)
        said = '\0';
    close(fd);
    return said == '1' ? IO_DEVICE_DISK : said == '0' ? IO_DEVICE_FLASH : IO_DEVICE_UNKNOWN;
}

/* By the name of the disk's folder. */
static bool is_of_guest(const char *folder)
{
    char path[PATH_MAX];
    const char *name = realpath(folder, path) ? strrchr(path, '/') : NULL;

    return name && (strncmp(name, "/vd", 3) == 0 || strncmp(name, "/xvd", 4) == 0);
}

enum io_device io_device_rotates(const char *blocks, unsigned major, unsigned minor)
{
    static const char *const above[] = {"", "/.."};
    enum io_device device = IO_DEVICE_UNKNOWN;
    char path[4096];

    for (unsigned i = 0; i < 2 && device == IO_DEVICE_UNKNOWN; i++) {
        snprintf(path, sizeof path, "%s/%u:%u%s/queue/rotational", blocks, major, minor, above[i]);
        device = answer(path);
        snprintf(path, sizeof path, "%s/%u:%u%s", blocks, major, minor, above[i]);
        if (device == IO_DEVICE_DISK && is_of_guest(path))
            return IO_DEVICE_UNKNOWN;
    }
    return device;
}

enum io_device io_device_of(const char *path, uint64_t device, uint64_t share)
{
    struct statfs fs;

    if (patient_statfs(share, path, &fs) == 0 &&
        io_device_of_type((uint64_t)fs.f_type) == IO_DEVICE_NETWORK)
        return IO_DEVICE_NETWORK;
    return io_device_rotates("/sys/dev/block", major(device), minor(device));
}
