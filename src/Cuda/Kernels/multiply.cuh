// Y[M, N] = X · Wᵀ (+ bias) (+ T · L2 of each token's modality) with mma.sync, for any scheme of gemm.cuh: few tokens, and many.
// The weight is the MMA's A operand, 16 outputs (a panel) at a time, in fragment order (see docs/cuda.md); tokens are columns, 8 at a time.
// A step covers 64 inputs. Integer sums are exact; they become FP32 by the CPU's own roundings: y = float(sum) · (token scale · weight scale).
#pragma once
#include "gemm.cuh"

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
  typedef typename S::X X;
  const int DecodePanels = S::DecodePanels, XBytes = sizeof(X), XVectors = S::RowBytes / (4 * XBytes), Words = DecodePanels * Tiles * 128;
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
    X tokens[Tiles][XVectors];
#pragma unroll
    for (int i = 0; i < Tiles; i++) {
      int token = first_token + 8 * i + g;
#pragma unroll
      for (int v = 0; v < XVectors; v++) {
        tokens[i][v] = {};
        if (token < out.tokens) tokens[i][v] = *(const X*)(x + token * x_stride + (i64)step * S::RowBytes + 4 * XBytes * v + XBytes * t);
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
  if (pair < DecodePanels * Tiles) finish<S, 1, 1, S::Scaled>(total, out, first_panel + pair / Tiles, first_token + 8 * (pair % Tiles));
}

// --- Prefill: 128 outputs × 128 tokens a block; both operands pass through shared memory in a ring of asynchronous copies.
// Blocks with the same outputs follow each other along x: the weight is read from memory once, the tokens stay in the cache. ---

const int PrefillPanels = 8, PrefillTokens = 128;
const int WarpPanels = 2, WarpTiles = 8, ChunkTiles = 2; // 4 × 2 warps

extern __shared__ uint4 ring[];

// A stage: tokens [RowBytes / part][128][part], a part being the X of 4 lanes, then weights [8 panels][Vectors][32 lanes].
// Masked: vision and audio have weights of their own, modality_stride apart; a token meets its own only, text none.
template <class S, bool Masked>
INLINE void prefill_sums(const Weight& weight, i64 modality_stride, int vision_ranks, int audio_ranks, const u8* x, i64 x_stride, const u8* modalities, int tokens, int panels,
    typename S::Sum (&sum)[WarpPanels][WarpTiles][4]) {
  typedef typename S::X X;
  const int PartBytes = 4 * sizeof(X), Parts = S::RowBytes / PartBytes, PartVectors = PartBytes / 16, TokenVectors = Parts * PrefillTokens * PartVectors, StageVectors = TokenVectors + PrefillPanels * S::Vectors * 32;
  int thread = thread_index(), lane = thread & 31, warp = thread >> 5, g = lane >> 2, t = lane & 3;
  int first_panel = block_y() * PrefillPanels, first_token = block_x() * PrefillTokens;
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
          int token = first_token + v / PartVectors % PrefillTokens;
          bool wanted = token < tokens && (!Masked || modalities[token] == m);
          const u8* source = x + (wanted ? token * x_stride + (i64)step * S::RowBytes + PartBytes * (v / (PartVectors * PrefillTokens)) + 16 * (v % PartVectors) : 0);
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
        X row[Parts];
#pragma unroll
        for (int h = 0; h < Parts; h++) row[h] = ((const X*)stage)[(h * PrefillTokens + warp_token + 8 * i + g) * 4 + t];
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
  finish_chunks<S, WarpPanels, WarpTiles, ChunkTiles>(sum, out, block_y() * PrefillPanels + (warp & 3) * WarpPanels,
      block_x() * PrefillTokens + (warp >> 2) * 8 * WarpTiles);
}

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
