#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/err.h"
#include "tests/gen/damage.h"
#include "tests/gen/run.h"

/* Options of ostgen; what it writes depends on them alone. */

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

static void print_help(void)
{
    puts(
        "Usage: ostgen [OPTION]... --profile NAME -o FILE\n"
        "\n"
        "Writes a synthetic OST or PST image with known content, and FILE.truth.jsonl, which says\n"
        "what is in it. The same options give the same bytes.\n"
        "\n"
        "  --format ansi|unicode|unicode4k   default unicode4k\n"
        "  --crypt none|permute|cyclic       default none\n"
        "  --compress zlib|none|force        default zlib for unicode4k, which alone has it; "
        "force\n"
        "                                    keeps what deflating made larger, too\n"
        "  --content ost|pst                 default ost\n"
        "  --profile NAME                    below; default mail\n"
        "  --size SIZE | --items N           K, M, G: powers of 1024; default: the profile's "
        "items\n"
        "  --seed N                          default 1; also chooses the language of folder names\n"
        "  --fragment PERCENT                share of blocks at permuted places; 100: all\n"
        "  --duplicates PERCENT              share of items that copy an earlier one; two in five\n"
        "                                    of these differ in one field\n"
        "  --drift PERCENT --side ost|server two sides of one mailbox that differ in that share\n"
        "  --one-folder                      all items in the inbox\n"
        "  --bare                            items of few properties, for folders of millions\n"
        "  --attachment SIZE                 the first item has one of that size, too\n"
        "  --libpff-safe                     leaves out what libpff 20180714 cannot bear:\n"
        "                                    compressed internal blocks, over 20,000 nodes\n"
        "  --exchange                        an OST says that it is of an Exchange account\n"
        "  --synced                          all items are known to the server: no client's "
        "change\n"
        "                                    keys, an empty Outbox, no logs\n"
        "  --local KIND                      three items that only this computer has, whatever\n"
        "                                    --synced says: failures, conflicts, unsent, outbox,\n"
        "                                    folder, client-key, no-key, logs; may be repeated\n"
        "  --damage KIND[:N]                 N (1) damages of that kind; may be repeated\n"
        "  --truth full|items|none           default full: with every structure's covered bytes\n"
        "  -o FILE, --output FILE            the image\n"
        "  -q                                no summary\n"
        "  --help\n"
        "\n"
        "Profiles (the definitions are fixed):");
    for (size_t i = 0; i < profile_count; i++) {
        const struct profile *p = &profiles[i];
        printf(
            "  %-7s %u items: %s.\n          HTML of %u bytes on average, text of %u; %u %% with "
            "attachments of %llu to %llu bytes; %u folders of the user\n",
            p->name, p->items, p->text, p->html_bytes, p->text_bytes, p->attach_percent,
            (unsigned long long)p->attach_min, (unsigned long long)p->attach_max, p->user_folders);
    }
    puts("\nKinds of damage (tests/gen/DAMAGE.md):");
    for (unsigned i = 0; i < DAMAGE_KINDS; i++)
        printf("  %-22s %s\n", damage_name(i), damage_text(i));
}

/* Index of `text` among NULL-terminated words; -1: none of them. */
static int word(const char *text, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0)
            return i;
    }
    return -1;
}

static bool number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10), scale = 1;
    if (end == text || *text == '-')
        return false;
    if (*end == 'K' || *end == 'M' || *end == 'G')
        scale = *end == 'K' ? 1 << 10 : *end == 'M' ? 1 << 20 : 1 << 30, end++;
    if (*end != 0 || value > max / scale)
        return false;
    *out = value * scale;
    return true;
}

static bool add_damage(struct gen_options *o, char *text)
{
    char *colon = strchr(text, ':');
    uint64_t count = 1;
    if (colon != NULL) {
        *colon = 0;
        if (!number(colon + 1, 1000000, &count))
            return false;
    }
    enum damage_kind kind = damage_find(text);
    if (kind == DAMAGE_KINDS || o->damage_count == DAMAGES_MAX)
        return false;
    o->damages[o->damage_count++] = (struct damage_wish){kind, (uint32_t)count};
    return true;
}

