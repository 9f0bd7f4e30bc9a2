// The input of an input group: residual, norm or gate, smoothing by the token's own modality, rotation, absolute maximum, codes. One block per token.
// Equals the CPU bit for bit: the sum of squares runs in 16 lanes, and SiLU's exponential is the CPU's polynomial.
#include "exponential.cuh"

const int Threads = 256;
const int Warps = Threads / 32;
const int SumLanes = 16, SumAtOnce = 8;
const float SmallestMagnitude = 1e-30f;

enum { Rows, Tiles, Nibbles }; // How codes lie: TokenOrder of the host.

struct Target {
  i8* codes;       // [M, stride] in the order that is asked for, or null
  float* scales;   // [M]
  u16* smoothed;   // [M, stride] BF16, or null
  int stride;      // K rounded up to 64; what lies behind K becomes zero
  int keep;        // modalities (bit 1 << m) whose rows of `smoothed` are written
  int largest;     // 127, 31 or 7
  int order;       // Rows of bytes; Tiles for gemm.sm90a.cu; rows of Nibbles for gemm.s4.cu, whose codes are at most 7
  int rotation;    // values of a Hadamard block, a power of two that divides K; 0: no rotation
  float rotation_scale; // 1 / √rotation
  const float* clips; // [3] by modality: the share of the largest magnitude at which codes end; null: all of it
};

// row ← row · H · √block, H block-diagonal: the CPU's butterflies, whose scale comes last.
INLINE void rotate(float* row, int inputs, int block) {
  for (int half = 1; half < block; half *= 2) {
    sync_block();
    for (int pair = thread_index(); pair < inputs / 2; pair += Threads) {
      float* first = row + (pair & ~(half - 1)) * 2 + (pair & (half - 1));
      float a = first[0], b = first[half];
      first[0] = a + b, first[half] = a - b;
    }
  }
  sync_block();
}

// Where 4 codes of a token stand in tiles [M / 256][stages][256 rows][128 bytes]: 16-byte part p of row r at p ^ r % 8, and within 64 inputs in the order of the
// MMA, 4-byte word 4t + 2s + h at place 8s + 4h + t.
INLINE i64 tiled_word(int token, int word, int stages) {
  int low = word & 15, place = (word & 16) | (low << 2 & 15) | low >> 2;
  return (((i64)(token >> 8) * stages + (word >> 5)) * 256 + (token & 255)) * 32 + (place ^ (token & 7) << 2);
}

INLINE u32 largest_of_block(u32 value, u32* exchange) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes >>= 1) {
    u32 other = shuffle_xor(value, lanes);
    value = other > value ? other : value;
  }
  int lane = thread_index() & 31, warp = thread_index() >> 5;
  if (lane == 0) exchange[warp] = value;
  sync_block();
  value = exchange[0];
#pragma unroll
  for (int i = 1; i < Warps; i++) value = exchange[i] > value ? exchange[i] : value;
  return value;
}

INLINE int code_of(float value, float factor, int largest) {
  int code = round_to_int(value * factor);
  code = code > largest ? largest : code;
  return code < -largest ? -largest : code;
}

INLINE float4 times(float4 a, float4 b) { return {a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w}; }

