// Y[M, N] = X · Wᵀ (+ bias) (+ T · L2 of each token's modality), for any GPU of compute capability 8.0 or more.
// The weight is the MMA's A operand, 16 outputs (a panel) at a time, in fragment order (see docs/cuda.md); tokens are columns, 8 at a time.
// A step covers 64 inputs. Integer sums are exact; they become FP32 by the CPU's own roundings: y = float(sum) · (token scale · weight scale).
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

// --- Schemes: how a panel's step is stored, what a token's step holds, and the product of the two. ---

struct W4A8 {
  typedef int Sum;
  static const int Vectors = 1, RowBytes = 64, Fragments = 8, Stages = 4, DecodePanels = 4;
  struct Weights { u32 a[Fragments]; };
  INLINE void unpack(const uint4* w, Weights& f) {
    // The code stays in the upper half of its byte: 16 times the weight.
    f.a[0] = w->x << 4 & 0xf0f0f0f0, f.a[1] = w->y << 4 & 0xf0f0f0f0, f.a[2] = w->x & 0xf0f0f0f0, f.a[3] = w->y & 0xf0f0f0f0;
    f.a[4] = w->z << 4 & 0xf0f0f0f0, f.a[5] = w->w << 4 & 0xf0f0f0f0, f.a[6] = w->z & 0xf0f0f0f0, f.a[7] = w->w & 0xf0f0f0f0;
  }
  INLINE void multiply(Sum (&sum)[4], const Weights& f, const uint4* x) { mma(sum, f.a, x->x, x->y), mma(sum, f.a + 4, x->z, x->w); }
  INLINE float value(Sum sum) { return (float)(sum >> 4); }
};

