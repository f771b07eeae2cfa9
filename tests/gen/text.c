#include "tests/gen/text.h"

#include <stdio.h>
#include <string.h>

#include "io/err.h"
#include "io/mem.h"

struct corpus {
    struct buf bytes;
    struct arena arena; /* of people */
    struct person people[LANGUAGE_COUNT][PEOPLE];
    uint32_t starts[LANGUAGE_COUNT][CORPUS_SENTENCES + 1];
};

static uint32_t word_count(const struct language *l)
{
    uint32_t n = 0;
    while (n < 40 && l->words[n] != NULL)
        n++;
    return n;
}

/* Few words often, many seldom, as in prose: the lower half of the list is drawn twice as much. */
static const char *word_of(struct rng *r, const struct language *l, uint32_t count)
{
    uint32_t a = rng_below(r, count), b = rng_below(r, count);
    return l->words[a < b ? a : b];
}

static void sentence(struct rng *r, const struct language *l, struct buf *out)
{
    uint32_t count = word_count(l), words = rng_between(r, 5, 18);
    for (uint32_t i = 0; i < words; i++) {
        if (i > 0 && l->spaces)
            buf_putc(out, ' ');
        if (rng_chance(r, 7))
            buf_printf(out, "%u", rng_below(r, 100000));
        else
            buf_puts(out, word_of(r, l, count));
    }
    buf_puts(out, rng_chance(r, 10) ? l->mark : l->stop);
}

static bool make_person(struct arena *arena, const struct language *l, uint32_t n,
                        struct person *out)
{
    static const char *const domains[] = {"contoso.com", "fabrikam.com", "adatum.com",
                                          "litware.example"};
    char name[128], smtp[96], dn[160];
    const char *given = l->given[n % 8], *family = l->family[n / 8 % 8];
    uint32_t domain = n / 64 % 4;
    if (l->spaces)
        snprintf(name, sizeof name, "%s %s", given, family);
    else
        snprintf(name, sizeof name, "%s%s", family, given);
    snprintf(smtp, sizeof smtp, "%s.user%u@%s", l->tag, n, domains[domain]);
    snprintf(dn, sizeof dn,
             "/O=EXAMPLE/OU=EXCHANGE ADMINISTRATIVE GROUP (FYDIBOHF23SPDLT)/CN=RECIPIENTS/CN=%08X",
             (uint32_t)rng_mix(n + 7777 * (uint32_t)l->lcid));
    out->name = arena_strdup(arena, name);
    out->smtp = arena_strdup(arena, smtp);
    if (domain < 2)
        out->dn = arena_strdup(arena, dn);
    return out->name != NULL && out->smtp != NULL && (domain >= 2 || out->dn != NULL);
}

int corpus_create(struct corpus **out)
{
    struct corpus *c = mem_zalloc(sizeof *c);
    if (c == NULL)
        return ERR_NOMEM;
    arena_init(&c->arena, 16 << 20);
    bool failed = false;
    for (uint32_t l = 0; l < LANGUAGE_COUNT; l++) {
        struct rng r = rng_of(0, 2, l);
        for (uint32_t i = 0; i < CORPUS_SENTENCES; i++) {
            c->starts[l][i] = (uint32_t)c->bytes.size;
            sentence(&r, &languages[l], &c->bytes);
        }
        c->starts[l][CORPUS_SENTENCES] = (uint32_t)c->bytes.size;
        for (uint32_t i = 0; i < PEOPLE; i++)
            failed |= !make_person(&c->arena, &languages[l], i, &c->people[l][i]);
    }
    if (c->bytes.failed || failed) {
        corpus_destroy(c);
        return ERR_NOMEM;
    }
    *out = c;
    return 0;
}

void corpus_destroy(struct corpus *c)
{
    if (c == NULL)
        return;
    buf_done(&c->bytes);
    arena_done(&c->arena);
    mem_free(c);
}

static size_t append_sentence(const struct corpus *c, struct rng *r, const struct language *l,
                              struct buf *out)
{
    const uint32_t *starts = c->starts[l - languages];
    uint32_t i = rng_below(r, CORPUS_SENTENCES);
    size_t size = starts[i + 1] - starts[i];
    buf_append(out, c->bytes.data + starts[i], size);
    if (l->spaces)
        buf_putc(out, ' ');
    return size + 1;
}

void text_prose(const struct corpus *c, struct rng *r, const struct language *l, struct buf *out,
                size_t bytes, const char *line_end)
{
    for (size_t done = 0; done < bytes;) {
        uint32_t sentences = rng_between(r, 2, 6);
        for (uint32_t i = 0; i < sentences && done < bytes; i++)
            done += append_sentence(c, r, l, out);
        buf_puts(out, line_end);
        done += strlen(line_end);
    }
}

