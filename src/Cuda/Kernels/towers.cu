// What the vision and audio towers do between their linear layers; the rest is prepare.cu's and gemm.cu's, in BF16. One block per row where nothing else is said.
// Prepared rows [M, stride] are BF16, stride K rounded up to 64; what lies behind K becomes zero.
#include "attention.cuh"
#include "exponential.cuh"

const int Threads = 256;

INLINE void store_prepared(u16* prepared, int stride, int k, float4 v) {
  *(uint2*)(prepared + (i64)block_x() * stride + k) = {pack_bf16(v.x, v.y), pack_bf16(v.z, v.w)};
}

// --- Attention: rows of a segment see all of it. Heads of `size` values are padded with zeros to D: 32, 64, 96 or 128. ---

// x[M, stride]: heads queries, as many keys, as many values → queries FP32, keys and values BF16, [M, heads · padded] each.
// cosines and sines [M, size / 2] turn queries and keys; null: nothing is turned.
KERNEL(256, 4) split_heads(const float* x, i64 stride, int heads, int size, int padded, const float* cosines, const float* sines, float* queries, u16* keys, u16* values) {
  const float* row = x + block_x() * stride;
  i64 place = (i64)block_x() * heads * padded;
  int half = size / 2;
  for (int i = thread_index(); i < heads * padded; i += Threads) {
    int head = i / padded, at = i - head * padded;
    float q = 0, k = 0, v = 0;
    if (at < size) {
      const float* from = row + head * size;
      q = from[at], k = from[heads * size + at], v = from[2 * heads * size + at];
      if (cosines) {
        bool low = at < half;
        int pair = low ? at : at - half, other = low ? at + half : pair;
        float cosine = cosines[block_x() * half + pair], sine = sines[block_x() * half + pair];
        float q2 = from[other] * sine, k2 = from[heads * size + other] * sine;
        q = low ? q * cosine - q2 : q * cosine + q2, k = low ? k * cosine - k2 : k * cosine + k2;
      }
    }
    queries[place + i] = q;
    keys[place + i] = (u16)pack_bf16(k, 0), values[place + i] = (u16)pack_bf16(v, 0);
  }
}

struct alignas(16) Tile { int first, end, start, stop; }; // queries first … end − 1 see keys start … stop − 1

// out[M, heads · size]. One block per tile of at most 64 queries and head, 16 queries a warp.
template <int D> INLINE void attend_segment(const float* q, const u16* keys, const u16* values, const Tile* tiles_of_queries, float* out, int heads, int size, float scale) {
  Tile tile = tiles_of_queries[block_x()];
  int lane = thread_index() & 31, warp = thread_index() >> 5, head = block_y(), row = heads * D, mine = tile.first + 16 * warp + (lane >> 2), count = tile.stop - tile.start;
  Rows<D> rows;
  begin(rows, mine < tile.end ? q + (i64)mine * row + head * D : nullptr, mine + 8 < tile.end ? q + (i64)(mine + 8) * row + head * D : nullptr, scale);
  const int visible[2] = {count, count};
  i64 first = (i64)tile.start * row + head * D;
  see_all(rows, keys + first, values + first, row, count, (count + tile_keys<D>() - 1) / tile_keys<D>(), visible);
#pragma unroll
  for (int r = 0; r < 2; r++)
    if (mine + 8 * r < tile.end) store_row(rows, r, out + (i64)(mine + 8 * r) * heads * size + head * size, size);
}

#define ATTENTION(padded)                                                                                                                              \
  KERNEL(128, 2) attend_segment_##padded(const float* q, const u16* keys, const u16* values, const Tile* queries, float* out, int heads, int size,    \
      float scale) {                                                                                                                                   \
    attend_segment<padded>(q, keys, values, queries, out, heads, size, scale);                                                                         \
  }

ATTENTION(32)
ATTENTION(64)
ATTENTION(96)
ATTENTION(128)

// --- GELU(x) = max(x, 0) − ½|x|·erfc(|x|/√2), as the processor computes it. ---

INLINE float gelu(float x) {
  float size = as_float(as_bits(x) & 0x7fffffff), z = size * 0.70710678f;
  float t = 1.0f / fused(0.3275911f, z, 1.0f);
  float p = fused(1.061405429f, t, -1.453152027f);
  p = fused(p, t, 1.421413741f), p = fused(p, t, -0.284496736f), p = fused(p, t, 0.254829592f);
  return (x > 0 ? x : 0.0f) - 0.5f * size * (p * t * exponential(-(z * z)));
}

INLINE float4 gelu(float4 v) { return {gelu(v.x), gelu(v.y), gelu(v.z), gelu(v.w)}; }

// Its approximations, x · σ(z), as the processor computes them: 1 with the hyperbolic tangent, 2 quick.
INLINE float activated(float x, int function) {
  if (function == 0) return gelu(x);
  float z = function == 1 ? x * fused(x * x, 0.07135481f, 1.5957691f) : x * 1.702f;
  return x / (1.0f + exponential(-z));
}