struct W8A8 {
  typedef int Sum;
  static const int Vectors = 2, RowBytes = 64, Fragments = 8, Stages = 4, DecodePanels = 4;
  struct Weights { u32 a[Fragments]; };
  INLINE void unpack(const uint4* w, Weights& f) {
    f.a[0] = w[0].x, f.a[1] = w[0].y, f.a[2] = w[0].z, f.a[3] = w[0].w, f.a[4] = w[1].x, f.a[5] = w[1].y, f.a[6] = w[1].z, f.a[7] = w[1].w;
  }
  INLINE void multiply(Sum (&sum)[4], const Weights& f, const uint4* x) { mma(sum, f.a, x->x, x->y), mma(sum, f.a + 4, x->z, x->w); }
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
  INLINE void multiply(Sum (&sum)[4], const Weights& f, const uint4* x) {
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
  static const int Vectors = 4, RowBytes = 128, Fragments = 16, Stages = 3, DecodePanels = 2;
  struct Weights { u32 a[Fragments]; };
  INLINE void unpack(const uint4* w, Weights& f) {
#pragma unroll
    for (int i = 0; i < 4; i++) f.a[4 * i] = w[i].x, f.a[4 * i + 1] = w[i].y, f.a[4 * i + 2] = w[i].z, f.a[4 * i + 3] = w[i].w;
  }
  INLINE void multiply(Sum (&sum)[4], const Weights& f, const uint4* x) {
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

// --- Decode: few tokens. Weights go from memory straight to registers; 8 warps divide the inputs, blocks along z divide them further. ---

const int DecodeWarps = 8;

INLINE int sum_bits(int value) { return value; }
INLINE int sum_bits(float value) { return (int)as_bits(value); }
INLINE void from_bits(int bits, int& value) { value = bits; }
INLINE void from_bits(int bits, float& value) { value = as_float((u32)bits); }

// Split sums: [blocks x · y][z][panels · Tiles · 128] words, and one counter per x · y, zero between launches.
template <class S, int Tiles>
INLINE void decode(const Weight& weight, const u8* x, i64 x_stride, const Output& out, int* partial, u32* counters) {
  __shared__ int exchange[DecodeWarps * S::DecodePanels * Tiles * 128];
  __shared__ u32 arrived;
  typedef typename S::Sum Sum;
  const int DecodePanels = S::DecodePanels, XVectors = S::RowBytes / 64, Words = DecodePanels * Tiles * 128;
  int lane = thread_index() & 31, warp = thread_index() >> 5, g = lane >> 2, t = lane & 3;
  int first_panel = block_x() * DecodePanels, first_token = block_y() * 8 * Tiles;
  Sum sum[DecodePanels][Tiles][4];
#pragma unroll
  for (int p = 0; p < DecodePanels; p++)
#pragma unroll
    for (int i = 0; i < Tiles; i++) sum[p][i][0] = sum[p][i][1] = sum[p][i][2] = sum[p][i][3] = 0;

  int stride = DecodeWarps * blocks_z();
  uint4 next[DecodePanels][S::Vectors];
  int step = block_z() * DecodeWarps + warp;
#pragma unroll
  for (int p = 0; p < DecodePanels; p++)
#pragma unroll
    for (int v = 0; v < S::Vectors; v++) next[p][v] = {0, 0, 0, 0};
  if (step < weight.steps)
#pragma unroll
    for (int p = 0; p < DecodePanels; p++)
      if (first_panel + p < out.panels) load_weights<S>(weight, first_panel + p, step, next[p]);
  for (; step < weight.steps; step += stride) {
    uint4 raw[DecodePanels][S::Vectors];
#pragma unroll
    for (int p = 0; p < DecodePanels; p++)
#pragma unroll
      for (int v = 0; v < S::Vectors; v++) raw[p][v] = next[p][v];
    if (step + stride < weight.steps)
#pragma unroll
      for (int p = 0; p < DecodePanels; p++)
        if (first_panel + p < out.panels) load_weights<S>(weight, first_panel + p, step + stride, next[p]);
    uint4 tokens[Tiles][XVectors];
#pragma unroll
    for (int i = 0; i < Tiles; i++) {
      int token = first_token + 8 * i + g;
#pragma unroll
      for (int v = 0; v < XVectors; v++) {
        tokens[i][v] = {0, 0, 0, 0};
        if (token < out.tokens) tokens[i][v] = *(const uint4*)(x + token * x_stride + (i64)step * S::RowBytes + 64 * v + 16 * t);
      }
    }
#pragma unroll
    for (int p = 0; p < DecodePanels; p++) {
      if (first_panel + p < out.panels) {
        typename S::Weights f;
        Unpacker<S>::run(weight, first_panel + p, step, raw[p], f);
#pragma unroll
        for (int i = 0; i < Tiles; i++) S::multiply(sum[p][i], f, tokens[i]);
      }
    }
  }

  // The warps' sums, added in their order.
#pragma unroll
  for (int p = 0; p < DecodePanels; p++)
#pragma unroll
    for (int i = 0; i < Tiles; i++)
#pragma unroll
      for (int e = 0; e < 4; e++) exchange[warp * Words + ((p * Tiles + i) * 4 + e) * 32 + lane] = sum_bits(sum[p][i][e]);
  sync_block();
  Sum total[1][1][4];
  int pair = warp; // of panel and tile
  if (pair < DecodePanels * Tiles) {
#pragma unroll
    for (int e = 0; e < 4; e++) {
      total[0][0][e] = 0;
#pragma unroll
      for (int w = 0; w < DecodeWarps; w++) {
        Sum part;
        from_bits(exchange[w * Words + (pair * 4 + e) * 32 + lane], part);
        total[0][0][e] += part;
      }
    }
  }
  if (blocks_z() > 1) {
    // The block that arrives last adds the parts in their order, so that the result does not depend on who that is.
    int tile = block_y() * blocks_x() + block_x();
    int* parts = partial + (i64)tile * blocks_z() * Words;
    if (pair < DecodePanels * Tiles)
#pragma unroll
      for (int e = 0; e < 4; e++) parts[(i64)block_z() * Words + (pair * 4 + e) * 32 + lane] = sum_bits(total[0][0][e]);
    fence_device();
    sync_block();
    if (thread_index() == 0) asm volatile("atom.global.add.u32 %0, [%1], 1;" : "=r"(arrived) : "l"(counters + tile) : "memory");
    sync_block();
    if (arrived != (u32)blocks_z() - 1) return;
    fence_device();
    if (thread_index() == 0) counters[tile] = 0;
    if (pair < DecodePanels * Tiles) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        total[0][0][e] = 0;
        for (int z = 0; z < blocks_z(); z++) {
          Sum part;
          from_bits(*(volatile int*)(parts + (i64)z * Words + (pair * 4 + e) * 32 + lane), part);
          total[0][0][e] += part;
        }
      }
    }
  }
  if (pair < DecodePanels * Tiles) finish<S, 1, 1, S::RowBytes == 64>(total, out, first_panel + pair / Tiles, first_token + 8 * (pair % Tiles));
}

// --- Prefill: 128 outputs × 128 tokens a block; both operands pass through shared memory in a ring of asynchronous copies. ---

const int PrefillPanels = 8, PrefillTokens = 128;
const int WarpPanels = 2, WarpTiles = 8; // 4 × 2 warps

extern __shared__ uint4 ring[];

// A stage: tokens [RowBytes / 64][128][64 bytes], then weights [8 panels][Vectors][32 lanes].
// Masked: vision and audio have weights of their own, modality_stride apart; a token meets its own only, text none.
template <class S, bool Masked>
INLINE void prefill_sums(const Weight& weight, i64 modality_stride, int vision_ranks, int audio_ranks, const u8* x, i64 x_stride, const u8* modalities, int tokens, int panels,
    typename S::Sum (&sum)[WarpPanels][WarpTiles][4]) {
  const int Halves = S::RowBytes / 64, TokenVectors = Halves * PrefillTokens * 4, StageVectors = TokenVectors + PrefillPanels * S::Vectors * 32;
  int thread = thread_index(), lane = thread & 31, warp = thread >> 5, g = lane >> 2, t = lane & 3;
  int first_panel = block_x() * PrefillPanels, first_token = block_y() * PrefillTokens;
  int warp_panel = (warp & 3) * WarpPanels, warp_token = (warp >> 2) * 8 * WarpTiles;
  u32 target = shared_address(ring);
#pragma unroll
  for (int p = 0; p < WarpPanels; p++)
#pragma unroll
    for (int i = 0; i < WarpTiles; i++) sum[p][i][0] = sum[p][i][1] = sum[p][i][2] = sum[p][i][3] = 0;

  int mask = Masked ? modalities_of(modalities, first_token, PrefillTokens, tokens) : 1;
  for (int m = Masked ? 1 : 0; m < (Masked ? Modalities : 1); m++) {
    if (!(mask >> m & 1) || (Masked && first_panel * 16 >= (m == 1 ? vision_ranks : audio_ranks))) continue;
    const uint4* codes = weight.codes + (Masked ? (m - 1) * modality_stride : 0);
    // Copies the operands of a step into its stage.
    auto fetch = [&](int step) {
      if (step < weight.steps) {
        u32 stage = target + (u32)(step % S::Stages) * (StageVectors * 16);
#pragma unroll
        for (int v = thread; v < TokenVectors; v += 256) {
          int token = first_token + (v >> 2) % PrefillTokens;
          bool wanted = token < tokens && (!Masked || modalities[token] == m);
          const u8* source = x + (wanted ? token * x_stride + (i64)step * S::RowBytes + 64 * (v / (4 * PrefillTokens)) + 16 * (v & 3) : 0);
          copy_async(stage + 16 * v, source, wanted ? 16 : 0);
        }
#pragma unroll
        for (int v = thread; v < PrefillPanels * S::Vectors * 32; v += 256) {
          int panel = first_panel + v / (S::Vectors * 32);
          bool inside = panel < panels;
          const uint4* source = codes + (inside ? ((i64)panel * weight.steps + step) * (S::Vectors * 32) + v % (S::Vectors * 32) : 0);
          copy_async(stage + 16 * (TokenVectors + v), source, inside ? 16 : 0);
        }
      }
      commit_copies(); // also an empty group: waits count groups
    };
    if (Masked) sync_block(); // the ring may still be read for the modality before
#pragma unroll 1
    for (int step = 0; step < S::Stages - 1; step++) fetch(step);
    for (int step = 0; step < weight.steps; step++) {
      wait_copies<S::Stages - 2>();
      sync_block(); // this step has arrived for all; the stage that is filled next has been read by all
      fetch(step + S::Stages - 1);
      const uint4* stage = ring + (step % S::Stages) * StageVectors;
      typename S::Weights f[WarpPanels];
#pragma unroll
      for (int p = 0; p < WarpPanels; p++) {
        uint4 raw[S::Vectors];
#pragma unroll
        for (int v = 0; v < S::Vectors; v++) raw[v] = stage[TokenVectors + ((warp_panel + p) * S::Vectors + v) * 32 + lane];
        int panel = first_panel + warp_panel + p;
        Unpacker<S>::run(weight, panel < panels ? panel : 0, step, raw, f[p]);
      }
#pragma unroll
      for (int i = 0; i < WarpTiles; i++) {
        uint4 row[Halves];
#pragma unroll
        for (int h = 0; h < Halves; h++) row[h] = stage[(h * PrefillTokens + warp_token + 8 * i + g) * 4 + t];
#pragma unroll
        for (int p = 0; p < WarpPanels; p++) S::multiply(sum[p][i], f[p], row);
      }
    }
    wait_copies<0>();
  }
}

template <class S> INLINE void prefill(const Weight& weight, const u8* x, i64 x_stride, const Output& out) {
  typename S::Sum sum[WarpPanels][WarpTiles][4];
  prefill_sums<S, false>(weight, 0, 0, 0, x, x_stride, nullptr, out.tokens, out.panels, sum);
  int warp = thread_index() >> 5;
  finish<S, WarpPanels, WarpTiles, S::RowBytes == 64>(sum, out, block_x() * PrefillPanels + (warp & 3) * WarpPanels,
      block_y() * PrefillTokens + (warp >> 2) * 8 * WarpTiles);
}

#define OUTPUT_PARAMETERS                                                                                                                      \
  const float *token_scales, const float *weight_scales, const float *bias, float *y, i64 y_stride, const u8 *modalities, const u16 *projected, \
      int projected_stride, const Patch *patches, int layers, int tokens, int panels
#define OUTPUT {token_scales, weight_scales, bias, y, y_stride, modalities, projected, projected_stride, patches, layers, tokens, panels}
#define WEIGHT {codes, scales, zero_points, panels * 16, steps}

#define GEMM(name, scheme, blocks)                                                                                                                     \
  KERNEL(256, 2) decode8_##name(const uint4* codes, const float* scales, const u8* zero_points, int steps, const u8* x, i64 x_stride,          \
      OUTPUT_PARAMETERS, int* partial, u32* counters) {                                                                                        \
    decode<scheme, 1>(WEIGHT, x, x_stride, OUTPUT, partial, counters);                                                                         \
  }                                                                                                                                            \
  KERNEL(256, 2) decode16_##name(const uint4* codes, const float* scales, const u8* zero_points, int steps, const u8* x, i64 x_stride,         \
      OUTPUT_PARAMETERS, int* partial, u32* counters) {                                                                                        \
    decode<scheme, 2>(WEIGHT, x, x_stride, OUTPUT, partial, counters);                                                                         \
  }                                                                                                                                            \
  KERNEL(256, blocks) prefill_##name(const uint4* codes, const float* scales, const u8* zero_points, int steps, const u8* x, i64 x_stride,          \
      OUTPUT_PARAMETERS) {                                                                                                                     \
    prefill<scheme>(WEIGHT, x, x_stride, OUTPUT);                                                                                              \
  }

