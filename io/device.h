/*
 * device.h: what kind of device a file lies on.
 *
 * Threads: any.
 */
#ifndef IO_DEVICE_H
#define IO_DEVICE_H

#include <stdint.h>

enum io_device {
    IO_DEVICE_UNKNOWN, /* memory, or nobody says */
    IO_DEVICE_FLASH,   /* reads at once do not hinder each other */
    IO_DEVICE_DISK,    /* it seeks */
    IO_DEVICE_NETWORK, /* each read has a round trip, and others use it too */
};

/* Of the file system that `path` is on and that has the number `device` (st_dev); `share`: what may
 * hang (io/patient.h). */
enum io_device io_device_of(const char *path, uint64_t device, uint64_t share);

/* For tests: the two questions. `blocks`: the folder that stands for /sys/dev/block; UNKNOWN: it
 * has no such device, or that of a guest, whose host says nothing. */
enum io_device io_device_rotates(const char *blocks, unsigned major, unsigned minor);
/* type: f_type of statfs. NETWORK or UNKNOWN. */
enum io_device io_device_of_type(uint64_t type);

#endif
