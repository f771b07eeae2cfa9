/* options.c: see options.h. */
#include "scanner/app/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index/manifest.h"
#include "index/times.h"
#include "io/buf.h"
#include "io/mem.h"
#include "scanner/app/commands.h"

enum {
    OPT_OUT = 'o',
    OPT_FOLLOW = 'L',
    OPT_QUIET = 'q',
    OPT_VERBOSE = 'v',
    OPT_HELP = 'h',
    OPT_FIRST_LONG = 256
};

enum long_only {
    OPT_JOBS = OPT_FIRST_LONG,
    OPT_MEMORY,
    OPT_READ_TIMEOUT,
    OPT_ENGINE,
    OPT_CROSSCHECK,
    OPT_IO,
    OPT_DIRECT,
    OPT_DIGEST,
    OPT_ALL_FILES,
    OPT_FILES_FROM,
    OPT_NULL,
    OPT_RECALL,
    OPT_FORCE,
    OPT_SHARD,
    OPT_REDACT,
    OPT_REDACT_KEY,
    OPT_FAIL_ON,
    OPT_PROGRESS,
    OPT_JSON,
    OPT_CSV,
    OPT_TYPE,
    OPT_VERSION,
    OPT_DEEP,
    OPT_WINDOW,
    OPT_MAP,
    OPT_SERVER,
    OPT_MAX_RATE,
    OPT_DEVICE,
};

enum {
    ALL_COMMANDS = COMMAND_SCAN | COMMAND_SHOW | COMMAND_CHECK | COMMAND_DUPS | COMMAND_COMPARE |
                   COMMAND_ADVICE
};