GEMM(w4a8, W4A8, 1)
GEMM(w8a8, W8A8, 1)
GEMM(w4a16, W4A16, 1)
GEMM(bf16, Bf16, 1)

// T[M, R] = smoothed · L1_m of the token's own modality m, BF16. L1 lies as a BF16 weight [R, K] for vision, then audio, modality_stride uint4 apart.
// Rows of text become zero where others are in the block; blocks of text alone end at once.
KERNEL(256, 1) project(const uint4* l1, i64 modality_stride, int vision_ranks, int audio_ranks, int steps, const u8* smoothed, i64 x_stride,
    const u8* modalities, u16* projected, int projected_stride, int tokens, int panels) {
  float sum[WarpPanels][WarpTiles][4];
  int first_token = block_y() * PrefillTokens;
  if (modalities_of(modalities, first_token, PrefillTokens, tokens) == 0) return;
  prefill_sums<Bf16, true>({l1, nullptr, nullptr, panels * 16, steps}, modality_stride, vision_ranks, audio_ranks, (const u8*)smoothed, x_stride, modalities, tokens, panels, sum);
  int lane = thread_index() & 31, warp = thread_index() >> 5;
#pragma unroll
  for (int p = 0; p < WarpPanels; p++) {
    int panel = block_x() * PrefillPanels + (warp & 3) * WarpPanels + p;
    if (panel >= panels) continue;
#pragma unroll
    for (int i = 0; i < WarpTiles; i++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        int token = first_token + (warp >> 2) * 8 * WarpTiles + 8 * i + 2 * (lane & 3) + (e & 1);
        if (token < tokens) projected[(i64)token * projected_stride + panel * 16 + (lane >> 2) + 8 * (e >> 1)] = (u16)pack_bf16(sum[p][i][e], 0.0f);
      }
    }
  }
}

