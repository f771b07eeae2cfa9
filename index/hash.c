/* hash.c: see hash.h. */
#include "index/hash.h"
