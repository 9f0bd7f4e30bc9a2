// Which registers the system saves for its threads: what the processor has may be used where this says so.
#include "kernel.h"
#include <immintrin.h>

ENTRY(unsigned long *state) { *state = _xgetbv(0); }