KERNEL(256, 4) prepare_activated(const float* x, i64 x_stride, int inputs, u16* prepared, int stride, int function) {
  const float* row = x + block_x() * x_stride;
  for (int k = 4 * thread_index(); k < stride; k += 4 * Threads) {
    float4 v = {0, 0, 0, 0};
    if (k < inputs) {
      v = *(const float4*)(row + k);
      v = {activated(v.x, function), activated(v.y, function), activated(v.z, function), activated(v.w, function)};
    }
    store_prepared(prepared, stride, k, v);
  }
}

// --- The audio tower's convolutions of width 3, as products with the rows under the kernel, and its norms. ---

// Row m holds x[taps[3m + tap]] (GELU of it where asked) at places 3i + tap; a tap below 0 is silence. x has `columns` columns.
KERNEL(256, 4) prepare_taps(const float* x, int columns, const int* taps, int activated, u16* prepared, int stride) {
  const int* mine = taps + 3 * block_x();
  for (int k = 4 * thread_index(); k < stride; k += 4 * Threads) {
    float v[4];
#pragma unroll
    for (int e = 0; e < 4; e++) {
      int i = (k + e) / 3, source = i < columns ? mine[k + e - 3 * i] : -1;
      v[e] = source < 0 ? 0.0f : x[(i64)source * columns + i];
      if (activated) v[e] = gelu(v[e]);
    }
    store_prepared(prepared, stride, k, {v[0], v[1], v[2], v[3]});
  }
}

// hidden = GELU(x) + the position's row.
KERNEL(256, 4) place_rows(const float* x, const float* positions, const int* places, float* hidden, int columns) {
  i64 row = (i64)block_x() * columns, place = (i64)places[block_x()] * columns;
  for (int k = 4 * thread_index(); k < columns; k += 4 * Threads) {
    float4 v = gelu(*(const float4*)(x + row + k)), p = *(const float4*)(positions + place + k);
    *(float4*)(hidden + row + k) = {v.x + p.x, v.y + p.y, v.z + p.z, v.w + p.w};
  }
}

// The mean of two rows of hidden + branch.
KERNEL(256, 4) pool_rows(const float* hidden, const float* branch, float* target, int columns) {
  i64 from = (i64)block_x() * 2 * columns, to = (i64)block_x() * columns;
  for (int k = thread_index(); k < columns; k += Threads)
    target[to + k] = ((hidden[from + k] + branch[from + k]) + (hidden[from + columns + k] + branch[from + columns + k])) * 0.5f;
}

const int SumLanes = 16;

// What 16 lanes hold, added as the processor adds them: halves onto each other.
INLINE float sum_of(const float* lanes) {
  float four[4];
#pragma unroll
  for (int i = 0; i < 4; i++) four[i] = (lanes[i] + lanes[i + 8]) + (lanes[i + 4] + lanes[i + 12]);
  return (four[0] + four[2]) + (four[1] + four[3]);
}

extern __shared__ float4 row_memory[];

// hidden[M, K] += branch[M, K] (unless null); then (x − mean) / √(variance + ε) ⊙ gain + bias.
KERNEL(256, 4) prepare_layer_norm(float* hidden, const float* branch, const float* gain, const float* bias, float epsilon, int inputs, u16* prepared, int stride) {
  __shared__ float sums[SumLanes], squares[SumLanes];
  float* row = (float*)row_memory;
  float* source = hidden + (i64)block_x() * inputs;
  for (int k = thread_index(); k < inputs; k += Threads) {
    float v = source[k];
    if (branch) source[k] = v = v + branch[(i64)block_x() * inputs + k];
    row[k] = v;
  }
  sync_block();
  if (thread_index() < SumLanes) {
    float sum = 0;
    for (int k = thread_index(); k < inputs; k += SumLanes) sum += row[k];
    sums[thread_index()] = sum;
  }
  sync_block();
  float mean = sum_of(sums) / (float)inputs;
  if (thread_index() < SumLanes) {
    float sum = 0;
    for (int k = thread_index(); k < inputs; k += SumLanes) sum = fused(row[k] - mean, row[k] - mean, sum);
    squares[thread_index()] = sum;
  }
  sync_block();
  float scale = 1.0f / square_root(sum_of(squares) / (float)inputs + epsilon);
  for (int k = 4 * thread_index(); k < stride; k += 4 * Threads) {
    float v[4] = {0, 0, 0, 0};
    if (k < inputs)
#pragma unroll
      for (int e = 0; e < 4; e++) v[e] = fused((row[k + e] - mean) * scale, gain[k + e], bias[k + e]);
    store_prepared(prepared, stride, k, {v[0], v[1], v[2], v[3]});
  }
}