static const struct entry {
    const char *name;
    int value;
    const char *argument; /* NULL: takes none */
    unsigned commands;
    const char *help;
} entries[] = {
    {"output", OPT_OUT, "OUT", COMMAND_SCAN, "folder for manifests and summary (made if missing)"},
    {"output", OPT_OUT, "FILE", COMMAND_DUPS, "write the groups to FILE too (.jsonl.zst)"},
    {"jobs", OPT_JOBS, "N", COMMAND_SCAN | COMMAND_CHECK,
     "images read at once (default: processors)"},
    {"jobs", OPT_JOBS, "N", COMMAND_DUPS, "manifests read at once (default: processors)"},
    {"server", OPT_SERVER, "SERVER", COMMAND_ADVICE,
     "compare with this first (`ostscan compare --help`)"},
    {"window", OPT_WINDOW, "WHAT", COMMAND_COMPARE | COMMAND_ADVICE,
     "what an OST holds: all, 12m (d, w, m, y), or from 2026-01-31 on (default: inferred)"},
    {"map", OPT_MAP, "FILE", COMMAND_COMPARE | COMMAND_ADVICE,
     "CSV with the columns image,server: which file of FOLDER belongs to which image"},
    {"memory", OPT_MEMORY, "SIZE",
     COMMAND_SCAN | COMMAND_CHECK | COMMAND_DUPS | COMMAND_COMPARE | COMMAND_ADVICE,
     "memory for the run (default: a quarter of RAM, at most 2G)"},
    {"engine", OPT_ENGINE, "NAME", COMMAND_SCAN | COMMAND_COMPARE,
     "native or libpff (default: native)"},
    {"crosscheck", OPT_CROSSCHECK, "PERCENT", COMMAND_SCAN,
     "read that share of items by libpff too, and report differences"},
    {"io", OPT_IO, "NAME", COMMAND_SCAN | COMMAND_CHECK | COMMAND_COMPARE,
     "auto, uring or pread (default: auto)"},
    {"read-timeout", OPT_READ_TIMEOUT, "SECONDS", COMMAND_SCAN | COMMAND_CHECK | COMMAND_COMPARE,
     "give up what is not answered for longer (default: 120; 0: never)"},
    {"direct", OPT_DIRECT, NULL, COMMAND_SCAN | COMMAND_CHECK, "bypass the page cache"},
    {"device", OPT_DEVICE, "KIND", COMMAND_SCAN | COMMAND_CHECK,
     "what images lie on: auto, flash, or disk (one reader, in order) (default: auto)"},
    {"max-rate", OPT_MAX_RATE, "BYTES", COMMAND_SCAN | COMMAND_CHECK,
     "read at most so many bytes a second, e.g. 100M (default: no bound)"},
    {"digest", OPT_DIGEST, "NAME", COMMAND_SCAN, "xxh3 or sha256 (default: xxh3)"},
    {"all-files", OPT_ALL_FILES, NULL, COMMAND_SCAN | COMMAND_CHECK,
     "probe every file by its content, whatever its name"},
    {"files-from", OPT_FILES_FROM, "FILE", COMMAND_SCAN | COMMAND_CHECK,
     "read PATHs from FILE, one a line (- : standard input)"},
    {"null", OPT_NULL, NULL, COMMAND_SCAN | COMMAND_CHECK, "PATHs in FILE end in NUL"},
    {"recall", OPT_RECALL, NULL, COMMAND_SCAN | COMMAND_CHECK,
     "read placeholder files too (pulls them back from their archive)"},
    {"force", OPT_FORCE, NULL, COMMAND_SCAN,
     "read again what an earlier run of the same OUT holds unchanged"},
    {"shard", OPT_SHARD, "I/N", COMMAND_SCAN,
     "only share I of N, for N machines with one OUT; no duplicates (see dups)"},
    {"follow", OPT_FOLLOW, NULL, COMMAND_SCAN | COMMAND_CHECK,
     "follow symbolic links below the PATHs"},
    {"redact", OPT_REDACT, NULL, COMMAND_SCAN,
     "key subjects, names, addresses, paths, ids and digests in all of OUT"},
    {"redact-key", OPT_REDACT_KEY, "FILE", COMMAND_SCAN, "the key: all bytes of FILE, at least 16"},
    {"redact-key", OPT_REDACT_KEY, "FILE", COMMAND_COMPARE | COMMAND_ADVICE,
     "the key of a redacted manifest, for a server's PST or OST"},
    {"deep", OPT_DEEP, NULL, COMMAND_CHECK, "inflate every block, not only what must be read"},
    {"fail-on", OPT_FAIL_ON, "WHAT", COMMAND_SCAN | COMMAND_CHECK,
     "exit 4 on corrupt or on any finding (default: scan never, check corrupt)"},
    {"fail-on", OPT_FAIL_ON, "WHAT", COMMAND_DUPS,
     "exit 4 on duplicate: of an item or an image (default: never)"},
    {"fail-on", OPT_FAIL_ON, "WHAT", COMMAND_COMPARE,
     "exit 4 on difference: between the two sides (default: never)"},
    {"type", OPT_TYPE, "LIST", COMMAND_SHOW,
     "only these records: scan,image,folder,item,finding,verdict,end"},
    {"json", OPT_JSON, NULL, ALL_COMMANDS, "JSON Lines instead of text"},
    {"csv", OPT_CSV, NULL, COMMAND_SHOW | COMMAND_DUPS | COMMAND_COMPARE | COMMAND_ADVICE,
     "CSV instead of text"},
    {"progress", OPT_PROGRESS, "WHEN", COMMAND_SCAN | COMMAND_CHECK,
     "auto, always or never (default: auto)"},
    {"quiet", OPT_QUIET, NULL, ALL_COMMANDS, "only results and errors"},
    {"verbose", OPT_VERBOSE, NULL, COMMAND_SCAN | COMMAND_SHOW | COMMAND_CHECK,
     "more about each image"},
    {"verbose", OPT_VERBOSE, NULL, COMMAND_DUPS, "every group with its members"},
    {"verbose", OPT_VERBOSE, NULL, COMMAND_COMPARE, "every folder, and every item that differs"},
    {"verbose", OPT_VERBOSE, NULL, COMMAND_ADVICE, "every folder and item concerned"},
    {"version", OPT_VERSION, NULL, ALL_COMMANDS, "print the version"},
    {"help", OPT_HELP, NULL, ALL_COMMANDS, "print this help"},
};

enum { ENTRIES = sizeof entries / sizeof entries[0] };

