// What the GEMM kernels share: the formats of weights, and what becomes of their sums.
#pragma once
#include "device.cuh"

const int Modalities = 3;

// The patches of one panel's layer. L2 lies in fragment order, [N / 16][ranks / 16][32 lanes] uint4.
struct Patch {
  int first_panel;      // of the layer
  int column;           // where its projections start in a row of T
  int ranks[4];         // per modality, a multiple of 16; 0: no patch; the fourth is unused
  const uint4* l2[4];
};

struct Output {
  const float* token_scales;  // [M]
  const float* weight_scales; // [N]
  const float* bias;          // [N], or null
  float* y;                   // [M, y_stride]
  i64 y_stride;
  const u8* modalities;       // [M], or null: all text
  const u16* projected;       // T [M, projected_stride] BF16
  int projected_stride;
  const Patch* patches;       // one per layer, or null
  int layers;
  int tokens, panels;
};

// --- Schemes: how a panel's step is stored, what a token's step holds (RowBytes, of which a lane reads vectors X), and the product of the two.
// Scaled: one scale per output and token, applied to the sum. ---

struct W4A8 {
  typedef int Sum;
  typedef uint4 X;
  static const bool Scaled = true;
  static const int Vectors = 1, RowBytes = 64, Fragments = 8, Stages = 4, DecodePanels = 4;
  struct Weights { u32 a[Fragments]; };
  INLINE void unpack(const uint4* w, Weights& f) {
    // The code stays in the upper half of its byte: 16 times the weight.
    f.a[0] = w->x << 4 & 0xf0f0f0f0, f.a[1] = w->y << 4 & 0xf0f0f0f0, f.a[2] = w->x & 0xf0f0f0f0, f.a[3] = w->y & 0xf0f0f0f0;
    f.a[4] = w->z << 4 & 0xf0f0f0f0, f.a[5] = w->w << 4 & 0xf0f0f0f0, f.a[6] = w->z & 0xf0f0f0f0, f.a[7] = w->w & 0xf0f0f0f0;
  }
  INLINE void multiply(Sum (&sum)[4], const Weights& f, const X* x) { mma(sum, f.a, x->x, x->y), mma(sum, f.a + 4, x->z, x->w); }
  INLINE float value(Sum sum) { return (float)(sum >> 4); }
};

struct W8A8 {
  typedef int Sum;
  typedef uint4 X;
  static const bool Scaled = true;
  static const int Vectors = 2, RowBytes = 64, Fragments = 8, Stages = 4, DecodePanels = 4;
  struct Weights { u32 a[Fragments]; };
  INLINE void unpack(const uint4* w, Weights& f) {
    f.a[0] = w[0].x, f.a[1] = w[0].y, f.a[2] = w[0].z, f.a[3] = w[0].w, f.a[4] = w[1].x, f.a[5] = w[1].y, f.a[6] = w[1].z, f.a[7] = w[1].w;
  }
  INLINE void multiply(Sum (&sum)[4], const Weights& f, const X* x) { mma(sum, f.a, x->x, x->y), mma(sum, f.a + 4, x->z, x->w); }
  INLINE float value(Sum sum) { return (float)sum; }
};

// The stored words are the MMA's registers as they are; tokens pack their codes like the weight. Six stages keep about as many bytes under way as W4A8's four.
struct W4A4 {
  typedef int Sum;
  typedef uint2 X;
  static const bool Scaled = true;
  static const int Vectors = 1, RowBytes = 32, Fragments = 4, Stages = 6, DecodePanels = 4;
  struct Weights { u32 a[Fragments]; };
  INLINE void unpack(const uint4* w, Weights& f) { f.a[0] = w->x, f.a[1] = w->y, f.a[2] = w->z, f.a[3] = w->w; }
  INLINE void multiply(Sum (&sum)[4], const Weights& f, const X* x) { mma_int4(sum, f.a, x->x, x->y); }
  INLINE float value(Sum sum) { return (float)sum; }
};

// Two 16-bit halves 128 + code, from bytes 0 and 1 or 2 and 3 of four codes: 0x4300 is 128 in BF16, whose unit there is 1.
INLINE u32 widen_codes(u32 codes, u32 selector) {
  u32 result;
  asm("prmt.b32 %0, %1, 0x43434343, %2;" : "=r"(result) : "r"(codes), "r"(selector));
  return result;
}

INLINE u32 subtract_offset(u32 pair, u32 offset) { // exact: small integers
  u32 result;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(pair), "r"(0x3f803f80), "r"(offset));
  return result;
}

