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

/* Magic numbers of the parts below: enumerations of [MS-PST] 2.2.2.7.1 and 2.2.2.8.3 */
#define PTYPE_BBT           0x80
#define PTYPE_NBT           0x81
#define PTYPE_FMAP          0x82
#define PTYPE_PMAP          0x83
#define PTYPE_AMAP          0x84
#define PTYPE_FPMAP         0x85
#define PTYPE_DLIST         0x86
#define BTYPE_DATA          1 /* XBLOCK, XXBLOCK */
#define BTYPE_SUBNODE       2 /* SLBLOCK, SIBLOCK */
#define BID_RESERVED        1u
#define BID_INTERNAL        2u

/* Pages: size, trailer; fields within the trailer */
#define PAGE_SIZE_AU        512
#define PAGE_SIZE_K         4096
#define PAGE_TRAILER_A      500
#define PAGE_TRAILER_U      496
#define PAGE_TRAILER_K      4072
#define PAGE_TRAILER_SIZE_A 12
#define PAGE_TRAILER_SIZE_U 16
#define PAGE_TRAILER_SIZE_K 24
#define OFF_PT_TYPE         0
#define OFF_PT_TYPE_REPEAT  1
#define OFF_PT_SIG          2
#define OFF_A_PT_BID        4
#define OFF_A_PT_CRC        8
#define OFF_U_PT_CRC        4 /* U and K */
#define OFF_U_PT_BID        8
#define OFF_K_PT_CONST      16 /* u64 */
#define PT_CONST_K          1

/* B-tree pages: entry area, counters, entries */
#define BT_COUNTERS_A       496 /* cEnt, cEntMax, cbEnt, cLevel: u8 each */
#define BT_COUNTERS_U       488
#define BT_COUNTERS_K       4056 /* cEnt, cEntMax: u16; cbEnt, cLevel: u8 */
#define BT_BRANCH_SIZE_A    12   /* key, bid, ib: each as wide as a bid */
#define BT_BRANCH_SIZE_U    24
#define BT_BRANCH_MAX_A     41
#define BT_BRANCH_MAX_U     20
#define BT_BRANCH_MAX_K     169
#define BBT_SIZE_A          12
#define BBT_SIZE_U          24
#define BBT_MAX_A           41
#define BBT_MAX_U           20
#define BBT_MAX_K           169
#define OFF_A_BBT_IB        4
#define OFF_A_BBT_CB        8
#define OFF_A_BBT_REF       10
#define OFF_U_BBT_IB        8
#define OFF_U_BBT_CB        16
#define OFF_U_BBT_REF       18
#define OFF_K_BBT_INFLATED  18
#define OFF_K_BBT_REF       20
#define OFF_K_BBT_FLAG      22
#define NBT_SIZE_A          16
#define NBT_SIZE_U          32
#define NBT_MAX_A           31
#define NBT_MAX_U           15
#define NBT_MAX_K           126
#define OFF_A_NBT_DATA      4
#define OFF_A_NBT_SUB       8
#define OFF_A_NBT_PARENT    12
#define OFF_U_NBT_DATA      8
#define OFF_U_NBT_SUB       16
#define OFF_U_NBT_PARENT    24

/* Blocks: alignment, bounds, trailer; fields within the trailer */
#define BLOCK_ALIGN_AU       64
#define BLOCK_ALIGN_K        512
#define BLOCK_MAX_AU         8192
#define BLOCK_MAX_K          65536
#define BLOCK_DATA_MAX_A     8180
#define BLOCK_DATA_MAX_U     8176
#define BLOCK_DATA_MAX_K     65512
#define BLOCK_TRAILER_SIZE_A 12
#define BLOCK_TRAILER_SIZE_U 16
#define BLOCK_TRAILER_SIZE_K 24
#define OFF_BT_CB            0
#define OFF_BT_SIG           2
#define OFF_A_BT_BID         4
#define OFF_A_BT_CRC         8
#define OFF_U_BT_CRC         4
#define OFF_U_BT_BID         8
#define OFF_K_BT_CONST       16 /* u16 */
#define OFF_K_BT_INFLATED    18
#define OFF_K_BT_ZERO        20 /* u32 */
#define BT_CONST_K           2

/* Data trees: XBLOCK and XXBLOCK */
#define OFF_X_TYPE           0
#define OFF_X_LEVEL          1
#define OFF_X_COUNT          2
#define OFF_X_TOTAL          4
#define OFF_X_BIDS           8

/* Subnode trees: SLBLOCK (level 0) and SIBLOCK (level 1) */
#define OFF_S_TYPE           0
#define OFF_S_LEVEL          1
#define OFF_S_COUNT          2
#define OFF_A_S_ENTRIES      4
#define OFF_U_S_ENTRIES      8
#define SL_SIZE_A            12 /* nid, bidData, bidSub: each as wide as a bid */
#define SL_SIZE_U            24
#define SI_SIZE_A            8 /* nid, bid */
#define SI_SIZE_U            16

/* Allocation pages */
#define DLIST_AU             0x4200
#define DLIST_K              0x21000
#define AMAP_FIRST_AU        0x4400
#define AMAP_FIRST_K         0x22000
#define AMAP_SPACING_AU      0x3E000
#define AMAP_SPACING_K       0xFE8000
#define AMAP_BITMAP_A        4
#define AMAP_BITMAP_UK       0
#define AMAP_BITMAP_SIZE_AU  496
#define AMAP_BITMAP_SIZE_K   4072
#define PMAP_EVERY           8 /* A, U: after AMap k where k % 8 == 0 */
#define FMAP_FIRST           128
#define FMAP_EVERY           496
#define FPMAP_FIRST          8192
#define FPMAP_EVERY          31744

#endif
