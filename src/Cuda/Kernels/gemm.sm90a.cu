// Y = X · Wᵀ for many tokens on Hopper (compute capability 9.0). A tile is 128 outputs × 256 tokens, a stage 128 inputs of it. Three warpgroups, each with one
// part: a producer, whose one thread lets the copy engine bring stage after stage into a ring, and two consumers, which multiply 64 outputs each by all tokens: the
// weight from registers, as wgmma's first operand, the tokens from shared memory. Blocks stay and walk through the tiles: while the consumers finish one, the
// producer is already at the next.
// Both operands lie in memory as the ring wants them: tokens [M / 256][K / 128][256 rows][128 bytes], swizzled and in the MMA's order (prepare.cu), so that a stage
// of them is one copy; the weight in fragment order (gemm.cuh), where a panel's stage is one copy too. Scales, bias and patches are gemm.cuh's: a warp holds the
// fragments of mma.sync.
#include "gemm.cuh"
#include "hopper.cuh"

const int Consumers = 256, ProducerRegisters = 40, ConsumerRegisters = 232; // 128 · 40 + 256 · 232 ≤ 384 · 168, what the kernel starts with
const int Tokens = 256, Panels = 8, Tiles = 32, ChunkTiles = 8;
const int Stages = 4, StageSteps = 2, TokenBytes = Tokens * 64 * StageSteps;
const int GroupTiles = 8; // tiles of tokens that share a weight while it is in L2; 8 · 256 tokens' and 16 · 128 outputs' inputs are about as many bytes

extern __shared__ uint4 shared_memory[];

// The ring: tokens, then weights, then the barriers, per stage. `turn` counts stages over all tiles of the block.
template <class S> struct Ring {
  static const int PanelBytes = StageSteps * S::Vectors * 512, WeightBytes = Panels * PanelBytes;
  u32 start;
  INLINE u32 tokens(const Ring& ring, u32 turn) { return ring.start + turn % Stages * TokenBytes; }
  INLINE u32 weights(const Ring& ring, u32 turn) { return ring.start + Stages * TokenBytes + turn % Stages * WeightBytes; }
  INLINE u32 full(const Ring& ring, u32 turn) { return ring.start + Stages * (TokenBytes + WeightBytes) + turn % Stages * 8; }
  INLINE u32 empty(const Ring& ring, u32 turn) { return full(ring, turn) + Stages * 8; }
  INLINE u32 parity(u32 turn) { return turn / Stages & 1; }
};

struct Problem {
  const u8 *codes, *tokens;
  int steps, stages, panels, token_tiles, panel_tiles;
};

struct Place {
  int token_tile, panel_tile;
};

// Tiles of GroupTiles × all panels, tokens first: what runs at one time shares both operands in L2.
INLINE Place place_of(int tile, const Problem& p) {
  int group = tile / (GroupTiles * p.panel_tiles), first = group * GroupTiles, width = p.token_tiles - first;
  width = width < GroupTiles ? width : GroupTiles;
  int rest = tile - first * p.panel_tiles;
  return {first + rest % width, rest / width};
}

// Brings the block's stages into the ring, each place when all consumers have left it.
template <class S> INLINE void produce(const Problem& p, const Ring<S>& ring) {
  typedef Ring<S> R;
  const int StepBytes = R::PanelBytes / StageSteps;
  u32 turn = 0;
#pragma unroll 1
  for (int tile = block_x(); tile < p.token_tiles * p.panel_tiles; tile += blocks_x()) {
    Place place = place_of(tile, p);
    const u8* tokens = p.tokens + (i64)place.token_tile * p.stages * TokenBytes;
#pragma unroll 1
    for (int stage = 0; stage < p.stages; stage++, turn++) {
      u32 full = R::full(ring, turn);
      wait(R::empty(ring, turn), R::parity(turn) ^ 1); // at once in the first round
      arrive_expecting(full, TokenBytes + R::WeightBytes);
      copy_bulk(R::tokens(ring, turn), tokens + (i64)stage * TokenBytes, TokenBytes, full);
#pragma unroll 1
      for (int i = 0; i < Panels; i++) {
        int panel = place.panel_tile * Panels + i, step = stage * StageSteps;
        panel = panel < p.panels ? panel : p.panels - 1; // nothing is stored of what lies behind N
        const u8* source = p.codes + ((i64)panel * p.steps + step) * StepBytes;
        u32 target = R::weights(ring, turn) + i * R::PanelBytes;
        if (step + 1 < p.steps) {
          copy_bulk(target, source, R::PanelBytes, full);
        } else { // the last stage is half full: its tokens are zero there, whatever the weight is
          copy_bulk(target, source, StepBytes, full), copy_bulk(target + StepBytes, source, StepBytes, full);
        }
      }
    }
  }
}

