/*
 * micro_main.c: bench-micro: what each inner operation of a scan costs by itself, on one core.
 *
 * All of it works on the blocks, objects and items of one image, for what an item costs depends on
 * its properties and what a block costs on its bytes. The least of the rounds counts.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench/micro.h"
#include "io/err.h"

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double each_ns(const struct micro_result *r)
{
    return r->ops ? (double)r->ns / (double)r->ops : 0;
}

void micro_add(struct micro *m, const struct micro_result *r)
{
    for (unsigned i = 0; i < m->count; i++)
        if (!strcmp(m->results[i].name, r->name)) {
            if (each_ns(r) < each_ns(&m->results[i]))
                m->results[i] = *r;
            return;
        }
    if (m->count < MICRO_RESULTS)
        m->results[m->count++] = *r;
}

int micro_time(struct micro *m, const char *name, const char *each,
               int (*run)(void *ctx, struct micro_pass *pass), void *ctx)
{
    int rc = 0;

    for (unsigned i = 0; i < m->rounds && !rc; i++) {
        struct micro_result r = {.name = name, .each = each};
        uint64_t from = cpu_ns();

        do {
            struct micro_pass pass = {0};

            rc = run(ctx, &pass);
            r.ops += pass.ops;
            r.bytes += pass.bytes;
            r.ns = cpu_ns() - from;
        } while (!rc && r.ns < m->least_ns);
        if (!rc && r.ops)
            micro_add(m, &r);
    }
    return rc;
}

static void print_text(const struct micro *m)
{
    printf("%-28s %-9s %12s %10s %9s\n", "operation", "each", "ns/op", "bytes/op", "GB/s");
    for (unsigned i = 0; i < m->count; i++) {
        const struct micro_result *r = &m->results[i];

        printf("%-28s %-9s %12.1f %10.0f %9.2f\n", r->name, r->each, each_ns(r),
               (double)r->bytes / (double)r->ops, (double)r->bytes / (double)r->ns);
    }
}

static int write_json(const struct micro *m, const char *path)
{
    FILE *f = fopen(path, "we");

    if (!f)
        return ERR_SYS;
    fprintf(f, "{\"format\":\"%s\",\"crypt\":\"%s\",\"rounds\":%u,\"operations\":[",
            ost_format_name(m->image.header.format), ost_crypt_name(m->image.header.crypt),
            m->rounds);
    for (unsigned i = 0; i < m->count; i++) {
        const struct micro_result *r = &m->results[i];

        fprintf(f,
                "%s{\"name\":\"%s\",\"each\":\"%s\",\"ops\":%" PRIu64 ",\"bytes\":%" PRIu64
                ",\"ns\":%" PRIu64 ",\"ns_op\":%.1f,\"gb_s\":%.3f}",
                i ? "," : "", r->name, r->each, r->ops, r->bytes, r->ns, each_ns(r),
                (double)r->bytes / (double)r->ns);
    }
    fputs("]}\n", f);
    return fclose(f) ? ERR_SYS : 0;
}

static int parse(int argc, char **argv, struct micro *m, const char **json)
{
    static const struct option options[] = {{"rounds", required_argument, NULL, 'r'},
                                            {"folder", required_argument, NULL, 'f'},
                                            {"smoke", no_argument, NULL, 's'},
                                            {"json", required_argument, NULL, 'j'},
                                            {0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'r')
            m->rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'f')
            m->folder = optarg;
        else if (c == 'j')
            *json = optarg;
        else if (c == 's')
            m->least_ns = 1, m->rounds = 1;
        else
            return -1;
    }
    return optind + 1 != argc || !m->rounds || !m->folder ? -1 : 0;
}

static int open_image(struct micro *m, const char *path)
{
    struct fault fault;
    size_t size;
    void *bytes;
    int rc = io_file_open(path, IO_FILE_FOLLOW, &m->file, &fault);

    if (rc)
        return rc;
    size = (size_t)m->file.id.size_bytes;
    bytes = mmap(NULL, size ? size : 1, PROT_READ, MAP_SHARED | MAP_POPULATE, m->file.fd, 0);
    return bytes == MAP_FAILED ? ERR_SYS : mapped_open(bytes, size, &m->image);
}

int main(int argc, char **argv)
{
    static struct micro m = {.rounds = 5, .least_ns = 100000000, .most_bytes = 64 << 20};
    const char *json = NULL;
    int rc;

    if (parse(argc, argv, &m, &json)) {
        fputs("Usage: bench-micro --folder FOLDER [--rounds N] [--smoke] [--json FILE] IMAGE\n",
              stderr);
        return 2;
    }
    rc = open_image(&m, argv[optind]);
    if (!rc)
        rc = micro_blocks(&m);
    if (!rc)
        rc = micro_objects(&m);
    if (!rc)
        rc = micro_items(&m);
    if (!rc)
        print_text(&m);
    if (!rc && json)
        rc = write_json(&m, json);
    if (rc)
        fprintf(stderr, "bench-micro: %s: %s\n", argv[optind], err_text(rc));
    mapped_close(&m.image);
    io_file_close(&m.file);
    return rc ? 3 : 0;
}
