/*
 * header.h: the header of an image, and what can be said from it and the file's size alone.
 *
 * FORMAT.md sections 1 and 2 ([MS-PST] 2.2.2.6). Pure functions over memory; any thread.
 */
#ifndef SCANNER_OST_HEADER_H
#define SCANNER_OST_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "io/bytes.h"
#include "scanner/finding.h"

enum ost_content { OST_CONTENT_UNKNOWN, OST_CONTENT_PST, OST_CONTENT_OST, OST_CONTENT_PAB };
enum ost_format { OST_FORMAT_UNKNOWN, OST_FORMAT_ANSI, OST_FORMAT_UNICODE, OST_FORMAT_UNICODE4K };
enum ost_crypt { OST_CRYPT_NONE = 0, OST_CRYPT_PERMUTE = 1, OST_CRYPT_CYCLIC = 2 };

/* Names of INTERFACE's `image` record; NULL for unknown. */
const char *ost_content_name(enum ost_content content);
const char *ost_format_name(enum ost_format format);
const char *ost_crypt_name(uint8_t crypt);

enum { OST_HEADER_SIZE = 564, OST_HEADER_FINDINGS = 12 };

struct ost_bref {
    uint64_t bid;
    uint64_t offset;
};

struct ost_header {
    enum ost_content content;
    enum ost_format format;
    uint16_t version;        /* wVer; if it is damaged, the one that the checksum proves */
    uint16_t client_version; /* wVerClient */
    uint8_t crypt;           /* as stored */
    uint32_t unique;         /* dwUnique */
    uint64_t bid_next_block, bid_next_page;
    uint32_t highest_index[32]; /* rgnid: by NID type, as stored */
    uint64_t eof;               /* ibFileEof */
    uint64_t amap_last;
    uint64_t amap_free;
    uint8_t amap_valid;
    struct ost_bref nbt, bbt;
};

/* How far the image can be used. */
enum ost_header_state {
    OST_HEADER_SOUND,    /* everything checked is right, or wrong in a way that loses nothing */
    OST_HEADER_SUSPECT,  /* damaged, but the fields needed to read on could be found */
    OST_HEADER_UNUSABLE, /* not an image, a PAB, too short, no known format, or no root in the file
                          */
};

struct ost_header_report {
    enum ost_header_state state;
    struct finding findings[OST_HEADER_FINDINGS]; /* in the order of their checks */
    unsigned finding_count;
};

/*
 * Parses and checks the first bytes of a file: `head` holds what could be read of the first
 * min(file_size, OST_HEADER_SIZE) of them. Always fills *out as far as the bytes reach (zero
 * beyond) and *report. In findings `actual` is what the file holds, `expected` what belongs there.
 */
void ost_header_check(struct bytes head, uint64_t file_size, struct ost_header *out,
                      struct ost_header_report *report);

#endif