// Multiplies a warpgroup's 64 outputs. One product of a step is always under way while the registers of the other step are filled.
template <class S> INLINE void consume(const Problem& p, const Ring<S>& ring, const Output& out) {
  typedef Ring<S> R;
  int warp = thread_index() >> 5, lane = thread_index() & 31;
  u32 turn = 0;
#pragma unroll 1
  for (int tile = block_x(); tile < p.token_tiles * p.panel_tiles; tile += blocks_x()) {
    int sum[1][Tiles][4];
#pragma unroll
    for (int i = 0; i < Tiles; i++) sum[0][i][0] = sum[0][i][1] = sum[0][i][2] = sum[0][i][3] = 0;
    int stage = 0;
#pragma unroll 1
    do { // there is one
      wait(R::full(ring, turn), R::parity(turn));
      u64 tokens = wgmma_descriptor(R::tokens(ring, turn));
      u32 weights = R::weights(ring, turn) + warp * R::PanelBytes + lane * 16;
#pragma unroll
      for (int s = 0; s < StageSteps; s++) {
        uint4 raw[S::Vectors];
        typename S::Weights f;
#pragma unroll
        for (int v = 0; v < S::Vectors; v++) raw[v] = load_shared(weights + (s * S::Vectors + v) * 512);
        S::unpack(raw, f);
        wgmma_fence();
        wgmma(sum[0], f.a, tokens + 4 * s); // in units of 16 bytes
        wgmma(sum[0], f.a + 4, tokens + 4 * s + 2);
        wgmma_commit();
        wgmma_wait<1>(); // the step before this one: its registers are free, and after the first step its stage
        if (s == 0 && stage > 0) release(R::empty(ring, turn - 1));
      }
      turn++;
    } while (++stage < p.stages);
    wgmma_finish(sum[0]);
    release(R::empty(ring, turn - 1));
    Place place = place_of(tile, p);
    finish_chunks<S, 1, Tiles, ChunkTiles>(sum, out, place.panel_tile * Panels + warp, place.token_tile * Tokens);
  }
}

template <class S> INLINE void multiply(const u8* codes, int steps, const u8* x, const Output& out) {
  typedef Ring<S> R;
  Problem p = {codes, x, steps, (steps + StageSteps - 1) / StageSteps, out.panels, (out.tokens + Tokens - 1) / Tokens, (out.panels + Panels - 1) / Panels};
  Ring<S> ring = {(shared_address(shared_memory) + 1023) & ~1023u}; // swizzling counts from there
  if (thread_index() == 0) {
    for (int stage = 0; stage < Stages; stage++) init_barrier(R::full(ring, stage), 1), init_barrier(R::empty(ring, stage), Consumers / 32);
    fence_barriers();
  }
  sync_block();
  if (thread_index() >= Consumers) {
    give_registers<ProducerRegisters>();
    if (thread_index() == Consumers) produce<S>(p, ring);
  } else {
    take_registers<ConsumerRegisters>();
    consume<S>(p, ring, out);
  }
}

#define GEMM(name, scheme)                                                                           \
  KERNEL(384, 1) wide_##name(const u8* codes, int steps, const u8* x, OUTPUT_PARAMETERS) {           \
    multiply<scheme>(codes, steps, x, OUTPUT);                                                       \
  }

GEMM(w4a8, W4A8)
GEMM(w8a8, W8A8)