// Packed codes of an artifact → fragment order, in place, one warp per panel and step (see docs/cuda.md). flip: 0x88888888 makes offset codes signed.
KERNEL(32, 1) arrange_w4(uint4* codes, u32 flip, int wide) {
  u32* words = (u32*)(codes + (i64)block_x() * 32);
  int lane = thread_index() & 31, g = lane >> 2, t = lane & 3;
  int first = wide ? t : 2 * t, second = wide ? 4 + t : 2 * t + 1; // groups of 8 inputs
  uint4 v = {words[first * 16 + g] ^ flip, words[first * 16 + g + 8] ^ flip, words[second * 16 + g] ^ flip, words[second * 16 + g + 8] ^ flip};
  sync_warp();
  ((uint4*)words)[lane] = v;
}

KERNEL(32, 1) arrange_w8(uint4* codes) {
  u32* words = (u32*)(codes + (i64)block_x() * 64);
  int lane = thread_index() & 31, g = lane >> 2, t = lane & 3;
  uint4 v[2];
#pragma unroll
  for (int s = 0; s < 2; s++) {
    const u32* low = words + (4 * t + 2 * s) * 16 + g; // groups of 4 inputs
    v[s] = {low[0], low[8], low[16], low[24]};
  }
  sync_warp();
  ((uint4*)words)[lane] = v[0];
  ((uint4*)words)[32 + lane] = v[1];
}
