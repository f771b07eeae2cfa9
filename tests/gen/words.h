/*
 * words.h: the languages that items are written in: words, names, code pages.
 *
 * All text is UTF-8 in NFC, and every character of a language exists in its code page, so that
 * ANSI images can hold the same items.
 *
 * Threads: constant data.
 */
#ifndef TESTS_GEN_WORDS_H
#define TESTS_GEN_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct language {
    const char *tag;
    uint32_t codepage, lcid;
    bool spaces;             /* words are separated */
    const char *stop, *mark; /* ends of a sentence, of a question */
    const char *words[40];   /* NULL-terminated */
    const char *given[9], *family[9];
    const char *reply, *forward; /* subject prefixes, as this language's Outlook sets them */
};

enum { LANGUAGE_COUNT = 16 };
extern const struct language languages[LANGUAGE_COUNT];

#endif
