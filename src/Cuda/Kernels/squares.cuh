// A sum that the norms of heads begin with.
#pragma once
#include "device.cuh"

// Σx² of `size` values by a warp, in the processor's order; every lane has it, and all have read before one goes on to write.
INLINE float sum_of_squares(const float* x, int size) {
  float sum = 0;
  for (int k = thread_index() & 15; k < size; k += 16) sum = fused(x[k], x[k], sum); // the upper lanes repeat the lower
#pragma unroll
  for (int lanes = 8; lanes > 0; lanes >>= 1) sum += shuffle_xor(sum, lanes);
  sync_warp();
  return sum;
}