// row[K] in shared memory: smooths and rotates it, writes codes, scale and, where asked for, the smoothed values.
INLINE void quantize(float* row, int inputs, int token, int modality, const float* inverse, const Target& target, u32* exchange) {
  u32 magnitude = 0;
  if (target.rotation) {
    if (inverse) {
      for (int k = 4 * thread_index(); k < inputs; k += 4 * Threads) *(float4*)(row + k) = times(*(const float4*)(row + k), *(const float4*)(inverse + k));
    }
    rotate(row, inputs, target.rotation);
  }
  for (int k = 4 * thread_index(); k < inputs; k += 4 * Threads) {
    float4 v = *(const float4*)(row + k);
    if (target.rotation) v.x *= target.rotation_scale, v.y *= target.rotation_scale, v.z *= target.rotation_scale, v.w *= target.rotation_scale;
    else if (inverse) v = times(v, *(const float4*)(inverse + k));
    if (target.rotation || inverse) *(float4*)(row + k) = v;
    // Magnitudes order as integers, NaN on top.
    u32 m0 = as_bits(v.x) & 0x7fffffff, m1 = as_bits(v.y) & 0x7fffffff, m2 = as_bits(v.z) & 0x7fffffff, m3 = as_bits(v.w) & 0x7fffffff;
    m0 = m0 > m1 ? m0 : m1, m2 = m2 > m3 ? m2 : m3, m0 = m0 > m2 ? m0 : m2;
    magnitude = magnitude > m0 ? magnitude : m0;
  }
  if (target.codes) {
    magnitude = largest_of_block(magnitude, exchange);
    float absmax = as_float(magnitude);
    bool finite = magnitude < 0x7f800000u, usable = finite && !(absmax < SmallestMagnitude);
    float range = target.clips ? absmax * target.clips[modality] : absmax;
    float factor = usable ? (float)target.largest / range : 0.0f;
    if (thread_index() == 0) target.scales[token] = usable ? range / (float)target.largest : finite ? 0.0f : as_float(0x7fc00000u);
    u32* codes = (u32*)target.codes;
    if (target.order == Nibbles) {
      // As in the weight: of 8 inputs the first four lie in the lower halves of bytes, the next four in the upper.
      for (int k = 8 * thread_index(); k < target.stride; k += 8 * Threads) {
        u32 word = 0;
        if (k < inputs && usable) {
#pragma unroll
          for (int i = 0; i < 8; i++) word |= (u32)(code_of(row[k + i], factor, target.largest) & 0xf) << (8 * (i & 3) + (i & 4));
        }
        codes[((i64)token * target.stride + k) >> 3] = word;
      }
    } else {
      int stages = (inputs + 127) >> 7, end = target.order == Tiles ? stages * 128 : target.stride;
      for (int k = 4 * thread_index(); k < end; k += 4 * Threads) {
        u32 word = 0;
        if (k < inputs && usable) {
#pragma unroll
          for (int i = 0; i < 4; i++) word |= (u32)(code_of(row[k + i], factor, target.largest) & 0xff) << (8 * i);
        }
        codes[target.order == Tiles ? tiled_word(token, k >> 2, stages) : ((i64)token * target.stride + k) >> 2] = word;
      }
    }
  }
  if (target.keep >> modality & 1) {
    uint2* smoothed = (uint2*)(target.smoothed + (i64)token * target.stride);
    for (int k = 4 * thread_index(); k < target.stride; k += 4 * Threads) {
      uint2 word = {0, 0};
      if (k < inputs) {
        float4 v = *(const float4*)(row + k);
        word = {pack_bf16(v.x, v.y), pack_bf16(v.z, v.w)};
      }
      smoothed[k >> 2] = word;
    }
  }
}

INLINE const float* inverse_of(int modality, const float* text, const float* vision, const float* audio) {
  return modality == 0 ? text : modality == 1 ? vision : audio;
}

extern __shared__ float4 row_memory[];

// x[M, x_stride] as it is.
KERNEL(256, 4) prepare_tokens(const float* x, i64 x_stride, int inputs, const u8* modalities, const float* text, const float* vision,
    const float* audio, i8* codes, float* scales, u16* smoothed, int stride, int keep, int largest, int order, int rotation, float rotation_scale, const float* clips) {
  __shared__ u32 exchange[Warps];
  float* row = (float*)row_memory;
  int token = block_x(), modality = modalities ? modalities[token] : 0;
  const float* source = x + token * x_stride;
  for (int k = 4 * thread_index(); k < inputs; k += 4 * Threads) *(float4*)(row + k) = *(const float4*)(source + k);
  quantize(row, inputs, token, modality, inverse_of(modality, text, vision, audio), {codes, scales, smoothed, stride, keep, largest, order, rotation, rotation_scale, clips}, exchange);
}