struct W4A16 {
  typedef float Sum;
  typedef uint4 X;
  static const bool Scaled = false;
  static const int Vectors = 1, RowBytes = 128, Fragments = 16, Stages = 4, DecodePanels = 4;
  struct Weights { u32 a[Fragments]; float scale[2]; }; // code − zero point, and the group's scale for rows g and g + 8
  INLINE void unpack(const uint4* w, const float* scales, const u8* zero_points, Weights& f) {
    f.scale[0] = scales[0], f.scale[1] = scales[8];
    u32 low = 0xc300c300u | zero_points[0] * 0x10001u, high = 0xc300c300u | zero_points[8] * 0x10001u; // −(128 + zero point)
    const u32 word[4] = {w->x, w->y, w->z, w->w};
#pragma unroll
    for (int i = 0; i < 4; i++) { // 16 inputs each: lower codes, upper codes, of both halves of the step
      u32 first = word[i >> 1 << 1] >> (4 * (i & 1)) & 0x0f0f0f0f, second = word[(i >> 1 << 1) + 1] >> (4 * (i & 1)) & 0x0f0f0f0f;
      f.a[4 * i] = subtract_offset(widen_codes(first, 0x4140), low), f.a[4 * i + 1] = subtract_offset(widen_codes(second, 0x4140), high);
      f.a[4 * i + 2] = subtract_offset(widen_codes(first, 0x4342), low), f.a[4 * i + 3] = subtract_offset(widen_codes(second, 0x4342), high);
    }
  }
  INLINE void multiply(Sum (&sum)[4], const Weights& f, const X* x) {
    float part[4] = {0, 0, 0, 0};
    mma(part, f.a, x[0].x, x[0].y), mma(part, f.a + 4, x[0].z, x[0].w);
    mma(part, f.a + 8, x[1].x, x[1].y), mma(part, f.a + 12, x[1].z, x[1].w);
#pragma unroll
    for (int i = 0; i < 4; i++) sum[i] = fused(part[i], f.scale[i >> 1], sum[i]);
  }
  INLINE float value(Sum sum) { return sum; }
};

struct Bf16 {
  typedef float Sum;
  typedef uint4 X;
  static const bool Scaled = false;
  static const int Vectors = 4, RowBytes = 128, Fragments = 16, Stages = 3, DecodePanels = 2;
  struct Weights { u32 a[Fragments]; };
  INLINE void unpack(const uint4* w, Weights& f) {
#pragma unroll
    for (int i = 0; i < 4; i++) f.a[4 * i] = w[i].x, f.a[4 * i + 1] = w[i].y, f.a[4 * i + 2] = w[i].z, f.a[4 * i + 3] = w[i].w;
  }
  INLINE void multiply(Sum (&sum)[4], const Weights& f, const X* x) {
    mma(sum, f.a, x[0].x, x[0].y), mma(sum, f.a + 4, x[0].z, x[0].w);
    mma(sum, f.a + 8, x[1].x, x[1].y), mma(sum, f.a + 12, x[1].z, x[1].w);
  }
  INLINE float value(Sum sum) { return sum; }
};

// The weight in memory; a step of a panel is 32 lanes × Vectors uint4, vector after vector.
struct Weight {
  const uint4* codes;      // [panels][steps][Vectors][32]
  const float* scales;     // W4A16: [K / 128][N]
  const u8* zero_points;   // W4A16: [K / 128][N]
  int outputs, steps;
};

template <class S> INLINE void load_weights(const Weight& weight, int panel, int step, uint4* raw) {
  const uint4* source = weight.codes + ((i64)panel * weight.steps + step) * (32 * S::Vectors) + (thread_index() & 31);
#pragma unroll
  for (int v = 0; v < S::Vectors; v++) raw[v] = load_stream(source + 32 * v);
}

template <class S> struct Unpacker {
  INLINE void run(const Weight&, int, int, const uint4* raw, typename S::Weights& f) { S::unpack(raw, f); }
};
template <> struct Unpacker<W4A16> {
  INLINE void run(const Weight& weight, int panel, int step, const uint4* raw, W4A16::Weights& f) {
    i64 group = (i64)(step >> 1) * weight.outputs + panel * 16 + ((thread_index() & 31) >> 2);
    W4A16::unpack(raw, weight.scales + group, weight.zero_points + group, f);
  }
};

// Which modalities occur among `count` tokens from `first` on; the same in all lanes.
INLINE int modalities_of(const u8* modalities, int first, int count, int tokens) {
  int mask = 0;
  for (int i = 0; i < count; i += 32) {
    int token = first + i + (thread_index() & 31);
    int modality = i + (thread_index() & 31) < count && token < tokens ? modalities[token] : 0;
#pragma unroll
    for (int m = 1; m < Modalities; m++) mask |= ballot(modality == m) ? 1 << m : 0;
  }
  return mask;
}

