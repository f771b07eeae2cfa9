/*
 * text.h: sentences, documents and names in the languages of words.h.
 *
 * Sentences are made once (corpus_create) and then only chosen, so that text costs little more
 * than copying. Which sentences exist depends on nothing but words.c.
 *
 * Threads: a corpus is constant once made.
 */
#ifndef TESTS_GEN_TEXT_H
#define TESTS_GEN_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "io/arena.h"
#include "io/buf.h"
#include "tests/gen/rng.h"
#include "tests/gen/words.h"

enum { CORPUS_SENTENCES = 768, PEOPLE = 258 };

struct corpus;

int corpus_create(struct corpus **out);
void corpus_destroy(struct corpus *c);

struct person {
    const char *name; /* as displayed */
    const char *smtp; /* address */
    const char *dn;   /* Exchange address, or NULL for a person outside */
};

/* The n-th person of a language, below PEOPLE. Same n, same person. */
struct person person_of(const struct corpus *c, const struct language *l, uint32_t n);

/* Appends about `bytes` bytes of sentences. */
void text_prose(const struct corpus *c, struct rng *r, const struct language *l, struct buf *out,
                size_t bytes, const char *line_end);
/* A line of a few words, no full stop. */
void text_title(struct rng *r, const struct language *l, struct buf *out, uint32_t words);
/* An HTML mail in UTF-8, as Outlook's editor writes them, of about `bytes` bytes. */
void text_html(const struct corpus *c, struct rng *r, const struct language *l, struct buf *out,
               size_t bytes);
/* An RTF document; non-ASCII as \u escapes. */
void text_rtf(const struct corpus *c, struct rng *r, const struct language *l, struct buf *out,
              size_t bytes);

#endif
