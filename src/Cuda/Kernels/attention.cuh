// Attention: softmax(scale · q · Kᵀ) · V with online softmax, 16 rows of queries a warp. Scores are in powers of two.
#pragma once
#include "device.cuh"

const float None = -__builtin_inff();

INLINE float power(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

INLINE float larger(float a, float b) { return a > b ? a : b; }

INLINE u32 halves(u32 a, u32 b, u32 selector) {
  u32 result;
  asm("prmt.b32 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(selector));
  return result;
}

// Lane 4g + t holds rows g and g + 8. Inputs are permuted within 32, alike for queries and keys, so that a lane's keys are 16 bytes;
// outputs within 16, so that values load in pairs: o[2j][0], o[2j + 1][0], o[2j][1], o[2j + 1][1] are columns 16j + 4t … + 3 of row g.
template <int D> struct Rows {
  u32 q[D / 32][8];
  float o[D / 8][4];
  float largest[2], sum[2];
};

template <int D> INLINE void begin(Rows<D>& rows, const float* first, const float* second, float scale) {
  int t = thread_index() & 3;
#pragma unroll
  for (int k = 0; k < D / 32; k++) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      float2 a = {0, 0}, b = {0, 0};
      if (first) a = *(const float2*)(first + 32 * k + 8 * t + 2 * i);
      if (second) b = *(const float2*)(second + 32 * k + 8 * t + 2 * i);
      int place = (i >> 1) * 4 + (i & 1) * 2;
      rows.q[k][place] = pack_bf16(a.x * scale, a.y * scale), rows.q[k][place + 1] = pack_bf16(b.x * scale, b.y * scale);
    }
  }
#pragma unroll
  for (int j = 0; j < D / 8; j++) rows.o[j][0] = rows.o[j][1] = rows.o[j][2] = rows.o[j][3] = 0;
  rows.largest[0] = rows.largest[1] = None, rows.sum[0] = rows.sum[1] = 0;
}

// The next 8 · Tiles keys, of which row r sees those before visible[r]. key(i, k): 8 inputs from k of key i; value(i, k): inputs k, k + 1 of value i.
template <int D, int Tiles, class Key, class Value>
INLINE void see(Rows<D>& rows, Key key, Value value, int first_key, const int (&visible)[2]) {
  int lane = thread_index() & 31, g = lane >> 2, t = lane & 3;
  float s[Tiles][4];
#pragma unroll
  for (int i = 0; i < Tiles; i++) {
    s[i][0] = s[i][1] = s[i][2] = s[i][3] = 0;
#pragma unroll
    for (int k = 0; k < D / 32; k++) {
      uint4 w = key(8 * i + g, 32 * k + 8 * t);
      mma(s[i], rows.q[k], w.x, w.y), mma(s[i], rows.q[k] + 4, w.z, w.w);
    }
  }
#pragma unroll
  for (int r = 0; r < 2; r++) {
    float top = rows.largest[r];
#pragma unroll
    for (int i = 0; i < Tiles; i++) {
#pragma unroll
      for (int e = 0; e < 2; e++) {
        float& score = s[i][2 * r + e];
        score = first_key + 8 * i + 2 * t + e < visible[r] ? score : None;
        top = larger(top, score);
      }
    }
    top = larger(top, shuffle_xor(top, 1)), top = larger(top, shuffle_xor(top, 2));
    float shift = top == None ? 0.0f : top, correction = power(rows.largest[r] - shift), part = 0;
    rows.largest[r] = top;
#pragma unroll
    for (int i = 0; i < Tiles; i++) {
#pragma unroll
      for (int e = 0; e < 2; e++) {
        float& score = s[i][2 * r + e];
        score = power(score - shift);
        part += score;
      }
    }
    rows.sum[r] = rows.sum[r] * correction + part;
#pragma unroll
    for (int j = 0; j < D / 8; j++) rows.o[j][2 * r] *= correction, rows.o[j][2 * r + 1] *= correction;
  }
#pragma unroll
  for (int k = 0; k < Tiles / 2; k++) {
    u32 p[4] = {pack_bf16(s[2 * k][0], s[2 * k][1]), pack_bf16(s[2 * k][2], s[2 * k][3]), pack_bf16(s[2 * k + 1][0], s[2 * k + 1][1]),
        pack_bf16(s[2 * k + 1][2], s[2 * k + 1][3])};
#pragma unroll
    for (int j = 0; j < D / 16; j++) {
      u32 a = value(16 * k + 2 * t, 16 * j + 2 * g), b = value(16 * k + 2 * t + 1, 16 * j + 2 * g);
      u32 c = value(16 * k + 2 * t + 8, 16 * j + 2 * g), d = value(16 * k + 2 * t + 9, 16 * j + 2 * g);
      mma(rows.o[2 * j], p, halves(a, b, 0x5410), halves(c, d, 0x5410)), mma(rows.o[2 * j + 1], p, halves(a, b, 0x7632), halves(c, d, 0x7632));
    }
  }
}

