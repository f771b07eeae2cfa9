/* test_options.c: the command line, option by option, and every way to get it wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "index/manifest.h"
#include "io/mem.h"
#include "scanner/app/options.h"
#include "tests/support/capture.h"

enum { ARGUMENTS = 16 };

static struct options o;
static struct capture out, err;

/* Parses what follows "ostscan", words up to NULL; the outcome is in o, out.text and err.text. */
static enum options_result parse(const char *const words[])
{
    char *argv[ARGUMENTS + 2] = {(char *)(uintptr_t) "ostscan"};
    enum options_result result;
    int argc = 1;

    while (words[argc - 1]) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
        argc++;
    }
    memset(&o, 0xa5, sizeof o);
    capture_begin(&out, STDOUT_FILENO);
    capture_begin(&err, STDERR_FILENO);
    result = options_parse(argc, argv, &o);
    capture_end(&err);
    capture_end(&out);
    return result;
}

#define PARSE(...) parse((const char *const[ARGUMENTS]){__VA_ARGS__})

/* A command line that runs, and says nothing. */
static void assert_runs(enum options_result result)
{
    assert_string_equal(err.text, "");
    assert_string_equal(out.text, "");
    assert_int_equal(result, OPTIONS_RUN);
}

#define RUNS(...) assert_runs(PARSE(__VA_ARGS__))

/* Wrong usage: said on standard error in these words, with nothing on standard output. */
static void assert_refused(enum options_result result, const char *words)
{
    if (result != OPTIONS_USAGE)
        fail_msg("taken: %s", words);
    if (strncmp(err.text, words, strlen(words)) != 0)
        fail_msg("«%s» does not begin with «%s»", err.text, words);
    assert_string_equal(out.text, "");
}

#define REFUSED(message, ...) assert_refused(PARSE(__VA_ARGS__), "ostscan: " message "\n")

static void sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"1", 1},
        {"4096", 4096},
        {"64K", 64 << 10},
        {"64k", 64 << 10},
        {"64M", 64 << 20},
        {"64m", 64 << 20},
        {"2G", UINT64_C(2) << 30},
        {"2g", UINT64_C(2) << 30},
        {"3T", UINT64_C(3) << 40},
        {"3t", UINT64_C(3) << 40},
        {"1.5G", UINT64_C(3) << 29},
        {"0.5K", 512},
        {"64MB", 64 << 20},
        {"64MiB", 64 << 20},
        {"7T", UINT64_C(7) << 40},
        {"8000000T", UINT64_C(8000000) << 40},
        {"9007199254740992", UINT64_C(9007199254740992)},
    };
    static const char *const bad[] = {
        "",       " ",        "-1",
        "+1",     " 1",       "1 ",
        "1 M",    "M",        "lots",
        ".5G",    "1,5G",     "64X",
        "64E",    "64Mi",     "64Mx",
        "64MiBx", "64MBB",    "64B",
        "64KM",   "1.5.5",    "nan",
        "inf",    "1e400",    "1/2",
        "64\n",   "9000000T", "99999999999999999999",
    };
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        bytes = 42;
        if (!options_size(good[i].text, &bytes) || bytes != good[i].bytes)
            fail_msg("«%s» became %ju", good[i].text, (uintmax_t)bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bytes = 42;
        if (options_size(bad[i], &bytes) || bytes != 42)
            fail_msg("«%s» became %ju", bad[i], (uintmax_t)bytes);
    }
}

static void defaults(void **state)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    (void)state;
    RUNS("scan", "-o", "out", "a", "b");
    assert_int_equal(o.command, COMMAND_SCAN);
    assert_string_equal(o.out, "out");
    assert_int_equal(o.path_count, 2);
    assert_string_equal(o.paths[0], "a");
    assert_string_equal(o.paths[1], "b");
    assert_null(o.files_from);
    assert_false(o.files_null || o.all_files || o.recall || o.direct || o.deep || o.quiet);
    assert_int_equal(o.jobs, processors);
    assert_in_range(o.memory_bytes, 16 << 20, UINT64_C(2) << 30);
    assert_string_equal(o.engine, "native");
    assert_int_equal(o.io, IO_BACKEND_AUTO);
    assert_int_equal(o.digest, 0);
    assert_int_equal(o.progress, PROGRESS_AUTO);
    assert_int_equal(o.output, OUTPUT_TEXT);
    assert_int_equal(o.fail_on, FAIL_NEVER);
    assert_int_equal(o.types, 0);
    assert_int_equal(o.verbose, 0);
    options_done(&o);
    assert_null(o.paths);
    assert_null(o.given);
    RUNS("check", "a");
    assert_int_equal(o.command, COMMAND_CHECK);
    assert_int_equal(o.fail_on, FAIL_CORRUPT);
    assert_int_equal(o.given_count, 0);
    options_done(&o);
    RUNS("show", "a");
    assert_int_equal(o.command, COMMAND_SHOW);
    assert_int_equal(o.given_count, 0);
    options_done(&o);
}

