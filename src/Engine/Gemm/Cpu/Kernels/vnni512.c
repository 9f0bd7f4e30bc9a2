// AVX512-VNNI: sums of unsigned 8-bit weights times signed 8-bit tokens in vectors of 512 bits, for which .NET 10 has no type.
#include "kernel.h"
#include <immintrin.h>

// As ByteKernelVnni512.Call has it.
struct call {
  const int *tokens;            // [steps][rows], each the 4 codes of a run of inputs
  const unsigned char *weights; // panels of [steps][16][4] bytes, or of [steps / 2][16][4] pairs of nibbles
  long panel;                   // bytes from panel to panel
  long ahead;                   // bytes to prefetch ahead, at most those of a panel
  int *sums;                    // [panels][rows][16]
  int steps;                    // runs of 4 inputs, even where weights are nibbles
  int rows;                     // 1 ... 14
  int panels;                   // 1 ... 4, with more than 6 rows 1 or 2
  int nibbles;                  // not 0: 4-bit weights, the first step in the low halves of bytes
  int mask;                     // of nibbles: 0x0f in every byte; otherwise what every byte is XORed with, 0x80 where codes are signed
                                // (a constant in the code would be data beside it)
};

// The 32 registers: rows * width sums, width weights, one token, one mask. Everything is unrolled, so that the arrays are registers.
INLINE void tile(const struct call *call, const int rows, const int width, const int nibbles) {
  const int *tokens = call->tokens;
  const unsigned char *weights[4];
  __m512i sum[14][4];
  const __m512i mask = _mm512_set1_epi32(call->mask);
  UNROLL for (int p = 0; p < width; p++) weights[p] = call->weights + (p < call->panels ? p * call->panel : 0);
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int p = 0; p < width; p++) sum[r][p] = _mm512_setzero_si512();

  // Behind the end of the last panel the first panel of the next call is met; behind that of the others, what the next call meets there.
  long left = nibbles ? call->steps / 2 : call->steps;
  long tail = call->ahead / 64 < left ? call->ahead / 64 : left;
  long ahead = call->ahead;
  for (int part = 0; part < 2; part++) {
    for (long count = part ? tail : left - tail; count > 0; count--) {
      UNROLL for (int half = 0; half <= nibbles; half++) {
        __m512i w[4];
        UNROLL for (int p = 0; p < width; p++) {
          __m512i codes = _mm512_loadu_si512(weights[p]);
          w[p] = !nibbles ? _mm512_xor_si512(codes, mask) : _mm512_and_si512(half ? _mm512_srli_epi16(codes, 4) : codes, mask);
          if (half == 0) _mm_prefetch((const char *)weights[p] + ahead, _MM_HINT_T0);
        }
        UNROLL for (int r = 0; r < rows; r++) {
          const __m512i token = _mm512_set1_epi32(tokens[r]);
          UNROLL for (int p = 0; p < width; p++) sum[r][p] = _mm512_dpbusd_epi32(sum[r][p], w[p], token);
        }
        tokens += rows;
        AGAIN; // codes are read again rather than kept: sums have the registers
      }
      UNROLL for (int p = 0; p < width; p++) weights[p] += 64;
    }
    ahead += (width - 1) * call->panel;
  }

  UNROLL for (int p = 0; p < width; p++)
    if (p < call->panels)
      UNROLL for (int r = 0; r < rows; r++) _mm512_storeu_si512(call->sums + (p * rows + r) * 16, sum[r][p]);
}

#define ROWS(n, width)                                                                                                                                \
  case n:                                                                                                                                             \
    if (call->nibbles)                                                                                                                                \
      tile(call, n, width, 1);                                                                                                                        \
    else                                                                                                                                              \
      tile(call, n, width, 0);                                                                                                                        \
    return;

ENTRY(const struct call *call) {
  if (call->panels > 2)
    switch (call->rows) { ROWS(1, 4) ROWS(2, 4) ROWS(3, 4) ROWS(4, 4) ROWS(5, 4) ROWS(6, 4) }
  else
    switch (call->rows) {
      ROWS(1, 2) ROWS(2, 2) ROWS(3, 2) ROWS(4, 2) ROWS(5, 2) ROWS(6, 2) ROWS(7, 2)
      ROWS(8, 2) ROWS(9, 2) ROWS(10, 2) ROWS(11, 2) ROWS(12, 2) ROWS(13, 2) ROWS(14, 2)
    }
}
