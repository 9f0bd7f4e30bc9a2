// A token drawn by chance, in integers alone behind its weight: the processor's TokenDraw, TokenWeights and RankWalk, to the bit. Sums are added in shared memory by
// whichever thread comes first; being integers, they do not depend on it.
#pragma once
#include "exponential.cuh"

const int DrawThreads = 1024, DigitBits = 12, Digits = 1 << DigitBits, OwnDigits = Digits / DrawThreads;
const int Ahead = 4; // loads in flight per thread: one alone would be a wait for each

// A row's parameters: p · 2⁶⁴ (0: all), 1/temperature (0: the largest logit), k (0: all), the least weight (0: all).
struct alignas(8) Draw { u64 random, top_p; float scale; int top_k; u64 min_weight; };

// The larger the logit, the lower; −0 as 0, what is no number last.
INLINE u32 rank_of(float logit) {
  u32 bits = as_bits(logit + 0.0f);
  return logit != logit ? 0xffffffff : (int)bits < 0 ? bits : bits ^ 0x7fffffff;
}

INLINE float logit_of(u32 rank) { return as_float((int)rank < 0 ? rank : rank ^ 0x7fffffff); }

// e^((logit − largest) · scale) · 2³⁹, rounded; less than a half from e^−28 down, and nothing for what is no number.
INLINE u64 weight_of(float logit, float largest, float scale) {
  float x = (logit - largest) * scale;
  return x > -28.0f ? round_to_long(exponential(x) * 549755813888.0f) : 0;
}

// Sums of 64 bits in two halves: shared memory adds words.
struct DigitSums { u32 low[Digits], high[Digits]; };

INLINE void add_to(DigitSums& sums, u32 digit, u64 value) {
  u32 low = (u32)value, before = atomic_add_shared(&sums.low[digit], low);
  u32 high = (u32)(value >> 32) + (before + low < before);
  if (high) atomic_add_shared(&sums.high[digit], high);
}

INLINE u64 sum_of_warp(u64 value) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes >>= 1) value += (u64)shuffle_xor((u32)(value >> 32), lanes) << 32 | shuffle_xor((u32)value, lanes);
  return value;
}

INLINE u64 shuffle_up(u64 value, int lanes) { return (u64)shuffle_up((u32)(value >> 32), lanes) << 32 | shuffle_up((u32)value, lanes); }

// Where a walk by rising place stopped: what was missing there of its target, and what that place gave.
struct Stop { u32 place; u64 missing, value; };

struct WalkState {
  DigitSums sums;
  u64 warps[DrawThreads / 32];
  u32 digit;
  u64 before, value;
};

INLINE u64 sum_at(const DigitSums& sums, int digit) { return (u64)sums.high[digit] << 32 | sums.low[digit]; }

// The digit at which the sums by rising digit reach the target, which `aim` derives from the sum of all. All threads.
template <class Aim> INLINE u64 find_digit(WalkState& state, Aim aim) {
  int first = OwnDigits * thread_index(), lane = thread_index() & 31, warp = thread_index() >> 5;
  u64 own = 0;
#pragma unroll
  for (int i = 0; i < OwnDigits; i++) own += sum_at(state.sums, first + i);
  u64 upto = own;
#pragma unroll
  for (int lanes = 1; lanes < 32; lanes <<= 1) {
    u64 below = shuffle_up(upto, lanes);
    if (lane >= lanes) upto += below;
  }
  if (lane == 31) state.warps[warp] = upto;
  sync_block();
  u64 total = 0, before = upto - own;
  for (int w = 0; w < DrawThreads / 32; w++) {
    u64 sum = state.warps[w];
    if (w < warp) before += sum;
    total += sum;
  }
  u64 target = aim(total);
  if (before < target && target - before <= own) {
    int digit = first;
    u64 value = sum_at(state.sums, digit);
    while (before + value < target) before += value, value = sum_at(state.sums, ++digit);
    state.digit = digit, state.before = before, state.value = value;
  }
  sync_block();
  return target - state.before;
}

// The lowest place at which the values of all tokens up to it reach a target, digit by digit. `place` and `value` of a logit and its id; value 0: the token does not count.
// `Bits`: of a place. `by_id`: the tokens of a warp share all digits but the last.
template <int Bits, bool ById, class Place, class Value, class Aim>
INLINE Stop walk(WalkState& state, const float* logits, int count, Place place, Value value, Aim aim) {
  Stop stop = {0, 0, 0};
#pragma unroll 1
  for (int upper = Bits; upper > 0; upper -= DigitBits) { // the bits that are not found yet
    int shift = upper > DigitBits ? upper - DigitBits : 0;
    for (int digit = thread_index(); digit < Digits; digit += DrawThreads) state.sums.low[digit] = state.sums.high[digit] = 0;
    sync_block();
    for (int start = thread_index(); start - (thread_index() & 31) < count; start += Ahead * DrawThreads) {
      float ahead[Ahead];
#pragma unroll
      for (int i = 0; i < Ahead; i++) ahead[i] = start + i * DrawThreads < count ? logits[start + i * DrawThreads] : 0;
#pragma unroll
      for (int i = 0; i < Ahead; i++) {
        int id = start + i * DrawThreads;
        u32 at = place(ahead[i], id);
        bool counts = id < count && (upper == Bits || at >> upper == stop.place);
        u64 mine = counts ? value(ahead[i], id) : 0;
        if (ById && shift) {
          if (!ballot(mine != 0)) continue;
          mine = sum_of_warp(mine);
          if (thread_index() & 31) mine = 0;
        }
        if (mine) add_to(state.sums, at >> shift & (Digits - 1) >> (DigitBits - (upper - shift)), mine);
      }
    }
    sync_block();
    u64 missing = stop.missing;
    stop.missing = find_digit(state, [&](u64 total) { return upper == Bits ? aim(total) : missing; });
    stop.place = stop.place << (upper - shift) | state.digit;
    stop.value = state.value;
  }
  return stop;
}

// The id drawn from a row of logits, the largest of which is finite. All threads.
INLINE int draw_row(WalkState& state, const float* logits, int count, float largest, Draw draw) {
  u32 last = 0xffffffff;
  int last_tied = 0x7fffffff;
  auto rank = [](float logit, int) { return rank_of(logit); };
  auto number = [](float, int id) { return (u32)id; };
  auto weight = [&](float logit, int) { return rank_of(logit) <= last ? weight_of(logit, largest, draw.scale) : 0; };
  if (draw.top_k > 0 && draw.top_k < count)
    last = walk<32, false>(state, logits, count, rank, [](float, int) { return (u64)1; }, [&](u64) { return (u64)draw.top_k; }).place;
  if (draw.top_p) {
    Stop stop = walk<32, false>(state, logits, count, rank, weight, [&](u64 total) { return upper_product(total, draw.top_p) + (total * draw.top_p != 0); });
    last = stop.place;
    u64 each = weight_of(logit_of(last), largest, draw.scale), tied = (stop.missing + each - 1) / each;
    if (tied * each < stop.value)
      last_tied = walk<24, true>(state, logits, count, number, [&](float logit, int) { return (u64)(rank_of(logit) == last); }, [&](u64) { return tied; }).place;
  }
  auto kept = [&](float logit, int id) {
    u64 mine = rank_of(logit) == last && id > last_tied ? 0 : weight(logit, id);
    return mine < draw.min_weight ? 0 : mine;
  };
  return walk<24, true>(state, logits, count, number, kept, [&](u64 total) { return upper_product(total, draw.random) + 1; }).place;
}