// hidden[M, K] += branch[M, K] (unless null); then x / √(mean(x²) + ε) ⊙ gain.
KERNEL(256, 4) prepare_norm(float* hidden, const float* branch, const float* gain, float epsilon, int inputs, const u8* modalities, const float* text,
    const float* vision, const float* audio, i8* codes, float* scales, u16* smoothed, int stride, int keep, int largest, int order, int rotation, float rotation_scale, const float* clips) {
  __shared__ u32 exchange[Warps];
  __shared__ float squares[SumLanes];
  float* row = (float*)row_memory;
  int token = block_x(), modality = modalities ? modalities[token] : 0;
  float* source = hidden + (i64)token * inputs;
  for (int k = 4 * thread_index(); k < inputs; k += 4 * Threads) {
    float4 v = *(const float4*)(source + k);
    if (branch) {
      float4 b = *(const float4*)(branch + (i64)token * inputs + k);
      v.x += b.x, v.y += b.y, v.z += b.z, v.w += b.w;
      *(float4*)(source + k) = v;
    }
    *(float4*)(row + k) = v;
  }
  sync_block();
  if (thread_index() < SumLanes) {
    float sum = 0;
    int k = thread_index();
    for (; k + (SumAtOnce - 1) * SumLanes < inputs; k += SumAtOnce * SumLanes) {
      float v[SumAtOnce]; // The sums wait for each other; the loads need not.
#pragma unroll
      for (int i = 0; i < SumAtOnce; i++) v[i] = row[k + i * SumLanes];
#pragma unroll
      for (int i = 0; i < SumAtOnce; i++) sum = fused(v[i], v[i], sum);
    }
    for (; k < inputs; k += SumLanes) sum = fused(row[k], row[k], sum);
    squares[thread_index()] = sum;
  }
  sync_block();
  float four[4]; // lanes i, i + 8, then i, i + 4, then 0 + 2 and 1 + 3
#pragma unroll
  for (int i = 0; i < 4; i++) four[i] = (squares[i] + squares[i + 8]) + (squares[i + 4] + squares[i + 12]);
  float mean = ((four[0] + four[2]) + (four[1] + four[3])) / (float)inputs;
  float scale = 1.0f / square_root(mean + epsilon);
  for (int k = 4 * thread_index(); k < inputs; k += 4 * Threads) {
    float4 v = *(const float4*)(row + k), g = *(const float4*)(gain + k);
    v.x = v.x * scale * g.x, v.y = v.y * scale * g.y, v.z = v.z * scale * g.z, v.w = v.w * scale * g.w;
    *(float4*)(row + k) = v;
  }
  quantize(row, inputs, token, modality, inverse_of(modality, text, vision, audio), {codes, scales, smoothed, stride, keep, largest, order, rotation, rotation_scale, clips}, exchange);
}

INLINE float gated(float gate, float up) { return silu(gate) * up; }

// SiLU(gate) ⊙ up; rows of `gate` and `up` are `x_stride` apart.
KERNEL(256, 4) prepare_gated(const float* gate, const float* up, i64 x_stride, int inputs, const u8* modalities, const float* text, const float* vision,
    const float* audio, i8* codes, float* scales, u16* smoothed, int stride, int keep, int largest, int order, int rotation, float rotation_scale, const float* clips) {
  __shared__ u32 exchange[Warps];
  float* row = (float*)row_memory;
  int token = block_x(), modality = modalities ? modalities[token] : 0;
  for (int k = 4 * thread_index(); k < inputs; k += 4 * Threads) {
    float4 g = *(const float4*)(gate + token * x_stride + k), u = *(const float4*)(up + token * x_stride + k);
    *(float4*)(row + k) = {gated(g.x, u.x), gated(g.y, u.y), gated(g.z, u.z), gated(g.w, u.w)};
  }
  quantize(row, inputs, token, modality, inverse_of(modality, text, vision, audio), {codes, scales, smoothed, stride, keep, largest, order, rotation, rotation_scale, clips}, exchange);
}
