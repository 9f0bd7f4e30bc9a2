// What a decoder does between its linear layers: rotary embedding and cache, attention, the rows that the head reads; and the order of BF16 weights.
#include "attention.cuh"
#include "squares.cuh"

// --- Norms of heads, in place: x / √(mean(x²) + ε) ⊙ gain of every head of queries and keys. A warp each. ---

// qkv[T, stride]: heads queries, then kv_heads keys, of `size` values each.
KERNEL(256, 4) norm_heads(float* qkv, i64 stride, int heads, int kv_heads, int size, const float* query_gain, float query_epsilon, const float* key_gain, float key_epsilon) {
  int lane = thread_index() & 31, head = block_y() * 8 + (thread_index() >> 5);
  if (head >= heads + kv_heads) return;
  float* x = qkv + block_x() * stride + head * size;
  const float* gain = head < heads ? query_gain : key_gain;
  float epsilon = head < heads ? query_epsilon : key_epsilon;
  float scale = 1.0f / square_root(sum_of_squares(x, size) / (float)size + epsilon);
  for (int k = lane; k < size; k += 32) x[k] = x[k] * scale * gain[k];
}

// --- M-RoPE: queries in place, keys into the cache, values into the cache. One block per token. ---

// qkv[T, stride]: heads queries, kv_heads keys, kv_heads values, of `size` values each, of which the first 2 · half are rotated. cached[0] tokens are in the cache already.
// sequence > 0: token t is the next of sequence t, whose cached[t] tokens lie t · sequence values behind the first's.
KERNEL(256, 4) rotate_append(float* qkv, i64 stride, int heads, int kv_heads, int size, int half, const float* cosines, const float* sines, const int* cached, u16* keys, u16* values,
    i64 sequence) {
  int token = block_x();
  float* row = qkv + token * stride;
  i64 place = sequence ? token * sequence + (i64)cached[token] * kv_heads * size : (i64)(cached[0] + token) * kv_heads * size;
  for (int i = thread_index(); i < (heads + kv_heads) * half; i += 256) {
    int head = i / half, pair = i - head * half;
    float* at = row + head * size + pair;
    float cosine = cosines[token * half + pair], sine = sines[token * half + pair];
    float a = at[0], b = at[half];
    float first = a * cosine - b * sine, second = b * cosine + a * sine;
    if (head < heads) {
      at[0] = first, at[half] = second;
    } else {
      u16* key = keys + place + (head - heads) * size + pair;
      key[0] = (u16)pack_bf16(first, 0), key[half] = (u16)pack_bf16(second, 0);
    }
  }
  int rest = size - 2 * half;
  for (int i = thread_index(); i < kv_heads * rest; i += 256) {
    int at = i / rest * size + 2 * half + i % rest;
    keys[place + at] = (u16)pack_bf16(row[heads * size + at], 0);
  }
  const float* value = row + (heads + kv_heads) * size;
  for (int i = thread_index(); i < kv_heads * size; i += 256) values[place + i] = (u16)pack_bf16(value[i], 0);
}

// --- Attention in the decoder. ---

// 64 queries of one head a block, 16 a warp.
template <int D>
INLINE void attend_prefill(const float* q, i64 q_stride, const u16* keys, const u16* values, const int* cached, float* out, i64 out_stride, int tokens, int heads,
    int kv_heads, float scale) {
  int lane = thread_index() & 31, warp = thread_index() >> 5, head = block_y(), column = head / (heads / kv_heads) * D;
  int before = cached[0], all = before + tokens, first = block_x() * TileQueries, mine = first + 16 * warp + (lane >> 2);
  int last = before + (first + TileQueries < tokens ? first + TileQueries : tokens), steps = (last + tile_keys<D>() - 1) / tile_keys<D>();
  Rows<D> rows;
  begin(rows, mine < tokens ? q + mine * q_stride + head * D : nullptr, mine + 8 < tokens ? q + (mine + 8) * q_stride + head * D : nullptr, scale);
  const int visible[2] = {before + mine + 1, before + mine + 9};
  see_all(rows, keys + column, values + column, kv_heads * D, all, steps, visible);
#pragma unroll
  for (int r = 0; r < 2; r++)
    if (mine + 8 * r < tokens) store_row(rows, r, out + (mine + 8 * r) * out_stride + head * D, D);
}

// Into how many parts the keys of a sequence are divided, 4 · blocks at most: its own length decides, so that neither the cache's capacity nor neighbours change a bit.
INLINE int decode_parts(int all, int blocks) {
  int wanted = all / 256;
  return 4 * (wanted < 1 ? 1 : wanted < blocks ? wanted : blocks);
}

