/*
 * utf16.c: see utf16.h.
 *
 * Portable: ASCII in strides of sixteen or four, everything else code point by code point. With
 * AVX-512 (VBMI and VBMI2): 32 units at a time, each spread to a lane of two or four bytes that
 * holds the one to three it becomes; those that are wanted are then pressed together. Where a
 * surrogate stands the portable way goes through some code points.
 */
#include "index/utf16.h"

#include <stdatomic.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "index/utf8.h"
#include "io/bytes.h"

bool utf16_is_plain(uint32_t c)
{
    if (c < 0x300)
        return true;
    if (c < 0x400)
        return c >= 0x370 && c != 0x374 && c != 0x37E && c != 0x387;
    if (c < 0x2000)
        return c < 0x483 || (c >= 0x48A && c < 0x591) || (c >= 0x5D0 && c < 0x5EB) ||
               (c >= 0x620 && c < 0x64B) || (c >= 0xE01 && c < 0xE38) ||
               (c >= 0xE3F && c < 0xE48) || (c >= 0x1E00 && c < 0x1F00);
    if (c < 0x3000)
        return c >= 0x2002 && c < 0x20D0;
    if (c < 0xAC00)
        return (c >= 0x3001 && c < 0x302A) || (c >= 0x3030 && c < 0x3099) ||
               (c >= 0x30A0 && c < 0xA000);
    return c < 0xD7A4 || (c >= 0xFF00 && c < 0xFFF0) || (c >= 0x1F300 && c < 0x1FB00);
}

/* ---- portable ---- */

/* Narrows the ASCII units that text begins with, in strides; how many. */
static size_t narrow_ascii(const uint8_t *in, size_t units, uint8_t *out)
{
    size_t i = 0;

#ifdef __SSE2__
    const __m128i beyond = _mm_set1_epi16((short)0xFF80);

    for (; units - i >= 16; i += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(in + 2 * i));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(in + 2 * i + 16));
        __m128i other = _mm_and_si128(_mm_or_si128(a, b), beyond);

        if (_mm_movemask_epi8(_mm_cmpeq_epi16(other, _mm_setzero_si128())) != 0xFFFF)
            break;
        _mm_storeu_si128((__m128i *)(void *)(out + i), _mm_packus_epi16(a, b));
    }
#endif
    for (; units - i >= 4 && !(le64(in + 2 * i) & 0xFF80FF80FF80FF80); i += 4) {
        out[i] = in[2 * i];
        out[i + 1] = in[2 * i + 2];
        out[i + 2] = in[2 * i + 4];
        out[i + 3] = in[2 * i + 6];
    }
    return i;
}

/* The code point at unit *i, which moves on behind it; a lone surrogate is one by itself. */
static uint32_t code_point(const uint8_t *in, size_t units, size_t *i)
{
    uint32_t c = le16(in + 2 * (*i)++), low;

    if (c < 0xD800 || c >= 0xDC00 || *i == units)
        return c;
    low = le16(in + 2 * *i);
    if (low < 0xDC00 || low >= 0xE000)
        return c;
    ++*i;
    return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
}

/* In text beyond ASCII so many code points are written one by one before strides are tried anew. */
enum { ONE_BY_ONE = 16 };

/* Writes ONE_BY_ONE code points, or those that are left; moves *i on. */
static uint8_t *convert_some(const uint8_t *in, size_t units, size_t *i, uint8_t *at, bool *plain)
{
    for (unsigned n = 0; n < ONE_BY_ONE && *i < units; n++) {
        uint32_t c = le16(in + 2 * *i);

        if (c < 0x80) {
            *at++ = (uint8_t)c;
            ++*i;
            continue;
        }
        c = code_point(in, units, i);
        *plain = *plain && utf16_is_plain(c);
        at += utf8_encode(c, at);
    }
    return at;
}

static uint8_t *convert_portable(const uint8_t *in, size_t units, uint8_t *at, bool *plain)
{
    size_t i = 0;

    *plain = true;
    while (i < units) {
        size_t ascii = narrow_ascii(in + 2 * i, units - i, at);

        i += ascii;
        at = convert_some(in, units, &i, at + ascii, plain);
    }
    return at;
}

/* ---- AVX-512 ---- */