static bool add_local(struct gen_options *o, const char *name)
{
    for (unsigned local = 0; local < LOCALS; local++) {
        if (strcmp(name, gen_local_name((enum gen_local)local)) == 0) {
            o->locals |= 1u << local;
            return true;
        }
    }
    return false;
}

enum option_code {
    O_FORMAT = 256,
    O_CRYPT,
    O_COMPRESS,
    O_CONTENT,
    O_PROFILE,
    O_SIZE,
    O_ITEMS,
    O_SEED,
    O_FRAGMENT,
    O_DUPLICATES,
    O_DRIFT,
    O_SIDE,
    O_ONE_FOLDER,
    O_BARE,
    O_ATTACHMENT,
    O_LIBPFF_SAFE,
    O_EXCHANGE,
    O_SYNCED,
    O_LOCAL,
    O_DAMAGE,
    O_TRUTH,
    O_HELP,
};

static const struct option options[] = {{"format", required_argument, NULL, O_FORMAT},
                                        {"crypt", required_argument, NULL, O_CRYPT},
                                        {"compress", required_argument, NULL, O_COMPRESS},
                                        {"content", required_argument, NULL, O_CONTENT},
                                        {"profile", required_argument, NULL, O_PROFILE},
                                        {"size", required_argument, NULL, O_SIZE},
                                        {"items", required_argument, NULL, O_ITEMS},
                                        {"seed", required_argument, NULL, O_SEED},
                                        {"fragment", required_argument, NULL, O_FRAGMENT},
                                        {"duplicates", required_argument, NULL, O_DUPLICATES},
                                        {"drift", required_argument, NULL, O_DRIFT},
                                        {"side", required_argument, NULL, O_SIDE},
                                        {"one-folder", no_argument, NULL, O_ONE_FOLDER},
                                        {"bare", no_argument, NULL, O_BARE},
                                        {"attachment", required_argument, NULL, O_ATTACHMENT},
                                        {"libpff-safe", no_argument, NULL, O_LIBPFF_SAFE},
                                        {"exchange", no_argument, NULL, O_EXCHANGE},
                                        {"synced", no_argument, NULL, O_SYNCED},
                                        {"local", required_argument, NULL, O_LOCAL},
                                        {"damage", required_argument, NULL, O_DAMAGE},
                                        {"truth", required_argument, NULL, O_TRUTH},
                                        {"output", required_argument, NULL, 'o'},
                                        {"help", no_argument, NULL, O_HELP},
                                        {NULL, 0, NULL, 0}};

static const char *const formats[] = {"ansi", "unicode", "unicode4k", NULL};
static const char *const crypts[] = {"none", "permute", "cyclic", NULL};
static const char *const compressions[] = {"none", "zlib", "force", NULL};
static const char *const contents[] = {"ost", "pst", NULL};
static const char *const sides[] = {"none", "ost", "server", NULL};
static const char *const truths[] = {"full", "items", "none", NULL};

struct arguments {
    struct gen_options gen;
    int compress; /* -1: by the format */
    bool quiet, help;
};

/* One option whose value is a word. */
static bool set_word(struct arguments *a, int option, const char *value)
{
    int n;
    switch (option) {
    case O_FORMAT:
        n = word(value, formats);
        a->gen.image.format = (enum gen_format)n;
        break;
    case O_CRYPT:
        n = word(value, crypts);
        a->gen.image.crypt = (enum gen_crypt)n;
        break;
    case O_COMPRESS:
        n = word(value, compressions);
        a->compress = n;
        break;
    case O_CONTENT:
        n = word(value, contents);
        a->gen.image.content = (enum gen_content)n;
        break;
    case O_SIDE:
        n = word(value, sides);
        a->gen.side = (enum gen_side)n;
        break;
    default:
        n = word(value, truths);
        a->gen.truth = (enum truth_level)n;
        break;
    }
    return n >= 0;
}