void text_title(struct rng *r, const struct language *l, struct buf *out, uint32_t words)
{
    uint32_t count = word_count(l);
    for (uint32_t i = 0; i < words; i++) {
        if (i > 0 && l->spaces)
            buf_putc(out, ' ');
        buf_puts(out, word_of(r, l, count));
    }
}

void text_html(const struct corpus *c, struct rng *r, const struct language *l, struct buf *out,
               size_t bytes)
{
    size_t start = out->size;
    buf_puts(out,
             "<html xmlns:v=\"urn:schemas-microsoft-com:vml\" "
             "xmlns:o=\"urn:schemas-microsoft-com:office:office\" "
             "xmlns:w=\"urn:schemas-microsoft-com:office:word\" "
             "xmlns=\"http://www.w3.org/TR/REC-html40\">\r\n<head>\r\n"
             "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n"
             "<meta name=\"Generator\" content=\"Microsoft Word 15 (filtered medium)\">\r\n"
             "<style><!--\r\n/* Font Definitions */\r\n@font-face\r\n\t{font-family:\"Cambria "
             "Math\";\r\n\tpanose-1:2 4 5 3 5 4 6 3 2 4;}\r\n@font-face\r\n\t{font-family:Calibri;"
             "\r\n\tpanose-1:2 15 5 2 2 2 4 3 2 4;}\r\n/* Style Definitions */\r\np.MsoNormal, "
             "li.MsoNormal, div.MsoNormal\r\n\t{margin:0cm;\r\n\tfont-size:11.0pt;\r\n\t"
             "font-family:\"Calibri\",sans-serif;}\r\na:link, span.MsoHyperlink\r\n\t"
             "{mso-style-priority:99;\r\n\tcolor:#0563C1;\r\n\ttext-decoration:underline;}\r\n"
             "--></style>\r\n</head>\r\n<body lang=\"");
    buf_puts(out, l->tag);
    buf_puts(out, "\" link=\"#0563C1\" vlink=\"#954F72\">\r\n<div class=\"WordSection1\">\r\n");
    while (out->size - start < bytes && !out->failed) {
        buf_puts(out, "<p class=\"MsoNormal\">");
        uint32_t sentences = rng_between(r, 1, 5);
        for (uint32_t i = 0; i < sentences; i++)
            append_sentence(c, r, l, out);
        if (rng_chance(r, 15)) {
            uint32_t page = (uint32_t)rng_next(r);
            buf_printf(out, "<a href=\"https://intranet.example.com/d/%08x\">%08x</a>", page,
                       (uint32_t)rng_next(r));
        }
        buf_puts(out, "<o:p></o:p></p>\r\n");
    }
    buf_puts(out, "</div>\r\n</body>\r\n</html>\r\n");
}

static void rtf_escape(struct buf *out, const char *text, size_t size)
{
    const uint8_t *p = (const uint8_t *)text, *end = p + size;
    while (p < end) {
        uint32_t c = *p++;
        if (c < 0x80) {
            if (c == '\\' || c == '{' || c == '}')
                buf_putc(out, '\\');
            buf_putc(out, (char)c);
            continue;
        }
        int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
        c &= 0x3Fu >> more;
        for (; more > 0; more--)
            c = c << 6 | (*p++ & 0x3F);
        if (c >= 0x10000) {
            buf_printf(out, "\\u%d?", (int16_t)(0xD7C0 + (c >> 10)));
            c = 0xDC00 | (c & 0x3FF);
        }
        buf_printf(out, "\\u%d?", (int16_t)c);
    }
}

void text_rtf(const struct corpus *c, struct rng *r, const struct language *l, struct buf *out,
              size_t bytes)
{
    size_t start = out->size;
    const uint32_t *starts = c->starts[l - languages];
    buf_puts(out, "{\\rtf1\\ansi\\ansicpg1252\\deff0\\deftab720{\\fonttbl{\\f0\\fswiss Calibri;}"
                  "{\\f1\\froman Times New Roman;}}\r\n{\\colortbl\\red0\\green0\\blue0;}\r\n"
                  "\\uc1\\pard\\plain\\deftab360 \\f0\\fs22 ");
    while (out->size - start < bytes && !out->failed) {
        uint32_t i = rng_below(r, CORPUS_SENTENCES);
        rtf_escape(out, (const char *)c->bytes.data + starts[i], starts[i + 1] - starts[i]);
        buf_puts(out, rng_chance(r, 20) ? "\\par\r\n" : " ");
    }
    buf_puts(out, "\\par\r\n}\r\n");
}

struct person person_of(const struct corpus *c, const struct language *l, uint32_t n)
{
    return c->people[l - languages][n];
}
