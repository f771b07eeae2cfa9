/*
 * sandbox.h: what the libpff child may still do once it has begun: read the image, write to its
 * pipe, compute. Nothing else, whatever an image makes libpff do.
 *
 * Three walls, each for itself: limits (memory, CPU time, no file that is not open already, no byte
 * to a file, no process), no_new_privs, and a seccomp filter of the system calls that are left.
 *
 * Threads: the calling one, before there are others.
 */
#ifndef SCANNER_REF_SANDBOX_H
#define SCANNER_REF_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Limits and filter. *filtered is false where the kernel has no seccomp filters, or a sanitizer or
 * Valgrind watches, which could not work behind one: the other walls stand then, and whoever asked
 * says so. ERR_CHILD: the parent is gone; ERR_NOMEM, ERR_SYS: the child must not go on.
 */
int ref_confine(uint64_t memory_bytes, uint64_t cpu_seconds, bool *filtered);

#endif
