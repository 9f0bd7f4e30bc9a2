// Products for any GPU of compute capability 8.0 or more, the projections of patches, and what brings codes into fragment order.
#include "multiply.cuh"

GEMM(w4a8, W4A8, 2)
GEMM(w8a8, W8A8, 2)
GEMM(w4a16, W4A16, 1)
GEMM(bf16, Bf16, 1)

// T[M, R] = smoothed · L1_m of the token's own modality m, BF16. L1 lies as a BF16 weight [R, K] for vision, then audio, modality_stride uint4 apart.
// Rows of text become zero where others are in the block; blocks of text alone end at once.
KERNEL(256, 1) project(const uint4* l1, i64 modality_stride, int vision_ranks, int audio_ranks, int steps, const u8* smoothed, i64 x_stride,
    const u8* modalities, u16* projected, int projected_stride, int tokens, int panels) {
  float sum[WarpPanels][WarpTiles][4];
  int first_token = block_x() * PrefillTokens;
  if (modalities_of(modalities, first_token, PrefillTokens, tokens) == 0) return;
  prefill_sums<Bf16, true>({l1, nullptr, nullptr, panels * 16, steps}, modality_stride, vision_ranks, audio_ranks, (const u8*)smoothed, x_stride, modalities, tokens, panels, sum);
  int lane = thread_index() & 31, warp = thread_index() >> 5;
#pragma unroll
  for (int p = 0; p < WarpPanels; p++) {
    int panel = block_y() * PrefillPanels + (warp & 3) * WarpPanels + p;
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
