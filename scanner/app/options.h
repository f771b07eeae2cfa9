/*
 * options.h: the command line, checked.
 *
 * One table holds every option with the commands it belongs to and its help line; parsing and
 * --help both come from it, so neither can miss what the other knows.
 *
 * Ownership: strings point into argv. `paths` and `options_given` are freed by options_done.
 */
#ifndef SCANNER_APP_OPTIONS_H
#define SCANNER_APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index/hash.h"
#include "io/reader.h"

enum command {
    COMMAND_SCAN = 1,
    COMMAND_SHOW = 2,
    COMMAND_CHECK = 4,
    COMMAND_DUPS = 8,
    COMMAND_COMPARE = 16,
    COMMAND_ADVICE = 32
};

enum fail_on { FAIL_NEVER, FAIL_CORRUPT, FAIL_FINDING, FAIL_DUPLICATE, FAIL_DIFFERENCE };

enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

enum output_format { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_CSV };

/* compare --window: what an OST is taken to hold. */
struct window_option {
    enum { WINDOW_INFER, WINDOW_ALL, WINDOW_SINCE, WINDOW_LAST } kind;
    int64_t since;  /* SINCE: seconds since 1970 */
    unsigned count; /* LAST: of `unit`, before the image's last change */
    char unit;      /* 'd', 'w', 'm', 'y' */
};

struct options {
    enum command command;
    const char **paths;
    size_t path_count;
    const char *out;
    const char *files_from;
    bool files_null;
    bool all_files;
    bool recall;
    bool force;             /* scan: read again what an earlier run holds unchanged */
    unsigned shard, shards; /* scan: this machine's share, from 1; 0 of 0: all */
    bool follow;
    bool redact;
    const char *redact_key;
    unsigned jobs;
    uint64_t memory_bytes;
    unsigned read_timeout; /* seconds; 0: none */
    const char *engine;
    unsigned crosscheck; /* scan: percent of items that libpff reads too; 0: none */
    enum io_backend io;
    bool direct;
    enum { DEVICE_AUTO, DEVICE_FLASH, DEVICE_DISK } device; /* what images lie on */
    uint64_t max_rate; /* bytes of images read a second; 0: no bound */
    bool deep;         /* check: inflate every block */
    enum idx_algorithm digest;
    enum progress_mode progress;
    enum output_format output;
    enum fail_on fail_on;
    struct window_option window;
    const char *map;    /* compare: which file belongs to which image */
    const char *server; /* advice: file or folder to compare with; NULL: none */
    unsigned types;     /* show: bit set of 1u << enum idx_record; 0: all */
    bool quiet;
    unsigned verbose;
    /* "name=value" of what differs from the defaults, for the `scan` record. Owned. */
    char **given;
    size_t given_count;
};

/* What options_parse found. */
enum options_result {
    OPTIONS_RUN,   /* *o is filled; options_done when finished with it */
    OPTIONS_HELP,  /* help or version was asked for and printed: exit 0 */
    OPTIONS_USAGE, /* wrong usage, said on standard error: exit 2 */
    OPTIONS_FAILED /* no memory, said there too: exit 1 */
};

enum options_result options_parse(int argc, char **argv, struct options *o);
void options_done(struct options *o);

/* "64M", "2G", "1.5G", "4096": bytes, powers of 1024; false when it is no size. */
bool options_size(const char *text, uint64_t *bytes);

/* --read-timeout; 0: none. */
static inline uint64_t options_read_timeout_ns(const struct options *o)
{
    return o->read_timeout * UINT64_C(1000000000);
}

#endif
