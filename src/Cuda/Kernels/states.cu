// Layers that carry a state from token to token in place of keys and values: causal convolution, the gated delta rule, gated norm; and attention whose output has a gate.
// Equals the processor bit for bit: every sum has its order.
#include "elementary.cuh"
#include "exponential.cuh"
#include "squares.cuh"

// What a step says on the device: the first row that is wanted, how many rows are tokens, then how many tokens each sequence has behind it.
const int Count = 1;

const int Window = 3; // rows before a row that a convolution of 4 sees
const int RowsOfTile = 32;

// x[M, x_stride] → out[M, out_stride]: SiLU of the convolution of `channels` columns, a thread each; weights[channels, 4].
// One sequence: blocks along y are tiles of rows, and the first leaves the last rows in window[3, channels]. Apart: row y is the next of sequence y, whose window lies y · 3 · channels on.
KERNEL(256, 4) convolve(const float* x, i64 x_stride, int channels, const float4* weights, const int* step, const int* cached, float* window, int apart, float* out, i64 out_stride) {
  int channel = block_x() * 256 + thread_index(), tile = block_y();
  if (channel >= channels) return;
  int count = apart ? 1 : step[Count], first = apart ? 0 : tile * RowsOfTile;
  bool fresh = cached[apart ? tile : 0] == 0;
  if (apart) x += tile * x_stride, out += tile * out_stride, window += (i64)tile * Window * channels;
  x += channel, out += channel, window += channel;
  float4 weight = weights[channel];
  auto before = [&](int row) { return row >= 0 ? x[row * x_stride] : fresh ? 0.0f : window[(i64)(Window + row) * channels]; };
  float a = before(first - 3), b = before(first - 2), c = before(first - 1);
  float kept[Window];
#pragma unroll
  for (int i = 0; i < Window; i++) kept[i] = first == 0 ? before(count - Window + i) : 0;
  int last = first + RowsOfTile < count ? first + RowsOfTile : count;
  for (int row = first; row < last; row++) {
    float d = x[row * x_stride];
    out[row * out_stride] = silu(fused(d, weight.w, fused(c, weight.z, fused(b, weight.y, fused(a, weight.x, 0)))));
    a = b, b = c, c = d;
  }
  if (first == 0) {
#pragma unroll
    for (int i = 0; i < Window; i++) window[(i64)i * channels] = kept[i];
  }
}

// Of every row: queries (times scale) and keys of x get unit length, heads of `size` values, a warp each; decays and strengths come of a and b.
// ab[M, ab_stride]: a of every value head, then from `b_column` on b. gates[M, 2, value_heads].
KERNEL(256, 4) delta_inputs(float* x, i64 x_stride, int key_heads, int size, float epsilon, float scale, const float* ab, i64 ab_stride, int b_column, const float* decay, const float* offset,
    int value_heads, float* gates) {
  int lane = thread_index() & 31, warp = thread_index() >> 5;
  x += block_x() * x_stride, ab += block_x() * ab_stride, gates += (i64)block_x() * 2 * value_heads;
  for (int head = warp; head < 2 * key_heads; head += 8) {
    float* row = x + head * size;
    float factor = (head < key_heads ? scale : 1.0f) / square_root(sum_of_squares(row, size) + epsilon);
    for (int k = lane; k < size; k += 32) row[k] = row[k] * factor;
  }
  for (int head = thread_index(); head < value_heads; head += 256) {
    double a = (double)ab[head] + (double)offset[head];
    double softplus = a > 40 ? a : logarithm_wide(1 + exponential_wide(a)); // above it the identity to the last bit
    gates[head] = (float)exponential_wide(-exponential_wide((double)decay[head]) * softplus);
    gates[value_heads + head] = (float)(1 / (1 + exponential_wide(-(double)ab[b_column + head])));
  }
}

