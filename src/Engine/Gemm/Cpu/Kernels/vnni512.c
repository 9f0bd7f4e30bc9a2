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
  const unsigned char *scales;  // of the first panel's groups of 128 inputs, [groups][16], 1 ... 16; null: none
  long scale;                   // bytes from panel to panel
  int steps;                    // runs of 4 inputs, even where weights are nibbles, whole groups where they have scales
  int rows;                     // 1 ... 14, with scales 1 ... 12
  int panels;                   // 1 ... 4, with more than 6 rows, with scales more than 4, 1 or 2
  int nibbles;                  // not 0: 4-bit weights, the first step in the low halves of bytes
  int mask;                     // of nibbles: 0x0f in every byte; otherwise what every byte is XORed with, 0x80 for signed codes
  unsigned eight;               // 8 in every byte, for weights with scales (constants in the code would be data beside it)
};

#define GROUP 16 // times 64 bytes of nibbles

// The 32 registers: rows * width sums, width weights, one token, one mask, and two of each panel's scales. Everything is unrolled, so that the arrays are registers.
INLINE void tile(const struct call *call, const int rows, const int width, const int nibbles, const int scaled) {
  const int *tokens = call->tokens;
  const unsigned char *weights[4];
  const unsigned char *scales = call->scales;
  __m512i sum[14][4], scale[4], shift[4];
  const __m512i mask = _mm512_set1_epi32(call->mask);
  UNROLL for (int p = 0; p < width; p++) weights[p] = call->weights + (p < call->panels ? p * call->panel : 0);
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int p = 0; p < width; p++) sum[r][p] = _mm512_setzero_si512();

  // Behind the end of the last panel the first panel of the next call is met; behind that of the others, what the next call meets there.
  long left = nibbles ? call->steps / 2 : call->steps;
  long tail = call->ahead / 64 < left ? call->ahead / 64 : left;
  long ahead = call->ahead;
  for (int part = 0; part < 2; part++) {
    for (long count = part ? tail : left - tail; count > 0; count--) {
      if (scaled && count % GROUP == 0) {
        UNROLL for (int p = 0; p < width; p++) {
          // A code times its scale is at most 240: two bytes of a word are multiplied at once. Minus 8 scales, plus 128, it is unsigned.
          const __m512i runs = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(scales + (p < call->panels ? p * call->scale : 0))));
          scale[p] = _mm512_or_si512(runs, _mm512_slli_epi32(runs, 16));
          shift[p] = _mm512_sub_epi8(_mm512_mullo_epi32(runs, _mm512_set1_epi32((int)call->eight)), _mm512_set1_epi32((int)(call->eight << 4)));
        }
        scales += 16;
      }
      UNROLL for (int half = 0; half <= nibbles; half++) {
        __m512i w[4];
        UNROLL for (int p = 0; p < width; p++) {
          __m512i codes = _mm512_loadu_si512(weights[p]);
          w[p] = !nibbles ? _mm512_xor_si512(codes, mask) : _mm512_and_si512(half ? _mm512_srli_epi16(codes, 4) : codes, mask);
          if (scaled) w[p] = _mm512_sub_epi8(_mm512_mullo_epi16(w[p], scale[p]), shift[p]);
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

#define ROWS(n, width, nibbles, scaled)                                                                                                               \
  case n:                                                                                                                                             \
    tile(call, n, width, nibbles, scaled);                                                                                                            \
    return;
#define WIDE(nibbles, scaled) ROWS(1, 4, nibbles, scaled) ROWS(2, 4, nibbles, scaled) ROWS(3, 4, nibbles, scaled) ROWS(4, 4, nibbles, scaled)
#define NARROW(nibbles, scaled)                                                                                                                       \
  ROWS(1, 2, nibbles, scaled) ROWS(2, 2, nibbles, scaled) ROWS(3, 2, nibbles, scaled) ROWS(4, 2, nibbles, scaled)                                     \
  ROWS(5, 2, nibbles, scaled) ROWS(6, 2, nibbles, scaled) ROWS(7, 2, nibbles, scaled) ROWS(8, 2, nibbles, scaled)                                     \
  ROWS(9, 2, nibbles, scaled) ROWS(10, 2, nibbles, scaled) ROWS(11, 2, nibbles, scaled) ROWS(12, 2, nibbles, scaled)

ENTRY(const struct call *call) {
  if (call->scales) {
    if (call->panels > 2)
      switch (call->rows) { WIDE(1, 1) }
    else
      switch (call->rows) { NARROW(1, 1) }
  } else if (call->nibbles) {
    if (call->panels > 2)
      switch (call->rows) { WIDE(1, 0) ROWS(5, 4, 1, 0) ROWS(6, 4, 1, 0) }
    else
      switch (call->rows) { NARROW(1, 0) ROWS(13, 2, 1, 0) ROWS(14, 2, 1, 0) }
  } else {
    if (call->panels > 2)
      switch (call->rows) { WIDE(0, 0) ROWS(5, 4, 0, 0) ROWS(6, 4, 0, 0) }
    else
      switch (call->rows) { NARROW(0, 0) ROWS(13, 2, 0, 0) ROWS(14, 2, 0, 0) }
  }
}
