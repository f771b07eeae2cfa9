/*
 * utf16.h: UTF-16LE to WTF-8, and whether NFC has anything to do there.
 *
 * Threads: pure functions.
 */
#ifndef INDEX_UTF16_H
#define INDEX_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes `units` of UTF-16LE as WTF-8 (lone surrogates as the three bytes that UTF-8 would have for
 * them) to `at`, where there is room for three bytes a unit; returns the end. *plain: every code
 * point is plain.
 */
uint8_t *utf16_convert(const uint8_t *in, size_t units, uint8_t *at, bool *plain);

/* Plain code points are their own NFC and never combine with what stands before them. Some that are
 * not said to be are. */
bool utf16_is_plain(uint32_t code);

/* The ways to do it on this machine, the portable one first: how many. All give the same. */
typedef uint8_t *(*utf16_way)(const uint8_t *in, size_t units, uint8_t *at, bool *plain);
enum { UTF16_WAYS = 2 };
unsigned utf16_ways(utf16_way ways[UTF16_WAYS]);

#endif