static const struct command_info {
    const char *name;
    enum command command;
    const char *usage;
    const char *about;
} commands[] = {
    {"scan", COMMAND_SCAN, "ostscan scan -o OUT [OPTION…] PATH…",
     "Finds Outlook images (.ost, .pst, .old, .bak, .nst) below the PATHs, reads each once,\n"
     "fingerprints its items and writes one manifest an image and the run's summary to OUT.\n"
     "Images are never written to."},
    {"check", COMMAND_CHECK, "ostscan check [OPTION…] PATH…",
     "Checks the structure of images: every page and block verified, every redundancy of the\n"
     "format reconciled. Prints findings, the worst first; writes nothing."},
    {"show", COMMAND_SHOW, "ostscan show [OPTION…] MANIFEST…",
     "Prints manifests as a table, as JSON Lines or as CSV. A manifest that is cut short or\n"
     "altered is noticed: exit status 3."},
    {"dups", COMMAND_DUPS, "ostscan dups [OPTION…] OUT|MANIFEST…",
     "Finds duplicate items, attachments and whole images, within and across images, from the\n"
     "manifests of scans. OUT stands for all manifests in it. Nothing is deleted or changed.\n"
     "Under XXH3 digests duplicates are candidates; `scan --digest sha256` makes them evidence."},
    {"compare", COMMAND_COMPARE, "ostscan compare [OPTION…] MANIFEST|OUT SERVER|FOLDER",
     "Compares the image of a manifest, or each image of a scan's OUT, with what the server "
     "holds,\n"
     "per item and per folder. SERVER, told by its content, is a manifest; a PST or OST, such as "
     "a\n"
     "mailbox export (it is scanned); the CSV of Get-MailboxFolderStatistics; JSON of Microsoft\n"
     "Graph; or the items CSV of an eDiscovery export. The files of a FOLDER are matched to "
     "images\n"
     "by store name, address, file name, or --map. Given the manifest of a .old file and that of\n"
     "the rebuilt OST, it answers whether the OST was the cause. It claims no more than the input\n"
     "proves, and never that something may be deleted."},
    {"advice", COMMAND_ADVICE, "ostscan advice [OPTION…] MANIFEST|OUT…",
     "Says what the person at the desk should do about an image, step by step, with the folders\n"
     "and items concerned; for an OUT (or several manifests) a line an image, the worst first."},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_exit_statuses(void)
{
    puts("\nExit status: 0 done; 1 the program failed; 2 wrong usage; 3 done, but something could\n"
         "not be read or written, or a manifest is incomplete; 4 what --fail-on names was found;\n"
         "130 interrupted.");
}

static void print_overview(void)
{
    puts("ostscan: scans Outlook OST and PST images, offline and read-only.\n\nCommands:");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %s\n", commands[i].usage);
    puts("\n`ostscan COMMAND --help` tells more about each.");
    print_exit_statuses();
}

static void print_help(const struct command_info *info)
{
    printf("usage: %s\n\n%s\n\nOptions:\n", info->usage, info->about);
    for (int i = 0; i < ENTRIES; i++) {
        const struct entry *e = &entries[i];
        char left[64];

        if (!(e->commands & info->command))
            continue;
        snprintf(left, sizeof left, "%s%c%s--%s%s%s", e->value < OPT_FIRST_LONG ? "-" : "",
                 e->value < OPT_FIRST_LONG ? e->value : ' ',
                 e->value < OPT_FIRST_LONG ? ", " : "   ", e->name, e->argument ? " " : "",
                 e->argument ? e->argument : "");
        printf("  %-24s %s\n", left, e->help);
    }
    print_exit_statuses();
}

bool options_size(const char *text, uint64_t *bytes)
{
    static const char units[] = "KMGT";
    char *end;
    double value;
    unsigned shift = 0;

    if (*text < '0' || *text > '9')
        return false;
    value = strtod(text, &end);
    if (*end) {
        const char *unit = strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end);

        if (!unit)
            return false;
        shift = 10 * (unsigned)(unit - units + 1);
        end++;
        if (strcmp(end, "iB") == 0 || strcmp(end, "B") == 0)
            end += strlen(end);
    }
    value *= (double)(UINT64_C(1) << shift);
    if (*end || !(value >= 0) || value > 9e18)
        return false;
    *bytes = (uint64_t)value;
    return true;
}

enum {
    MEMORY_LEAST = 16 << 20,
    RATE_LEAST = 4096,
    JOBS_MOST = 1024,
    READ_TIMEOUT = 120,
    SECONDS_MOST = 86400,
    SHARDS_MOST = 10000
};

