/* codepage.c: see codepage.h. The names are glibc's; the pages are those that mail was written in.
 */
#include "index/codepage.h"

const struct idx_codepage idx_codepages[IDX_CODEPAGES] = {
    {37, false, "IBM037"},
    {437, true, "CP437"},
    {500, false, "IBM500"},
    {708, true, "ISO-8859-6"},
    {737, true, "CP737"},
    {775, true, "CP775"},
    {850, true, "CP850"},
    {852, true, "CP852"},
    {855, true, "CP855"},
    {857, true, "CP857"},
    {858, true, "CP858"},
    {860, true, "CP860"},
    {861, true, "CP861"},
    {862, true, "CP862"},
    {863, true, "CP863"},
    {864, false, "CP864"},
    {865, true, "CP865"},
    {866, true, "CP866"},
    {869, true, "CP869"},
    {874, true, "CP874"},
    {932, true, "CP932"},
    {936, true, "CP936"},
    {949, true, "CP949"},
    {950, true, "CP950"},
    {1026, false, "IBM1026"},
    {1047, false, "IBM1047"},
    {1250, true, "CP1250"},
    {1251, true, "CP1251"},
    {1252, true, "CP1252"},
    {1253, true, "CP1253"},
    {1254, true, "CP1254"},
    {1255, true, "CP1255"},
    {1256, true, "CP1256"},
    {1257, true, "CP1257"},
    {1258, true, "CP1258"},
    {1361, false, "JOHAB"},
    {10000, true, "MACINTOSH"},
    {10007, true, "MAC-CYRILLIC"},
    {10029, true, "MAC-CENTRALEUROPE"},
    {20127, true, "ASCII"},
    {20273, false, "IBM273"},
    {20297, false, "IBM297"},
    {20866, true, "KOI8-R"},
    {20932, true, "EUC-JP"},
    {20936, true, "GB2312"},
    {21866, true, "KOI8-U"},
    {28591, true, "ISO-8859-1"},
    {28592, true, "ISO-8859-2"},
    {28593, true, "ISO-8859-3"},
    {28594, true, "ISO-8859-4"},
    {28595, true, "ISO-8859-5"},
    {28596, true, "ISO-8859-6"},
    {28597, true, "ISO-8859-7"},
    {28598, true, "ISO-8859-8"},
    {28599, true, "ISO-8859-9"},
    {28600, true, "ISO-8859-10"},
    {28601, true, "ISO-8859-11"},
    {28603, true, "ISO-8859-13"},
    {28604, true, "ISO-8859-14"},
    {28605, true, "ISO-8859-15"},
    {28606, true, "ISO-8859-16"},
    {38598, true, "ISO-8859-8"},
    {50220, false, "ISO-2022-JP"},
    {50221, false, "ISO-2022-JP"},
    {50222, false, "ISO-2022-JP"},
    {50225, false, "ISO-2022-KR"},
    {50227, false, "ISO-2022-CN"},
    {51932, true, "EUC-JP"},
    {51936, true, "GB2312"},
    {51949, true, "EUC-KR"},
    {54936, true, "GB18030"},
    {65000, false, "UTF-7"},
    {65001, true, "UTF-8"},
};

int idx_codepage_find(uint32_t number)
{
    int low = 0, high = IDX_CODEPAGES;

    while (low < high) {
        int middle = (low + high) / 2;

        if (idx_codepages[middle].number == number)
            return middle;
        if (idx_codepages[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}