#if defined(__x86_64__)
#define WITH_AVX512                                                                                \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi2,popcnt")))

enum { WIDE = 32, NARROW = 16 };

/* Which of the units lie in [first, last]. */
WITH_AVX512 static inline __mmask32 within(__m512i v, uint16_t first, uint16_t last)
{
    return _mm512_cmple_epu16_mask(_mm512_sub_epi16(v, _mm512_set1_epi16((short)first)),
                                   _mm512_set1_epi16((short)(last - first)));
}

/* As utf16_is_plain, for all units of the BMP; those of Latin and Cyrillic text first. */
WITH_AVX512 static inline bool all_plain(__m512i v)
{
    uint32_t plain = within(v, 0, 0x2FF) | within(v, 0x388, 0x482) | within(v, 0x2002, 0x20CF);

    if (plain == UINT32_MAX)
        return true;
    plain |= within(v, 0x30A0, 0x9FFF) | within(v, 0x3001, 0x3029) | within(v, 0x3030, 0x3098) |
             within(v, 0xFF00, 0xFFEF) | within(v, 0xAC00, 0xD7A3);
    if (plain == UINT32_MAX)
        return true;
    plain |= within(v, 0x370, 0x373) | within(v, 0x375, 0x37D) | within(v, 0x37F, 0x386) |
             within(v, 0x48A, 0x590) | within(v, 0x5D0, 0x5EA) | within(v, 0x620, 0x64A) |
             within(v, 0xE01, 0xE37) | within(v, 0xE3F, 0xE47) | within(v, 0x1E00, 0x1EFF);
    return plain == UINT32_MAX;
}

/* Of bytes in lanes, those that are wanted; sixty-four may be written where there is `room`. */
WITH_AVX512 static inline uint8_t *press(__m512i lanes, uint64_t wanted, bool room, uint8_t *at)
{
    unsigned size = (unsigned)_mm_popcnt_u64(wanted);
    __m512i bytes = _mm512_maskz_compress_epi8(wanted, lanes);

    if (room)
        _mm512_storeu_si512(at, bytes);
    else
        _mm512_mask_storeu_epi8(at, _bzhi_u64(UINT64_MAX, size), bytes);
    return at + size;
}

/* 32 units below 0x800, each in its lane of two bytes. */
WITH_AVX512 static inline uint8_t *spread_two(__m512i v, uint8_t *at)
{
    const __m512i lead = _mm512_set1_epi16((short)0x80C0), low_six = _mm512_set1_epi16(0x3F);
    __mmask32 two = _mm512_cmpge_epu16_mask(v, _mm512_set1_epi16(0x80));
    __m512i of_two =
        _mm512_or_si512(lead, _mm512_or_si512(_mm512_srli_epi16(v, 6),
                                              _mm512_slli_epi16(_mm512_and_si512(v, low_six), 8)));

    return press(_mm512_mask_mov_epi16(v, two, of_two),
                 0x5555555555555555 | _pdep_u64(two, 0xAAAAAAAAAAAAAAAA), true, at);
}

/* Sixteen units without surrogates, of which `count` are wanted (the others are zero). Each has a
 * lane of four bytes: the bits of each byte are shifted there, and get those of their place. */
WITH_AVX512 static inline uint8_t *spread(__m256i v, unsigned count, bool room, uint8_t *at)
{
    const __m512i one_shift = _mm512_set1_epi64(0x2020202000000000),
                  two_shift = _mm512_set1_epi64(0x2020202600000006),
                  three_shift = _mm512_set1_epi64(0x2020262C0000060C),
                  bits = _mm512_set1_epi32(0x3F3F3FFF);
    __mmask16 two = _mm256_cmpge_epu16_mask(v, _mm256_set1_epi16(0x80));
    __mmask16 three = _mm256_cmpge_epu16_mask(v, _mm256_set1_epi16(0x800));
    __m512i shift =
        _mm512_mask_mov_epi32(_mm512_mask_mov_epi32(one_shift, two, two_shift), three, three_shift);
    __m512i place = _mm512_mask_mov_epi32(_mm512_maskz_set1_epi32(two, 0x80C0), three,
                                          _mm512_set1_epi32(0x8080E0));
    __m512i bytes = _mm512_multishift_epi64_epi8(shift, _mm512_cvtepu16_epi32(v));
    uint64_t wanted = _pdep_u64((1u << count) - 1, 0x1111111111111111) |
                      _pdep_u64(two, 0x2222222222222222) | _pdep_u64(three, 0x4444444444444444);

    return press(_mm512_or_si512(_mm512_and_si512(bytes, bits), place), wanted, room, at);
}

