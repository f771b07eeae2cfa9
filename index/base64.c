/* base64.c: see base64.h. */
#include "index/base64.h"

#include <limits.h>
#include <openssl/evp.h>

bool base64_decode(struct bytes text, struct buf *out)
{
    size_t padding = 0;
    int size;

    buf_reset(out);
    if (text.size % 4 || text.size > INT_MAX)
        return false;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    /* The library passes over white space at both ends. */
    for (size_t i = 0; i < text.size - padding; i++)
        if (text.data[i] <= ' ' || text.data[i] == '=' || text.data[i] == '-')
            return false;
    if (!buf_reserve(out, text.size / 4 * 3 + 1))
        return false;
    size = text.size ? EVP_DecodeBlock(out->data, text.data, (int)text.size) : 0;
    if (size < 0 || (size_t)size < padding)
        return false;
    out->size = (size_t)size - padding;
    return true;
}
