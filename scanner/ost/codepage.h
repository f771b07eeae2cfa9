/*
 * codepage.h: the code page of an object's 8-bit text (PtypString8).
 *
 * Outlook writes such text in the Windows code page of the machine. What an object says of it:
 * 0x3FFD names it outright, but seldom stands there; 0x3FDE names the Internet's encoding of the
 * message, of the same script but often another page (real ANSI files: 50220, ISO-2022-JP, beside
 * text in 932); 0x3FF1 names the locale, whose page it usually is.
 *
 * Threads: pure.
 */
#ifndef SCANNER_OST_CODEPAGE_H
#define SCANNER_OST_CODEPAGE_H

#include <stdint.h>

/*
 * The Windows code page to read 8-bit text with, 0 when nothing tells it. Arguments are the values
 * of 0x3FFD, 0x3FDE and 0x3FF1, 0 where absent; the first that names a page wins. Encodings of
 * Unicode and plain ASCII name none.
 */
uint32_t ost_codepage(uint32_t message, uint32_t internet, uint32_t locale);

#endif