static bool parse_count(const char *text, unsigned most, unsigned *out)
{
    char *end;
    unsigned long value;

    if (*text < '0' || *text > '9')
        return false;
    value = strtoul(text, &end, 10);
    if (*end || value < 1 || value > most)
        return false;
    *out = (unsigned)value;
    return true;
}

/* A size, with or without "/s". */
static bool parse_rate(const char *text, uint64_t *out)
{
    char size[32];
    size_t length = strlen(text);

    if (length > 2 && strcmp(text + length - 2, "/s") == 0)
        length -= 2;
    if (length >= sizeof size)
        return false;
    memcpy(size, text, length);
    size[length] = '\0';
    return options_size(size, out) && *out >= RATE_LEAST;
}

static bool parse_seconds(const char *text, unsigned *out)
{
    if (strcmp(text, "0") != 0)
        return parse_count(text, SECONDS_MOST, out);
    *out = 0;
    return true;
}

/* "I/N" with 1 <= I <= N. */
static bool parse_shard(const char *text, struct options *o)
{
    char shard[16];
    size_t size = strcspn(text, "/");

    if (text[size] != '/' || size >= sizeof shard)
        return false;
    memcpy(shard, text, size);
    shard[size] = '\0';
    return parse_count(text + size + 1, SHARDS_MOST, &o->shards) &&
           parse_count(shard, o->shards, &o->shard);
}

/* The index of `text` among `names` (NULL-terminated), or -1. */
static int one_of(const char *text, const char *const names[])
{
    for (int i = 0; names[i]; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    return -1;
}

static bool parse_types(const char *text, unsigned *out)
{
    unsigned types = 0;

    for (;;) {
        size_t size = strcspn(text, ",");
        int type = idx_record_by_name(text, size);

        if (type < 0)
            return false;
        types |= 1u << type;
        if (!text[size])
            break;
        text += size + 1;
    }
    *out = types;
    return true;
}

static bool parse_window(const char *text, struct window_option *w)
{
    char *end;
    unsigned long count;

    if (strcmp(text, "all") == 0) {
        w->kind = WINDOW_ALL;
        return true;
    }
    if (idx_time_parse(bytes_text(text), &w->since)) {
        w->kind = WINDOW_SINCE;
        return true;
    }
    if (*text < '1' || *text > '9')
        return false;
    count = strtoul(text, &end, 10);
    if (!*end || end[1] || !strchr("dwmy", *end) || count > 10000)
        return false;
    *w = (struct window_option){.kind = WINDOW_LAST, .count = (unsigned)count, .unit = *end};
    return true;
}

/* What may be named depends on what the command finds. */
static bool parse_fail_on(const char *text, struct options *o)
{
    static const char *const scans[] = {"never", "corrupt", "finding", NULL};
    static const char *const dups[] = {"never", "duplicate", NULL};
    static const char *const compares[] = {"never", "difference", NULL};
    int choice;

    if (o->command == COMMAND_DUPS) {
        choice = one_of(text, dups);
        o->fail_on = choice > 0 ? FAIL_DUPLICATE : FAIL_NEVER;
    } else if (o->command == COMMAND_COMPARE) {
        choice = one_of(text, compares);
        o->fail_on = choice > 0 ? FAIL_DIFFERENCE : FAIL_NEVER;
    } else {
        choice = one_of(text, scans);
        o->fail_on = (enum fail_on)choice;
    }
    return choice >= 0;
}

/* Applies one option that has no argument. */
static void apply_flag(struct options *o, int value)
{
    switch (value) {
    case OPT_NULL:
        o->files_null = true;
        break;
    case OPT_ALL_FILES:
        o->all_files = true;
        break;
    case OPT_RECALL:
        o->recall = true;
        break;
    case OPT_FORCE:
        o->force = true;
        break;
    case OPT_FOLLOW:
        o->follow = true;
        break;
    case OPT_REDACT:
        o->redact = true;
        break;
    case OPT_DEEP:
        o->deep = true;
        break;
    case OPT_DIRECT:
        o->direct = true;
        break;
    case OPT_JSON:
        o->output = OUTPUT_JSON;
        break;
    case OPT_CSV:
        o->output = OUTPUT_CSV;
        break;
    case OPT_QUIET:
        o->quiet = true;
        break;
    default:
        o->verbose++;
        break;
    }
}

/* Applies one option; false when its argument is no good. */
static bool apply(struct options *o, int value, const char *argument)
{
    static const char *const backends[] = {"auto", "uring", "pread", NULL};
    static const char *const devices[] = {"auto", "flash", "disk", NULL};
    static const char *const digests[] = {"xxh3", "sha256", NULL};
    static const char *const progress[] = {"auto", "always", "never", NULL};
    static const char *const engines[] = {"native", "libpff", NULL};
    int choice = 0;

    switch (value) {
    case OPT_OUT:
        o->out = argument;
        return *argument != '\0';
    case OPT_JOBS:
        return parse_count(argument, JOBS_MOST, &o->jobs);
    case OPT_MEMORY:
        return options_size(argument, &o->memory_bytes) && o->memory_bytes >= MEMORY_LEAST;
    case OPT_DEVICE:
        choice = one_of(argument, devices);
        o->device = choice == 1 ? DEVICE_FLASH : choice == 2 ? DEVICE_DISK : DEVICE_AUTO;
        return choice >= 0;
    case OPT_MAX_RATE:
        return parse_rate(argument, &o->max_rate);
    case OPT_READ_TIMEOUT:
        return parse_seconds(argument, &o->read_timeout);
    case OPT_ENGINE:
        o->engine = argument;
        return one_of(argument, engines) >= 0;
    case OPT_CROSSCHECK:
        return parse_count(argument, 100, &o->crosscheck);
    case OPT_IO:
        o->io = (enum io_backend)(choice = one_of(argument, backends));
        return choice >= 0;
    case OPT_DIGEST:
        o->digest = (enum idx_algorithm)(choice = one_of(argument, digests));
        return choice >= 0;
    case OPT_PROGRESS:
        o->progress = (enum progress_mode)(choice = one_of(argument, progress));
        return choice >= 0;
    case OPT_FAIL_ON:
        return parse_fail_on(argument, o);
    case OPT_WINDOW:
        return parse_window(argument, &o->window);
    case OPT_SERVER:
        o->server = argument;
        return *argument != '\0';
    case OPT_MAP:
        o->map = argument;
        return *argument != '\0';
    case OPT_TYPE:
        return parse_types(argument, &o->types);
    case OPT_FILES_FROM:
        o->files_from = argument;
        return *argument != '\0';
    case OPT_SHARD:
        return parse_shard(argument, o);
    case OPT_REDACT_KEY:
        o->redact_key = argument;
        return *argument != '\0';
    default:
        apply_flag(o, value);
        return true;
    }
}

static uint64_t default_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
    uint64_t quarter = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 4 : 0;
    uint64_t most = UINT64_C(2) << 30;

    if (quarter < MEMORY_LEAST)
        return MEMORY_LEAST;
    return quarter < most ? quarter : most;
}