// One token of each sequence (blocks along z; their caches `sequence` values apart): the query heads of a key head are the rows. Each warp takes every parts-th 32 keys and leaves its share in
// partial[sequences, 4 · blocks_y, heads, D + 4]: outputs, sum, largest; attend_merge puts them together in their order.
template <int D>
INLINE void attend_decode(const float* q, i64 q_stride, const u16* keys, const u16* values, i64 sequence, const int* cached, float* partial, int heads, int kv_heads, float scale) {
  const int StepKeys = 32;
  int lane = thread_index() & 31, g = lane >> 2, t = lane & 3, kv_head = block_x(), sharing = heads / kv_heads;
  int part = block_y() * 4 + (thread_index() >> 5), all = cached[block_z()] + 1, parts = decode_parts(all, blocks_y()), row_halves = kv_heads * D;
  if (part >= parts) return;
  const float* queries = q + block_z() * q_stride + kv_head * sharing * D;
  Rows<D> rows;
  begin(rows, g < sharing ? queries + g * D : nullptr, g + 8 < sharing ? queries + (g + 8) * D : nullptr, scale);
  const int visible[2] = {all, all};
  for (int first = part * StepKeys; first < all; first += parts * StepKeys) {
    const u16 *k0 = keys + block_z() * sequence + kv_head * D, *v0 = values + block_z() * sequence + kv_head * D;
    auto place = [&](int i) { return (i64)(first + i < all ? first + i : all - 1) * row_halves; }; // keys behind the last count nothing, but must be numbers
    see<D, StepKeys / 8>(rows, [&](int i, int k) { return *(const uint4*)(k0 + place(i) + k); }, [&](int i, int k) { return *(const u32*)(v0 + place(i) + k); }, first, visible);
  }
  add_lanes(rows);
#pragma unroll
  for (int r = 0; r < 2; r++) {
    if (g + 8 * r >= sharing) continue;
    float* target = partial + ((i64)(block_z() * 4 * blocks_y() + part) * heads + kv_head * sharing + g + 8 * r) * (D + 4);
#pragma unroll
    for (int j = 0; j < D / 16; j++) *(float4*)(target + 16 * j + 4 * t) = {rows.o[2 * j][2 * r], rows.o[2 * j + 1][2 * r], rows.o[2 * j][2 * r + 1], rows.o[2 * j + 1][2 * r + 1]};
    if (t == 0) target[D] = rows.sum[r], target[D + 1] = rows.largest[r];
  }
}

// One block per head and sequence.
KERNEL(128, 8) attend_merge(const float* partial, const int* cached, int blocks, int head_size, float* out) {
  int head = block_x(), parts = decode_parts(cached[block_y()] + 1, blocks);
  i64 stride = (i64)blocks_x() * (head_size + 4);
  const float* mine = partial + block_y() * 4 * blocks * stride + (i64)head * (head_size + 4);
  float top = None;
  for (int p = 0; p < parts; p++) top = larger(top, mine[p * stride + head_size + 1]);
  for (int i = thread_index(); i < head_size; i += 128) {
    float sum = 0, value = 0;
    for (int p = 0; p < parts; p++) {
      float weight = power(mine[p * stride + head_size + 1] - top);
      sum += mine[p * stride + head_size] * weight;
      value += mine[p * stride + i] * weight;
    }
    out[((i64)block_y() * blocks_x() + head) * head_size + i] = value / sum;
  }
}

#define ATTENTION(size, blocks)                                                                                                                            \
  KERNEL(128, blocks) attend_prefill_##size(const float* q, i64 q_stride, const u16* keys, const u16* values, const int* cached, float* out, i64 out_stride,   \
      int tokens, int heads, int kv_heads, float scale) {                                                                                                  \
    attend_prefill<size>(q, q_stride, keys, values, cached, out, out_stride, tokens, heads, kv_heads, scale);                                              \
  }                                                                                                                                                        \
  KERNEL(128, blocks) attend_decode_##size(const float* q, i64 q_stride, const u16* keys, const u16* values, i64 sequence, const int* cached, float* partial,  \
      int heads, int kv_heads, float scale) {                                                                                                              \
    attend_decode<size>(q, q_stride, keys, values, sequence, cached, partial, heads, kv_heads, scale);                                                                         \
  }

ATTENTION(32, 2)
ATTENTION(64, 2)
ATTENTION(128, 2)
ATTENTION(256, 1)

// --- The rows that the head reads: hidden + branch of the rows from first[0] on. One block per row; columns in fours. ---
KERNEL(256, 4) take_rows(const float* hidden, const float* branch, const int* first, float* target, int columns) {
  i64 from = (i64)(first[0] + block_x()) * columns, to = (i64)block_x() * columns;
  for (int k = 4 * thread_index(); k < columns; k += 1024) {
    float4 v = *(const float4*)(hidden + from + k), b = *(const float4*)(branch + from + k);
    *(float4*)(target + to + k) = {v.x + b.x, v.y + b.y, v.z + b.z, v.w + b.w};
  }
}

// --- A row-major BF16 weight [rows, inputs] → fragment order (see docs/cuda.md), one warp per panel and step; what lies behind rows and inputs becomes zero. ---
KERNEL(32, 1) arrange_bf16(const u16* source, uint4* target, int rows, int inputs, int steps) {
  int panel = block_x() / steps, step = block_x() % steps, lane = thread_index(), g = lane >> 2, t = lane & 3;
#pragma unroll
  for (int v = 0; v < 4; v++) {
    int k = step * 64 + (v >> 1) * 32 + t * 8 + (v & 1) * 4, low = panel * 16 + g, high = low + 8;
    uint2 a = {0, 0}, b = {0, 0};
    if (low < rows && k < inputs) a = *(const uint2*)(source + (i64)low * inputs + k);
    if (high < rows && k < inputs) b = *(const uint2*)(source + (i64)high * inputs + k);
    target[((i64)block_x() * 4 + v) * 32 + lane] = {a.x, b.x, a.y, b.y};
  }
}