// Turns the sums of Panels × Tiles fragments into outputs and stores them.
template <class S, int Panels, int Tiles, bool Scaled>
INLINE void finish(typename S::Sum (&sum)[Panels][Tiles][4], const Output& out, int first_panel, int first_token) {
  int lane = thread_index() & 31, g = lane >> 2, t = lane & 3;
  float y[Panels][Tiles][4];
#pragma unroll
  for (int p = 0; p < Panels; p++) {
    int n = (first_panel + p) * 16 + g;
    bool inside = first_panel + p < out.panels;
    float scale[2] = {1, 1}, bias[2] = {0, 0};
    if (inside && Scaled) scale[0] = out.weight_scales[n], scale[1] = out.weight_scales[n + 8];
    if (inside && out.bias) bias[0] = out.bias[n], bias[1] = out.bias[n + 8];
#pragma unroll
    for (int i = 0; i < Tiles; i++) {
      int token = first_token + 8 * i + 2 * t;
#pragma unroll
      for (int e = 0; e < 4; e++) {
        float v = S::value(sum[p][i][e]);
        if (Scaled) v = v * ((token + (e & 1) < out.tokens ? out.token_scales[token + (e & 1)] : 0.0f) * scale[e >> 1]);
        y[p][i][e] = out.bias ? v + bias[e >> 1] : v;
      }
    }
  }
  int mask = out.patches && out.modalities ? modalities_of(out.modalities, first_token, 8 * Tiles, out.tokens) : 0;
  for (int m = 1; m < Modalities; m++) {
    if (!(mask >> m & 1)) continue;
#pragma unroll
    for (int p = 0; p < Panels; p++) {
      int panel = first_panel + p;
      if (panel >= out.panels) continue;
      const Patch* patch = out.patches;
      for (int layer = 1; layer < out.layers; layer++) patch = out.patches[layer].first_panel <= panel ? out.patches + layer : patch;
      int steps = patch->ranks[m] >> 4;
      const uint4* l2 = patch->l2[m] + (i64)(panel - patch->first_panel) * steps * 32 + lane;
      for (int r = 0; r < steps; r++) {
        uint4 raw = load_global(l2 + 32 * r);
        u32 a[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
        for (int i = 0; i < Tiles; i++) {
          int token = first_token + 8 * i + g;
          uint2 b = {0, 0}; // tokens of other modalities: nothing is added
          if (token < out.tokens && out.modalities[token] == m)
            b = *(const uint2*)(out.projected + (i64)token * out.projected_stride + patch->column + 16 * r + 4 * t);
          mma(y[p][i], a, b.x, b.y);
        }
      }
    }
  }
#pragma unroll
  for (int p = 0; p < Panels; p++) {
    if (first_panel + p >= out.panels) continue;
    int n = (first_panel + p) * 16 + g;
#pragma unroll
    for (int i = 0; i < Tiles; i++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        int token = first_token + 8 * i + 2 * t + (e & 1);
        if (token < out.tokens) out.y[token * out.y_stride + n + 8 * (e >> 1)] = y[p][i][e];
      }
    }
  }
}

// The same by chunks of token tiles, where all outputs at once would not fit the registers.
template <class S, int Panels, int Tiles, int ChunkTiles>
INLINE void finish_chunks(typename S::Sum (&sum)[Panels][Tiles][4], const Output& out, int first_panel, int first_token) {
#pragma unroll
  for (int c = 0; c < Tiles; c += ChunkTiles) {
    typename S::Sum part[Panels][ChunkTiles][4];
#pragma unroll
    for (int p = 0; p < Panels; p++)
#pragma unroll
      for (int i = 0; i < ChunkTiles; i++)
#pragma unroll
        for (int e = 0; e < 4; e++) part[p][i][e] = sum[p][c + i][e];
    finish<S, Panels, ChunkTiles, S::Scaled>(part, out, first_panel, first_token + 8 * c);
  }
}

#define OUTPUT_PARAMETERS                                                                                                                      \
  const float *token_scales, const float *weight_scales, const float *bias, float *y, i64 y_stride, const u8 *modalities, const u16 *projected, \
      int projected_stride, const Patch *patches, int layers, int tokens, int panels
#define OUTPUT {token_scales, weight_scales, bias, y, y_stride, modalities, projected, projected_stride, patches, layers, tokens, panels}
#define WEIGHT {codes, scales, zero_points, panels * 16, steps}
