// What enters a decoder and what leaves it: rows of the embedding and of media, and the choice of the next token.
#include "draw.cuh"

const int Threads = 256, Warps = Threads / 32;
const int NoSource = (int)0x80000000;

INLINE float4 widen(uint2 v) { return {widen_bf16((u16)v.x), widen_bf16((u16)(v.x >> 16)), widen_bf16((u16)v.y), widen_bf16((u16)(v.y >> 16))}; }

// Four values from column k of row `row`, which lies in fragment order as arrange_bf16 leaves it: `steps` of 64 columns a panel of 16 rows.
INLINE uint2 from_fragments(const u32* table, int steps, int row, int k) {
  int vector = (k >> 5 & 1) * 2 + (k >> 2 & 1), lane = (row & 7) * 4 + (k >> 3 & 3), half = row >> 3 & 1;
  const u32* words = table + ((((i64)(row >> 4) * steps + (k >> 6)) * 4 + vector) * 32 + lane) * 4 + half;
  return {words[0], words[2]};
}

// hidden[M, columns]: sources[t] ≥ 0 names a row of the table (row-major where `steps` is 0), −1 − i row i of media, NoSource zeros. One block per token.
KERNEL(256, 4) embed(const int* sources, const u16* table, int steps, const float* media, float* hidden, int columns) {
  int source = sources[block_x()];
  float* target = hidden + (i64)block_x() * columns;
  for (int k = 4 * thread_index(); k < columns; k += 4 * Threads) {
    float4 v = {0, 0, 0, 0};
    if (source >= 0)
      v = widen(steps ? from_fragments((const u32*)table, steps, source, k) : *(const uint2*)(table + (i64)source * columns + k));
    else if (source != NoSource)
      v = *(const float4*)(media + (i64)(-1 - source) * columns + k);
    *(float4*)(target + k) = v;
  }
}

// hidden[M, columns] += row i of media where sources[t] is −1 − i. One block per token.
KERNEL(256, 4) add_media(const int* sources, const float* media, float* hidden, int columns) {
  int source = sources[block_x()];
  if (source >= 0 || source == NoSource) return;
  float* target = hidden + (i64)block_x() * columns;
  for (int k = 4 * thread_index(); k < columns; k += 4 * Threads) {
    float4 v = *(const float4*)(target + k), m = *(const float4*)(media + (i64)(-1 - source) * columns + k);
    *(float4*)(target + k) = {v.x + m.x, v.y + m.y, v.z + m.z, v.w + m.w};
  }
}

// --- The largest logit; of equals the lowest id. NaN is never chosen. ---

struct alignas(8) Choice { float logit; int id; };

INLINE Choice better(Choice a, Choice b) { return b.logit > a.logit || (b.logit == a.logit && b.id < a.id) ? b : a; }

INLINE void choose_of_block(Choice mine, Choice* target) {
  __shared__ Choice exchange[Warps];
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes >>= 1) mine = better(mine, {shuffle_xor(mine.logit, lanes), (int)shuffle_xor((u32)mine.id, lanes)});
  if ((thread_index() & 31) == 0) exchange[thread_index() >> 5] = mine;
  sync_block();
  if (thread_index() != 0) return;
  for (int warp = 1; warp < Warps; warp++) mine = better(mine, exchange[warp]);
  *target = mine;
}

const Choice None = {-__builtin_inff(), 0x7fffffff};

// logits[rows, count] → parts[rows, blocks_x]: one block per part and row.
KERNEL(256, 4) choose_parts(const float* logits, int count, Choice* parts) {
  const float* row = logits + (i64)block_y() * count;
  Choice mine = None;
  for (int id = block_x() * Threads + thread_index(); id < count; id += Threads * blocks_x()) mine = better(mine, {row[id], id});
  choose_of_block(mine, parts + block_y() * blocks_x() + block_x());
}

// parts[rows, count] → chosen[rows]: one block per row.
KERNEL(256, 4) choose(const Choice* parts, int count, Choice* chosen) {
  Choice mine = None;
  for (int i = thread_index(); i < count; i += Threads) mine = better(mine, parts[block_x() * count + i]);
  choose_of_block(mine, chosen + block_x());
}

// chosen[rows]: the ids become those that chance draws, in rows of which it decides. One block per row, behind `choose`.
KERNEL(1024, 1) draw(const float* logits, int count, const Draw* draws, Choice* chosen) {
  __shared__ WalkState state;
  Draw draw = draws[block_x()];
  float largest = chosen[block_x()].logit;
  if (draw.scale == 0 || !(largest - largest == 0)) return; // not finite: an error, reported by whoever reads it
  int id = draw_row(state, logits + (i64)block_x() * count, count, largest, draw);
  if (thread_index() == 0) chosen[block_x()].id = id;
}