static void set_defaults(struct options *o, enum command command)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    *o = (struct options){
        .command = command,
        .jobs = processors > 0 && processors <= JOBS_MOST ? (unsigned)processors : 1,
        .memory_bytes = default_memory(),
        .read_timeout = READ_TIMEOUT,
        .engine = "native",
        .io = IO_BACKEND_AUTO,
        .fail_on = command == COMMAND_CHECK ? FAIL_CORRUPT : FAIL_NEVER,
    };
}

static bool note_given(struct options *o, const struct entry *e, const char *argument)
{
    struct buf text = BUF_INIT;
    char **grown = mem_realloc(o->given, (o->given_count + 1) * sizeof *grown);

    if (!grown)
        return false;
    o->given = grown;
    buf_printf(&text, "%s=%s", e->name, argument ? argument : "true");
    if (!buf_cstr(&text)) {
        buf_done(&text);
        return false;
    }
    o->given[o->given_count++] = (char *)text.data;
    return true;
}

static const struct entry *entry_of(int value, enum command command)
{
    for (int i = 0; i < ENTRIES; i++)
        if (entries[i].value == value && (entries[i].commands & command))
            return &entries[i];
    return NULL;
}

static void build_getopt(enum command command, char *letters, struct option *longs)
{
    int n = 0;

    *letters++ = ':';
    for (int i = 0; i < ENTRIES; i++) {
        const struct entry *e = &entries[i];

        if (!(e->commands & command))
            continue;
        longs[n++] = (struct option){
            .name = e->name,
            .has_arg = e->argument ? required_argument : no_argument,
            .val = e->value,
        };
        if (e->value < OPT_FIRST_LONG) {
            *letters++ = (char)e->value;
            if (e->argument)
                *letters++ = ':';
        }
    }
    longs[n] = (struct option){0};
    *letters = '\0';
}

