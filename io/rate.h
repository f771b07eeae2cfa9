/*
 * rate.h: a bound on how many bytes of images are read a second.
 *
 * Whoever is about to read takes as many tokens as it reads bytes; they come back at the rate. A
 * bucket holds those of an eighth of a second. What is taken beyond that is a debt: the taker waits
 * until it is paid, so that over any longer while no more is read than the rate allows.
 *
 * The process has one bucket, which all readers and sources over files take from.
 *
 * Threads: any; io_rate_limit is called before they start.
 */
#ifndef IO_RATE_H
#define IO_RATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct io_rate {
    pthread_mutex_t mutex;
    uint64_t bytes_s; /* 0: no bound */
    uint64_t lent;    /* of it, to others */
    int64_t tokens;   /* below 0: debt */
    uint64_t last_ns;
};

void io_rate_init(struct io_rate *r, uint64_t bytes_s, uint64_t now_ns);
/* Takes them. How long it is then until all debt is paid. */
uint64_t io_rate_take(struct io_rate *r, uint64_t bytes, uint64_t now_ns);
/* Leaves a part of the rate, one of `parts`, to somebody else: how much; 0: there is no bound. */
uint64_t io_rate_lend(struct io_rate *r, unsigned parts, uint64_t now_ns);
void io_rate_return(struct io_rate *r, uint64_t bytes_s, uint64_t now_ns);

/* The process's. parts: of what is lent; cancel: nobody waits any more once it is set; may be NULL.
 */
void io_rate_limit(uint64_t bytes_s, unsigned parts, const atomic_bool *cancel);
/* Waits until that many bytes may be read. */
void io_rate_wait(uint64_t bytes);
uint64_t io_rate_lend_process(void);
void io_rate_return_process(uint64_t bytes_s);

#endif
