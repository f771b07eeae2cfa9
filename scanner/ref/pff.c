/* pff.c: see pff.h. */
#include "scanner/ref/pff.h"