// The lanes of a row hold parts of its sum.
template <int D> INLINE void add_lanes(Rows<D>& rows) {
#pragma unroll
  for (int r = 0; r < 2; r++) {
    rows.sum[r] += shuffle_xor(rows.sum[r], 1);
    rows.sum[r] += shuffle_xor(rows.sum[r], 2);
  }
}

const int TileQueries = 64;

// Two stages of keys and values are 68 KB at most, or 64 keys of 128 values: not every device has more.
template <int D> INLINE constexpr int tile_keys() { return D > 128 ? 32 : 64; }

extern __shared__ uint4 tiles[];

// Tiles of keys and values, `count` in all, pass through shared memory, the next while one is used by all four warps; row r of mine sees those before visible[r].
template <int D> INLINE void see_all(Rows<D>& rows, const u16* keys, const u16* values, int row_halves, int count, int steps, const int (&visible)[2]) {
  const int TileKeys = tile_keys<D>(), RowHalves = D + 8, TileHalves = TileKeys * RowHalves; // 16 bytes more than a row: lanes meet different banks
  int thread = thread_index();
  u32 target = shared_address(tiles);
  const u16* shared = (const u16*)tiles;
  auto fetch = [&](int step) {
    if (step < steps) {
#pragma unroll
      for (int i = thread; i < TileKeys * D / 8; i += 128) {
        int key = i / (D / 8), column = i % (D / 8) * 8, place = step * TileKeys + key;
        bool inside = place < count;
        i64 source = inside ? (i64)place * row_halves + column : 0;
        u32 stage = target + (u32)(((step & 1) * 2 * TileHalves + key * RowHalves + column) * 2);
        copy_async(stage, keys + source, inside ? 16 : 0), copy_async(stage + TileHalves * 2, values + source, inside ? 16 : 0);
      }
    }
    commit_copies();
  };
  fetch(0);
  for (int step = 0; step < steps; step++) {
    sync_block(); // the stage that is filled next has been read
    fetch(step + 1);
    wait_copies<1>();
    sync_block();
    const u16* stage = shared + (step & 1) * 2 * TileHalves;
    see<D, TileKeys / 8>(rows, [&](int i, int k) { return *(const uint4*)(stage + i * RowHalves + k); },
        [&](int i, int k) { return *(const u32*)(stage + TileHalves + i * RowHalves + k); }, step * TileKeys, visible);
  }
  wait_copies<0>();
  add_lanes(rows);
}

// Row r of mine, divided by its sum: columns 16j + 4t … of a head of `size` values.
template <int D> INLINE void store_row(const Rows<D>& rows, int r, float* target, int size) {
  int t = thread_index() & 3;
  float inverse = 1.0f / rows.sum[r];
#pragma unroll
  for (int j = 0; j < D / 16; j++)
    if (16 * j + 4 * t < size)
      *(float4*)(target + 16 * j + 4 * t) = {rows.o[2 * j][2 * r] * inverse, rows.o[2 * j + 1][2 * r] * inverse, rows.o[2 * j][2 * r + 1] * inverse, rows.o[2 * j + 1][2 * r + 1] * inverse};
}