static enum options_result usage_error(const struct command_info *info, const char *what,
                                       const char *about)
{
    if (about)
        complain("%s %s", what, about);
    else
        complain("%s", what);
    fprintf(stderr, "usage: %s\nTry `ostscan %s --help`.\n", info->usage, info->name);
    return OPTIONS_USAGE;
}

static enum options_result no_memory(void)
{
    fputs("ostscan: out of memory\n", stderr);
    return OPTIONS_FAILED;
}

static enum options_result check_complete(const struct command_info *info, const struct options *o)
{
    if (o->command == COMMAND_SCAN && !o->out)
        return usage_error(info, "scan needs an output folder: -o OUT", NULL);
    if (o->command == COMMAND_SCAN && o->redact != (o->redact_key != NULL))
        return usage_error(info, "--redact and --redact-key FILE go together", NULL);
    if (o->crosscheck && strcmp(o->engine, "native") != 0)
        return usage_error(info, "--crosscheck goes with --engine native", NULL);
    if (!o->path_count && !o->files_from)
        return usage_error(info,
                           o->command == COMMAND_SHOW ? "no MANIFEST given"
                           : o->command & (COMMAND_DUPS | COMMAND_ADVICE)
                               ? "no OUT or MANIFEST given"
                           : o->command == COMMAND_COMPARE ? "no MANIFEST or OUT given"
                                                           : "no PATH given",
                           NULL);
    if (o->command == COMMAND_COMPARE && o->path_count != 2)
        return usage_error(info, "compare takes two: MANIFEST or OUT, and SERVER or FOLDER", NULL);
    if (o->files_null && !o->files_from)
        return usage_error(info, "--null goes with --files-from", NULL);
    return OPTIONS_RUN;
}

static enum options_result parse_command(const struct command_info *info, int argc, char **argv,
                                         struct options *o)
{
    char letters[2 * ENTRIES + 2];
    struct option longs[ENTRIES + 1];
    int value;

    build_getopt(info->command, letters, longs);
    optind = 1;
    while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        const struct entry *e = entry_of(value, info->command);

        if (value == OPT_HELP) {
            print_help(info);
            return OPTIONS_HELP;
        }
        if (value == OPT_VERSION) {
            puts("ostscan " OSTSCAN_VERSION);
            return OPTIONS_HELP;
        }
        if (!e)
            return usage_error(info,
                               value == ':' ? "this option needs an argument:" : "unknown option",
                               argv[optind - 1]);
        if (!apply(o, value, optarg)) {
            char what[64];

            snprintf(what, sizeof what, "not a value for --%s:", e->name);
            return usage_error(info, what, optarg);
        }
        if (!note_given(o, e, optarg))
            return no_memory();
    }
    o->paths = mem_alloc_array((size_t)(argc - optind) + 1, sizeof *o->paths);
    if (!o->paths)
        return no_memory();
    for (int i = optind; i < argc; i++)
        o->paths[o->path_count++] = argv[i];
    return check_complete(info, o);
}

enum options_result options_parse(int argc, char **argv, struct options *o)
{
    const struct command_info *info = NULL;
    enum options_result result;

    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        puts("ostscan " OSTSCAN_VERSION);
        return OPTIONS_HELP;
    }
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                      strcmp(argv[1], "help") == 0)) {
        print_overview();
        return OPTIONS_HELP;
    }
    for (int i = 0; argc >= 2 && i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            info = &commands[i];
    if (!info) {
        if (argc < 2)
            complain("no command given");
        else
            complain("no such command: %s", argv[1]);
        fputs("Try `ostscan --help`.\n", stderr);
        return OPTIONS_USAGE;
    }
    set_defaults(o, info->command);
    result = parse_command(info, argc - 1, argv + 1, o);
    if (result != OPTIONS_RUN)
        options_done(o);
    return result;
}

void options_done(struct options *o)
{
    for (size_t i = 0; i < o->given_count; i++)
        mem_free(o->given[i]);
    mem_free(o->given);
    mem_free(o->paths);
    o->given = NULL;
    o->given_count = 0;
    o->paths = NULL;
}
