/*
 * offsets.h: the one table of on-disk offsets and sizes (FORMAT.md sections 1 to 6).
 *
 * All that the parser and the generator of synthetic images share. Names follow [MS-PST].
 * Suffix A: ANSI; U: Unicode with 512-byte pages; K: Unicode with 4096-byte pages.
 */
#ifndef SCANNER_OST_OFFSETS_H
#define SCANNER_OST_OFFSETS_H

/* Header, common prefix */
#define OFF_MAGIC           0
#define OFF_CRC_PARTIAL     4
#define OFF_MAGIC_CLIENT    8
#define OFF_VER             10
#define OFF_VER_CLIENT      12
#define OFF_PLATFORM        14
#define CRC_PARTIAL_START   8
#define CRC_PARTIAL_LENGTH  471
#define CRC_FULL_START      8
#define CRC_FULL_LENGTH     516

/* Header, ANSI */
#define OFF_A_BID_NEXT_B    24
#define OFF_A_BID_NEXT_P    28
#define OFF_A_UNIQUE        32
#define OFF_A_RGNID         36
#define OFF_A_EOF           168
#define OFF_A_AMAP_LAST     172
#define OFF_A_AMAP_FREE     176
#define OFF_A_PMAP_FREE     180
#define OFF_A_BREF_NBT      184
#define OFF_A_BREF_BBT      192
#define OFF_A_AMAP_VALID    200
#define OFF_A_FM            204
#define OFF_A_FP            332
#define OFF_A_SENTINEL      460
#define OFF_A_CRYPT         461
#define HEADER_SIZE_A       512

/* Header, Unicode (both page sizes) */
#define OFF_U_BID_UNUSED    24
#define OFF_U_BID_NEXT_P    32
#define OFF_U_UNIQUE        40
#define OFF_U_RGNID         44
#define OFF_U_EOF           184
#define OFF_U_AMAP_LAST     192
#define OFF_U_AMAP_FREE     200
#define OFF_U_PMAP_FREE     208
#define OFF_U_BREF_NBT      216
#define OFF_U_BREF_BBT      232
#define OFF_U_AMAP_VALID    248
#define OFF_U_FM            256
#define OFF_U_FP            384
#define OFF_U_SENTINEL      512
#define OFF_U_CRYPT         513
#define OFF_U_BID_NEXT_B    516
#define OFF_U_CRC_FULL      524
#define HEADER_SIZE_U       564

#define SENTINEL            0x80
#define RGNID_COUNT         32

#endif