/* One member of o after `command option… x`; for scan with an output. */
#define AFTER(member, value, ...)                                                                  \
    do {                                                                                           \
        RUNS(__VA_ARGS__, "x");                                                                    \
        assert_int_equal(o.member, value);                                                         \
        assert_int_equal(o.path_count, 1);                                                         \
        options_done(&o);                                                                          \
    } while (0)

static void switches(void **state)
{
    (void)state;
    AFTER(direct, true, "check", "--direct");
    AFTER(read_timeout, 5, "check", "--read-timeout", "5");
    AFTER(read_timeout, 0, "scan", "-oout", "--read-timeout=0");
    AFTER(all_files, true, "check", "--all-files");
    AFTER(recall, true, "check", "--recall");
    AFTER(deep, true, "check", "--deep");
    AFTER(quiet, true, "check", "--quiet");
    AFTER(quiet, true, "check", "-q");
    AFTER(verbose, 1, "check", "--verbose");
    AFTER(verbose, 3, "check", "-vv", "-v");
    AFTER(output, OUTPUT_JSON, "check", "--json");
    AFTER(output, OUTPUT_JSON, "show", "--json");
    AFTER(output, OUTPUT_CSV, "show", "--csv");
    AFTER(files_null, true, "check", "--null", "--files-from", "list");
    AFTER(direct, true, "scan", "-oout", "--direct");
    AFTER(all_files, true, "scan", "-oout", "--all-files");
    AFTER(recall, true, "scan", "-oout", "--recall");
    AFTER(force, true, "scan", "-oout", "--force");
    AFTER(shard, 2, "scan", "-oout", "--shard=2/3");
    AFTER(shards, 3, "scan", "-oout", "--shard=2/3");
    AFTER(quiet, true, "scan", "-oout", "-q");
    AFTER(output, OUTPUT_JSON, "scan", "-oout", "--json");
}

static void choices(void **state)
{
    (void)state;
    AFTER(io, IO_BACKEND_AUTO, "check", "--io", "auto");
    AFTER(io, IO_BACKEND_URING, "check", "--io", "uring");
    AFTER(io, IO_BACKEND_PREAD, "check", "--io=pread");
    AFTER(device, DEVICE_AUTO, "scan", "-oout");
    AFTER(device, DEVICE_FLASH, "scan", "-oout", "--device", "flash");
    AFTER(device, DEVICE_DISK, "check", "--device=disk");
    AFTER(max_rate, 0, "scan", "-oout");
    AFTER(max_rate, 100 << 20, "scan", "-oout", "--max-rate", "100M");
    AFTER(max_rate, 100 << 20, "check", "--max-rate=100M/s");
    AFTER(crosscheck, 0, "scan", "-oout");
    AFTER(crosscheck, 5, "scan", "-oout", "--crosscheck", "5");
    AFTER(crosscheck, 100, "scan", "-oout", "--engine=native", "--crosscheck=100");
    AFTER(digest, IDX_XXH3, "scan", "-oout", "--digest=xxh3");
    AFTER(digest, IDX_SHA256, "scan", "-oout", "--digest", "sha256");
    AFTER(progress, PROGRESS_AUTO, "check", "--progress=auto");
    AFTER(progress, PROGRESS_ALWAYS, "check", "--progress=always");
    AFTER(progress, PROGRESS_NEVER, "check", "--progress=never");
    AFTER(fail_on, FAIL_NEVER, "check", "--fail-on=never");
    AFTER(fail_on, FAIL_CORRUPT, "scan", "-oout", "--fail-on=corrupt");
    AFTER(fail_on, FAIL_FINDING, "check", "--fail-on=finding");
    AFTER(types, 1u << RECORD_SCAN, "show", "--type=scan");
    AFTER(types, 1u << RECORD_ITEM | 1u << RECORD_END, "show", "--type", "end,item,end");
    AFTER(types, (1u << IDX_RECORDS) - 1, "show", "--type",
          "scan,image,folder,item,finding,verdict,end");
    RUNS("scan", "-oout", "--engine=libpff", "x");
    assert_string_equal(o.engine, "libpff");
    options_done(&o);
}

static void numbers(void **state)
{
    (void)state;
    AFTER(jobs, 1, "check", "--jobs", "1");
    AFTER(jobs, 1024, "check", "--jobs=1024");
    AFTER(memory_bytes, 16 << 20, "check", "--memory", "16M");
    AFTER(memory_bytes, UINT64_C(3) << 29, "check", "--memory=1.5G");
    AFTER(jobs, 4, "check", "--jobs=3", "--jobs=4"); /* the last one counts */
}