// A block takes 32 values of a head through the tokens: S ← γS + k ⊗ β(v − γkᵀS), then qᵀS. Two lanes share a value's column of the state, which stays in their registers: one has the even rows, the other the odd, whose sums are apart on the processor, too.
// x[M, x_stride]: queries, keys, values; rows behind the sequence's tokens give zeros, since others must find numbers. state[value heads · values / 32][K][32]; apart: row y is the next of sequence y, whose state lies y · `sequence` values on.
template <int K>
INLINE void delta_rule(const float* x, i64 x_stride, int key_heads, int value_heads, int values, const float* gates, const int* step, const int* cached, float* state, i64 sequence, float* out, int rows) {
  __shared__ float4 query[2][K / 8], key[2][K / 8]; // even rows, then odd
  int thread = thread_index(), half = thread & 1, lane = thread >> 1, column = block_x() * 32, head = column / values, key_head = head / (value_heads / key_heads);
  int apart = sequence != 0, first = apart ? block_y() : 0, count = apart ? 1 : step[Count];
  state += first * sequence + (i64)column * K + half * 32 + lane;
  float s[K / 2];
  bool fresh = cached[first] == 0;
#pragma unroll
  for (int i = 0; i < K / 2; i++) s[i] = fresh ? 0.0f : state[i * 64];
  for (int token = first; token < first + count; token++) {
    const float* row = x + token * x_stride;
    sync_block();
    for (int i = thread; i < K; i += 64) ((float*)query[i & 1])[i >> 1] = row[key_head * K + i], ((float*)key[i & 1])[i >> 1] = row[(key_heads + key_head) * K + i];
    float value = row[2 * key_heads * K + column + lane];
    float stays = gates[(i64)token * 2 * value_heads + head], writes = gates[(i64)token * 2 * value_heads + value_heads + head];
    sync_block();
    float sum = 0;
#pragma unroll
    for (int i = 0; i < K / 8; i++) {
      float4 k = key[half][i];
      sum = fused(s[4 * i], k.x, sum), sum = fused(s[4 * i + 1], k.y, sum), sum = fused(s[4 * i + 2], k.z, sum), sum = fused(s[4 * i + 3], k.w, sum);
    }
    float change = (value - (sum + shuffle_xor(sum, 1)) * stays) * writes;
    sum = 0;
#pragma unroll
    for (int i = 0; i < K / 8; i++) {
      float4 k = key[half][i], q = query[half][i];
      s[4 * i] = fused(k.x, change, s[4 * i] * stays), s[4 * i + 1] = fused(k.y, change, s[4 * i + 1] * stays);
      s[4 * i + 2] = fused(k.z, change, s[4 * i + 2] * stays), s[4 * i + 3] = fused(k.w, change, s[4 * i + 3] * stays);
      sum = fused(s[4 * i], q.x, sum), sum = fused(s[4 * i + 1], q.y, sum), sum = fused(s[4 * i + 2], q.z, sum), sum = fused(s[4 * i + 3], q.w, sum);
    }
    sum += shuffle_xor(sum, 1);
    if (half == 0) out[(i64)token * value_heads * values + column + lane] = sum;
  }
  if (half == 0)
    for (int row = apart ? rows : count; row < rows; row++) out[(i64)row * value_heads * values + column + lane] = 0;
#pragma unroll
  for (int i = 0; i < K / 2; i++) state[i * 64] = s[i];
}

#define DELTA_RULE(size)                                                                                                                                  \
  KERNEL(64, 1) delta_rule_##size(const float* x, i64 x_stride, int key_heads, int value_heads, int values, const float* gates, const int* step,          \
      const int* cached, float* state, i64 sequence, float* out, int rows) {                                                                               \
    delta_rule<size>(x, x_stride, key_heads, value_heads, values, gates, step, cached, state, sequence, out, rows);                                        \
  }

DELTA_RULE(32)
DELTA_RULE(64)
DELTA_RULE(128)

// x / √(mean(x²) + ε) ⊙ gain of every head of x[M, heads · size], times SiLU(gate[M, gate_stride]), in place; a warp each.
KERNEL(256, 4) norm_gated(float* x, int heads, int size, const float* gain, float epsilon, const float* gate, i64 gate_stride) {
  int lane = thread_index() & 31, head = block_y() * 8 + (thread_index() >> 5);
  if (head >= heads) return;
  x += ((i64)block_x() * heads + head) * size, gate += block_x() * gate_stride + head * size;
  float scale = 1.0f / square_root(sum_of_squares(x, size) / (float)size + epsilon);
  for (int k = lane; k < size; k += 32) x[k] = silu(gate[k]) * (x[k] * scale * gain[k]);
}

// Queries without their gates, then keys and values, side by side: source[M, stride] has `size` queries and as many gates a head in turns.
KERNEL(256, 4) split_gates(const float* source, i64 stride, int heads, int others, int size, float* target) {
  source += block_x() * stride, target += (i64)block_x() * (heads * size + others);
  for (int i = thread_index(); i < heads * size; i += 256) target[i] = source[i / size * 2 * size + i % size];
  for (int i = thread_index(); i < others; i += 256) target[heads * size + i] = source[2 * heads * size + i];
}

// x[M, heads · size] / (1 + e^−gate), in place; the gates stand as split_gates has found them.
KERNEL(256, 4) gate_output(float* x, int heads, int size, const float* source, i64 stride) {
  x += (i64)block_x() * heads * size, source += block_x() * stride;
  for (int i = thread_index(); i < heads * size; i += 256) x[i] = x[i] / (1.0f + exponential(-source[(i / size * 2 + 1) * size + i % size]));
}
