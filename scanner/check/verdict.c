/* verdict.c: see verdict.h. */
#include "scanner/check/verdict.h"