static void paths_and_options_mix(void **state)
{
    (void)state;
    RUNS("scan", "a", "-o", "out", "b", "-q", "--", "-c", "--jobs");
    assert_true(o.quiet);
    assert_int_equal(o.path_count, 4);
    assert_string_equal(o.paths[0], "a");
    assert_string_equal(o.paths[1], "b");
    assert_string_equal(o.paths[2], "-c");
    assert_string_equal(o.paths[3], "--jobs");
    options_done(&o);
    RUNS("scan", "-o", "out", "--files-from", "-");
    assert_string_equal(o.files_from, "-");
    assert_int_equal(o.path_count, 0);
    options_done(&o);
}

/* What the scan record tells: options by their full name, in the order given. */
static void given_options_are_noted(void **state)
{
    static const char *const right[] = {"jobs=3",         "memory=1G",    "quiet=true",
                                        "all-files=true", "verbose=true", "output=out"};

    (void)state;
    RUNS("scan", "--jobs=3", "x", "--mem", "1G", "-q", "--all-files", "-v", "-o", "out");
    assert_int_equal(o.given_count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(o.given[i], right[i]);
    options_done(&o);
    assert_int_equal(o.given_count, 0);
}

static void bad_values_are_refused(void **state)
{
    static const char *const values[][2] = {
        {"output", ""},        {"jobs", ""},         {"jobs", "0"},
        {"jobs", "1025"},      {"jobs", "-1"},       {"jobs", "2x"},
        {"jobs", "+2"},        {"jobs", " 2"},       {"jobs", "99999999999999999999999"},
        {"memory", ""},        {"memory", "lots"},   {"memory", "16383K"},
        {"memory", "-64M"},    {"engine", "magic"},  {"engine", ""},
        {"io", "aio"},         {"io", ""},           {"io", "AUTO"},
        {"digest", "md5"},     {"files-from", ""},   {"fail-on", "always"},
        {"fail-on", "corrup"}, {"progress", "yes"},  {"crosscheck", "0"},
        {"crosscheck", "101"}, {"crosscheck", "5%"}, {"max-rate", "0"},
        {"max-rate", "4095"},  {"max-rate", "/s"},   {"max-rate", "1M/h"},
        {"max-rate", ""},      {"device", "tape"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char option[64], words[128];

        snprintf(option, sizeof option, "--%s=%s", values[i][0], values[i][1]);
        snprintf(words, sizeof words, "ostscan: not a value for --%s: %s\nusage: ostscan scan ",
                 values[i][0], values[i][1]);
        assert_refused(PARSE("scan", "-oout", option, "x"), words);
        assert_non_null(strstr(err.text, "\nTry `ostscan scan --help`.\n"));
    }
    REFUSED("not a value for --type: \nusage: ostscan show [OPTION…] MANIFEST…\n"
            "Try `ostscan show --help`.",
            "show", "--type=", "x");
    assert_refused(PARSE("show", "--type=item,", "x"), "ostscan: not a value for --type: item,\n");
    assert_refused(PARSE("show", "--type=items", "x"), "ostscan: not a value for --type: items\n");
    assert_refused(PARSE("show", "--type=,item", "x"), "ostscan: not a value for --type: ,item\n");
}

static void foreign_options_are_refused(void **state)
{
    (void)state;
    REFUSED("unknown option --frob\nusage: ostscan scan -o OUT [OPTION…] PATH…\n"
            "Try `ostscan scan --help`.",
            "scan", "--frob", "x");
    assert_refused(PARSE("scan", "-x", "x"), "ostscan: unknown option -x\n");
    assert_refused(PARSE("scan", "-oout", "--deep", "x"), "ostscan: unknown option --deep\n");
    assert_refused(PARSE("scan", "-oout", "--csv", "x"), "ostscan: unknown option --csv\n");
    assert_refused(PARSE("scan", "-oout", "--type=item", "x"),
                   "ostscan: unknown option --type=item");
    assert_refused(PARSE("check", "-o", "out", "x"), "ostscan: unknown option -o\n");
    assert_refused(PARSE("check", "--digest=xxh3", "x"), "ostscan: unknown option --digest=xxh3\n");
    assert_refused(PARSE("check", "--engine=libpff", "x"), "ostscan: unknown option --engine=");
    assert_refused(PARSE("check", "--csv", "x"), "ostscan: unknown option --csv\n");
    assert_refused(PARSE("show", "-o", "out", "x"), "ostscan: unknown option -o\n");
    assert_refused(PARSE("show", "--jobs=2", "x"), "ostscan: unknown option --jobs=2\n");
    assert_refused(PARSE("show", "--recall", "x"), "ostscan: unknown option --recall\n");
}

static void arguments_are_asked_for(void **state)
{
    static const char *const options[] = {
        "-o",   "--output", "--jobs",       "--memory",  "--engine",
        "--io", "--digest", "--files-from", "--fail-on", "--progress",
    };

    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        char words[128];

        snprintf(words, sizeof words, "ostscan: this option needs an argument: %s\n", options[i]);
        assert_refused(PARSE("scan", "x", options[i]), words);
    }
    assert_refused(PARSE("show", "--type"), "ostscan: this option needs an argument: --type\n");
}

static void incomplete_commands_are_refused(void **state)
{
    (void)state;
    REFUSED("no command given\nTry `ostscan --help`.", NULL);
    REFUSED("no such command: frobnicate\nTry `ostscan --help`.", "frobnicate", "-o", "out", "x");
    REFUSED("no such command: \nTry `ostscan --help`.", "");
    assert_refused(PARSE("scan", "x"), "ostscan: scan needs an output folder: -o OUT\n");
    assert_refused(PARSE("scan", "-oout"), "ostscan: no PATH given\n");
    assert_refused(PARSE("check"), "ostscan: no PATH given\nusage: ostscan check ");
    assert_refused(PARSE("show"), "ostscan: no MANIFEST given\nusage: ostscan show ");
    assert_refused(PARSE("check", "--null", "x"), "ostscan: --null goes with --files-from\n");
}

static void assert_version(const char *text)
{
    unsigned major, minor, patch;
    int size = 0;

    if (sscanf(text, "ostscan %u.%u.%u%n", &major, &minor, &patch, &size) != 3 ||
        strcmp(text + size, "\n") != 0)
        fail_msg("no version: %s", text);
}

/* Help goes to standard output, wins over what is missing, and tells of each option's commands. */
static void help_and_version_are_results(void **state)
{
    static const char *const ways[] = {"--help", "-h", "help"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(PARSE(ways[i]), OPTIONS_HELP);
        assert_string_equal(err.text, "");
        assert_non_null(strstr(out.text, "  ostscan scan -o OUT [OPTION…] PATH…\n"));
        assert_non_null(strstr(out.text, "  ostscan check [OPTION…] PATH…\n"));
        assert_non_null(strstr(out.text, "  ostscan show [OPTION…] MANIFEST…\n"));
        assert_non_null(strstr(out.text, "130 interrupted."));
    }
    assert_int_equal(PARSE("--version"), OPTIONS_HELP);
    assert_version(out.text);
    assert_int_equal(PARSE("check", "--version"), OPTIONS_HELP);
    assert_version(out.text);
    assert_int_equal(PARSE("scan", "-q", "--help"), OPTIONS_HELP);
    assert_string_equal(err.text, "");
    assert_int_equal(strncmp(out.text, "usage: ostscan scan -o OUT", 26), 0);
    assert_non_null(strstr(out.text, "\n  -o, --output OUT "));
    assert_non_null(strstr(out.text, "\n      --jobs N "));
    assert_null(strstr(out.text, "--deep"));
    assert_null(strstr(out.text, "--type"));
    assert_int_equal(PARSE("show", "-h"), OPTIONS_HELP);
    assert_non_null(strstr(out.text, "\n      --type LIST "));
    assert_null(strstr(out.text, "--output"));
}

/* Without memory it is no run, and nothing is left behind; the sanitizers see to that. */
static void failing_allocations(void **state)
{
    unsigned nth = 0;
    enum options_result result = OPTIONS_FAILED;

    (void)state;
    while (result == OPTIONS_FAILED) {
        mem_test_fail(++nth, 0);
        result = PARSE("scan", "--jobs=3", "-q", "-o", "out", "x", "y");
        mem_test_fail(0, 0);
        assert_string_equal(err.text, result == OPTIONS_FAILED ? "ostscan: out of memory\n" : "");
        assert_string_equal(out.text, "");
    }
    assert_int_equal(result, OPTIONS_RUN);
    assert_true(nth > 6);
    assert_int_equal(o.given_count, 3);
    assert_int_equal(o.path_count, 2);
    options_done(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(defaults),
        cmocka_unit_test(switches),
        cmocka_unit_test(choices),
        cmocka_unit_test(numbers),
        cmocka_unit_test(paths_and_options_mix),
        cmocka_unit_test(given_options_are_noted),
        cmocka_unit_test(bad_values_are_refused),
        cmocka_unit_test(foreign_options_are_refused),
        cmocka_unit_test(arguments_are_asked_for),
        cmocka_unit_test(incomplete_commands_are_refused),
        cmocka_unit_test(help_and_version_are_results),
        cmocka_unit_test(failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