/* 32 units at a time, while there are so many. */
WITH_AVX512 static inline uint8_t *convert_wide(const uint8_t *in, size_t units, size_t *i,
                                                uint8_t *at, bool *plain)
{
    while (units - *i >= WIDE) {
        __m512i v = _mm512_loadu_si512(in + 2 * *i);

        if (!_mm512_test_epi16_mask(v, _mm512_set1_epi16((short)0xFF80))) {
            _mm256_storeu_si256((__m256i *)(void *)at, _mm512_cvtepi16_epi8(v));
            at += WIDE;
        } else if (!_mm512_test_epi16_mask(v, _mm512_set1_epi16((short)0xF800))) {
            *plain = *plain && all_plain(v);
            at = spread_two(v, at);
        } else if (within(v, 0xD800, 0xDFFF)) {
            at = convert_some(in, units, i, at, plain);
            continue;
        } else {
            *plain = *plain && all_plain(v);
            at = spread(_mm512_castsi512_si256(v), NARROW, true, at);
            at = spread(_mm512_extracti64x4_epi64(v, 1), NARROW, units - *i > WIDE + 6, at);
        }
        *i += WIDE;
    }
    return at;
}

/* Fewer than 32 units, as most texts are: at once if they are ASCII, which nearly all are. */
WITH_AVX512 static inline uint8_t *convert_rest(const uint8_t *in, size_t units, uint8_t *at,
                                                bool *plain)
{
    __mmask32 all = (__mmask32)_bzhi_u32(UINT32_MAX, (unsigned)units);
    __m512i wide = _mm512_maskz_loadu_epi16(all, in);
    size_t i = 0;

    if (!_mm512_test_epi16_mask(wide, _mm512_set1_epi16((short)0xFF80))) {
        _mm256_mask_storeu_epi8(at, all, _mm512_cvtepi16_epi8(wide));
        return at + units;
    }
    while (i < units) {
        unsigned count = units - i < NARROW ? (unsigned)(units - i) : NARROW;
        __mmask16 some = (__mmask16)((1u << count) - 1);
        __m256i v = _mm256_maskz_loadu_epi16(some, in + 2 * i);

        if (within(_mm512_zextsi256_si512(v), 0xD800, 0xDFFF)) {
            at = convert_some(in, units, &i, at, plain);
            continue;
        }
        *plain = *plain && all_plain(_mm512_zextsi256_si512(v));
        at = spread(v, count, false, at);
        i += count;
    }
    return at;
}

WITH_AVX512 static uint8_t *convert_avx512(const uint8_t *in, size_t units, uint8_t *at,
                                           bool *plain)
{
    size_t i = 0;

    *plain = true;
    if (units >= WIDE)
        at = convert_wide(in, units, &i, at, plain);
    return i < units ? convert_rest(in + 2 * i, units - i, at, plain) : at;
}

static bool has_avx512(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}
#endif

/* ---- which ---- */

unsigned utf16_ways(utf16_way ways[UTF16_WAYS])
{
    unsigned count = 0;

    ways[count++] = convert_portable;
#if defined(__x86_64__)
    if (has_avx512())
        ways[count++] = convert_avx512;
#endif
    return count;
}

static uint8_t *choose(const uint8_t *in, size_t units, uint8_t *at, bool *plain);

static _Atomic(utf16_way) chosen = choose;

static uint8_t *choose(const uint8_t *in, size_t units, uint8_t *at, bool *plain)
{
    utf16_way ways[UTF16_WAYS];
    utf16_way best = ways[utf16_ways(ways) - 1];

    atomic_store_explicit(&chosen, best, memory_order_relaxed);
    return best(in, units, at, plain);
}

uint8_t *utf16_convert(const uint8_t *in, size_t units, uint8_t *at, bool *plain)
{
    return atomic_load_explicit(&chosen, memory_order_relaxed)(in, units, at, plain);
}