static bool set_percent(const char *value, uint32_t *out)
{
    uint64_t n;
    if (!number(value, 100, &n))
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool set_option(struct arguments *a, int option, char *value)
{
    struct gen_options *g = &a->gen;
    switch (option) {
    case O_PROFILE:
        g->profile = profile_find(value);
        return g->profile != NULL;
    case O_SIZE:
        return number(value, (uint64_t)1 << 42, &g->size_bytes);
    case O_ITEMS:
        return number(value, (uint64_t)1 << 26, &g->items);
    case O_SEED:
        return number(value, UINT64_MAX, &g->seed);
    case O_FRAGMENT:
        return set_percent(value, &g->image.fragment_percent);
    case O_DUPLICATES:
        return set_percent(value, &g->duplicates_percent);
    case O_DRIFT:
        return set_percent(value, &g->drift_percent);
    case O_ONE_FOLDER:
        g->one_folder = true;
        return true;
    case O_BARE:
        g->bare = true;
        return true;
    case O_ATTACHMENT:
        return number(value, UINT32_MAX, &g->attachment_bytes);
    case O_LIBPFF_SAFE:
        g->libpff_safe = true;
        return true;
    case O_EXCHANGE:
        g->exchange = true;
        return true;
    case O_SYNCED:
        g->synced = true;
        return true;
    case O_LOCAL:
        return add_local(g, value);
    case O_DAMAGE:
        return add_damage(g, value);
    case 'o':
        g->image.path = value;
        return true;
    case 'q':
        a->quiet = true;
        return true;
    case O_HELP:
        a->help = true;
        return true;
    default:
        return set_word(a, option, value);
    }
}

static int parse(int argc, char **argv, struct arguments *a)
{
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "o:q", options, &index)) != -1) {
        if (option == '?')
            return EXIT_USAGE;
        if (!set_option(a, option, optarg)) {
            fprintf(stderr, "ostgen: not understood: %s\n", optarg);
            return EXIT_USAGE;
        }
    }
    if (a->help)
        return EXIT_DONE;
    if (optind < argc || a->gen.image.path == NULL) {
        fputs("ostgen: -o FILE is needed, and nothing but options (--help)\n", stderr);
        return EXIT_USAGE;
    }
    bool k = a->gen.image.format == GEN_UNICODE4K;
    if (a->compress > 0 && !k) {
        fputs("ostgen: only unicode4k has compression\n", stderr);
        return EXIT_USAGE;
    }
    if (a->gen.image.format == GEN_ANSI && a->gen.size_bytes > UINT32_MAX - (16u << 20)) {
        fputs("ostgen: an ansi image ends below 4080M\n", stderr);
        return EXIT_USAGE;
    }
    a->gen.image.compress = k && a->compress != 0;
    a->gen.image.compress_always = a->compress == 2;
    a->gen.image.seed = a->gen.seed;
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    struct arguments a = {.compress = -1};
    struct gen_summary s;
    unsigned missed = DAMAGE_KINDS;
    a.gen.image.format = GEN_UNICODE4K;
    a.gen.seed = 1;
    a.gen.profile = profile_find("mail");
    int status = parse(argc, argv, &a);
    if (status != EXIT_DONE)
        return status;
    if (a.help) {
        print_help();
        return EXIT_DONE;
    }
    int error = gen_run(&a.gen, &s, &missed);
    if (error == ERR_UNSUPPORTED && missed < DAMAGE_KINDS) {
        fprintf(stderr, "ostgen: no place (left) in this image for damage %s\n",
                damage_name(missed));
        return EXIT_FAILED;
    }
    if (error != 0) {
        fprintf(stderr, "ostgen: %s: %s\n", a.gen.image.path, err_text(error));
        return EXIT_FAILED;
    }
    if (!a.quiet)
        printf("%s: %llu bytes, %llu allocated, %llu items (%llu associated), %llu folders, "
               "%llu nodes, %llu blocks\n",
               a.gen.image.path, (unsigned long long)s.bytes, (unsigned long long)s.allocated,
               (unsigned long long)s.items, (unsigned long long)s.assoc,
               (unsigned long long)s.folders, (unsigned long long)s.nodes,
               (unsigned long long)s.blocks);
    return EXIT_DONE;
}
