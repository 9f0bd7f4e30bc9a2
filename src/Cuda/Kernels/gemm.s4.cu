// Products of W4A4 by the 4-bit MMA, for compute capability 8.0 to 8.9: what came later has no such tensor cores, and would take it apart.
#include "multiply.cuh"

GEMM(w4a4, W4A4, 2)
