// Y = X · Wᵀ for many tokens on Hopper (compute capability 9.0): the weight goes from memory to registers and is the warpgroup MMA's A operand, tokens come
// from shared memory. 128 outputs × 256 tokens a block, two warpgroups of 64 outputs; a stage holds 128 inputs of the tokens.
// Patches, bias and scales: as in gemm.cuh, since a warp holds mma.sync's fragments.
// Tokens' codes lie in the order of the MMA: within 64 inputs, 4-byte word 4t + 2s + h at place 8s + 4h + t.
#include "gemm.cuh"
#include "hopper.cuh"

const int Tokens = 256, Panels = 8, Tiles = 32, ChunkTiles = 8, Stages = 4;
const int RowBytes = 128, StageBytes = Tokens * RowBytes, StepsPerStage = RowBytes / 64;

extern __shared__ uint4 ring[];

// Copies a stage's inputs of the block's tokens, 16-byte part p of row r to place p ^ r % 8. What lies behind the last step becomes zero.
INLINE void fetch(u32 ring_address, int stage, int steps, const u8* x, i64 x_stride, int first_token, int tokens) {
  if (stage * StepsPerStage < steps) {
    u32 target = ring_address + (u32)(stage % Stages) * StageBytes;
#pragma unroll
    for (int i = 0; i < StageBytes / 16 / 256; i++) {
      int v = i * 256 + thread_index(), row = v >> 3, part = v & 7, token = first_token + row;
      bool wanted = token < tokens && stage * StepsPerStage + (part >> 2) < steps;
      const u8* source = x + (wanted ? token * x_stride + (i64)stage * RowBytes + 16 * part : 0);
      copy_async(target + row * RowBytes + 16 * (part ^ (row & 7)), source, wanted ? 16 : 0);
    }
  }
  commit_copies();
}

template <class S> INLINE void load_stage(const Weight& weight, int panel, int panels, int stage, uint4 (&raw)[StepsPerStage][S::Vectors]) {
#pragma unroll
  for (int s = 0; s < StepsPerStage; s++) {
    int step = stage * StepsPerStage + s;
#pragma unroll
    for (int v = 0; v < S::Vectors; v++) raw[s][v] = {0, 0, 0, 0};
    if (panel < panels && step < weight.steps) load_weights<S>(weight, panel, step, raw[s]);
  }
}

template <class S> INLINE void prefill(const Weight& weight, const u8* x, i64 x_stride, const Output& out) {
  int warp = thread_index() >> 5, panel = block_y() * Panels + warp, first_token = block_x() * Tokens;
  int stages = (weight.steps + StepsPerStage - 1) / StepsPerStage;
  u32 target = (shared_address(ring) + 1023) & ~1023u; // swizzling counts from there
  int sum[1][Tiles][4];
#pragma unroll
  for (int i = 0; i < Tiles; i++) sum[0][i][0] = sum[0][i][1] = sum[0][i][2] = sum[0][i][3] = 0;
#pragma unroll 1
  for (int stage = 0; stage < Stages - 1; stage++) fetch(target, stage, weight.steps, x, x_stride, first_token, out.tokens);
  uint4 next[StepsPerStage][S::Vectors];
  load_stage<S>(weight, panel, out.panels, 0, next);
#pragma unroll 1
  for (int stage = 0; stage < stages; stage++) {
    typename S::Weights f[StepsPerStage];
#pragma unroll
    for (int s = 0; s < StepsPerStage; s++) S::unpack(next[s], f[s]), own(f[s].a, out.tokens >> 31);
    wait_copies<Stages - 2>();
    fence_async();
    sync_block(); // this stage has arrived for all; the one that is filled next has been multiplied by all
    u64 b = wgmma_descriptor(target + (u32)(stage % Stages) * StageBytes);
    wgmma_fence();
#pragma unroll
    for (int s = 0; s < StepsPerStage; s++) {
      wgmma(sum[0], f[s].a, b + 4 * s); // in units of 16 bytes
      wgmma(sum[0], f[s].a + 4, b + 4 * s + 2);
    }
    wgmma_commit();
    fetch(target, stage + Stages - 1, weight.steps, x, x_stride, first_token, out.tokens);
    load_stage<S>(weight, panel, out.panels, stage + 1, next);
    wgmma_wait();
  }
  wait_copies<0>();
  finish_chunks<S, 1, Tiles, ChunkTiles>(sum, out, panel, first_token);
}

#define GEMM(name, scheme)                                                                                                                \
  KERNEL(256, 1) wide_##name(const uint4* codes, const float* scales, const u8* zero_points, int steps, const u8* x, i64 x_stride,        \
      OUTPUT_PARAMETERS) {                                                                                                                \
    prefill<scheme>(WEIGHT, x, x_stride, OUTPUT);                                                                                         \
  }

GEMM(w4a8, W4A8)
GEMM(w8a8, W8A8)
