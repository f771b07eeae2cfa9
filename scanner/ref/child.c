/*
 * child.c: the child's main (pff.h): its sandbox, the image on descriptor 3, libpff, the wire on
 * descriptor 4.
 *
 * It reads by pread, whatever backend the run has: the sandbox (sandbox.h) leaves it nothing else.
 *
 * Arguments: --libpff-child MEMORY CPU_SECONDS SIZE PERCENT RATE. Its exit status: 0 all was
 * said (WIRE_DONE); 1 it could not go on (memory, or nobody listens); 2 it could not even begin.
 */
#include "scanner/ref/pff.h"

#include <libpff.h>
#include <stdlib.h>
#include <string.h>

#include "io/child.h"
#include "io/rate.h"
#include "io/source.h"
#include "scanner/ref/bfio.h"
#include "scanner/ref/reader.h"
#include "scanner/ref/sandbox.h"

enum { EXIT_DONE = 0, EXIT_BROKE_OFF = 1, EXIT_UNFIT = 2 };

enum { PROGRESS_STEPS = 100 };

struct arguments {
    uint64_t memory_bytes, cpu_seconds, size_bytes, percent, rate;
};

static bool parse_number(const char *text, uint64_t *out)
{
    char *end;

    *out = strtoull(text, &end, 10);
    return *text && !*end;
}

static bool parse_arguments(int argc, char **argv, struct arguments *a)
{
    return argc == 7 && parse_number(argv[2], &a->memory_bytes) &&
           parse_number(argv[3], &a->cpu_seconds) && parse_number(argv[4], &a->size_bytes) &&
           parse_number(argv[5], &a->percent) && a->percent <= 100 &&
           parse_number(argv[6], &a->rate);
}

/* What the device refused, said once a failed object, so that it is not taken for damage. */
static void report_fault(struct wire *w, struct bfio *bfio)
{
    const struct fault *fault = &bfio->fault;
    struct finding finding =
        finding_of(fault->code == ERR_RANGE ? F_truncated_while_read : F_read_failed);

    if (!fault->code)
        return;
    finding.has_offset = true;
    finding.offset = fault->offset;
    finding.length = fault->length;
    finding.detail = err_text(fault->code);
    wire_finding(w, &finding);
    bfio->fault = (struct fault){0};
}

static int send_items(struct reader *r, struct bfio *bfio, uint64_t size_bytes)
{
    size_t count = r->tree.count, step = count / PROGRESS_STEPS + 1;
    int code = 0;

    for (size_t i = 0; i < count && !code; i++) {
        struct tree_node *node = &r->tree.nodes[i];

        if (reader_wants(r, node->nid)) {
            code = reader_send_item(r, node);
            report_fault(r->wire, bfio);
        }
        if (i % step == 0)
            wire_progress(r->wire, (uint64_t)((double)size_bytes * (double)i / (double)count));
        if (!code)
            code = wire_flush(r->wire);
    }
    return code;
}

static void refuse(struct wire *w, const char *why)
{
    struct finding finding = finding_of(F_engine_open_failed);

    finding.detail = why;
    wire_finding(w, &finding);
}

static int send_content(struct wire *w, libpff_file_t *file, struct bfio *bfio, unsigned percent)
{
    struct reader reader;
    int code = reader_init(&reader, w, file);

    if (code)
        return code;
    reader.percent = percent;
    if (!reader.tree.count) {
        report_fault(w, bfio);
        refuse(w, "it holds no node that libpff can read");
        goto out;
    }
    code = reader_send_image(&reader);
    if (!code)
        code = reader_send_folders(&reader);
    report_fault(w, bfio);
    if (!code)
        code = wire_flush(w);
    if (!code)
        code = send_items(&reader, bfio, bfio->source->size_bytes);
out:
    reader_done(&reader);
    return code;
}

static int read_image(struct wire *w, struct bfio *bfio, unsigned percent)
{
    libpff_file_t *file = NULL;
    libpff_error_t *error = NULL;
    char why[WIRE_TEXT_MAX + 1];
    int code = 0;

    if (libpff_file_initialize(&file, &error) != 1) {
        libpff_error_free(&error);
        return ERR_NOMEM;
    }
    if (libpff_file_open_file_io_handle(file, bfio->handle, LIBPFF_OPEN_READ, &error) != 1) {
        report_fault(w, bfio);
        entries_reason(&error, why);
        refuse(w, why);
    } else {
        code = send_content(w, file, bfio, percent);
        libpff_file_close(file, NULL);
    }
    libpff_file_free(&file, NULL);
    return code;
}

static int run(struct io_source *source, unsigned percent, bool filtered)
{
    struct bfio bfio;
    struct wire wire;
    int code = bfio_init(&bfio, source);

    if (code)
        return code;
    wire_init(&wire, IO_CHILD_PIPE_FD);
    if (!filtered && !io_child_is_watched()) {
        struct finding finding = finding_of(F_engine_unfiltered);

        wire_finding(&wire, &finding);
    }
    code = read_image(&wire, &bfio, percent);
    if (!code)
        wire_finish(&wire);
    if (wire_flush(&wire) && !code)
        code = wire.error;
    wire_done(&wire);
    bfio_done(&bfio);
    return code;
}

int ref_child_main(int argc, char **argv)
{
    struct arguments arguments;
    struct io_source *source = NULL;
    int status = EXIT_UNFIT;
    bool filtered;

    if (!parse_arguments(argc, argv, &arguments))
        return EXIT_UNFIT;
    libpff_notify_set_verbose(0);
    io_rate_limit(arguments.rate, 1, NULL);
    if (!ref_confine(arguments.memory_bytes, arguments.cpu_seconds, &filtered) &&
        !io_source_open_pread(IO_CHILD_FILE_FD, arguments.size_bytes, &source))
        status = run(source, (unsigned)arguments.percent, filtered) ? EXIT_BROKE_OFF : EXIT_DONE;
    io_source_close(source);
    return status;
}
