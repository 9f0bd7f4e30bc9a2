// AMX: sums of signed 8-bit weights times signed 8-bit tokens, tile by tile.
#include "kernel.h"
#include <immintrin.h>

// As TileKernelAmx.Call has it. A tile of tokens is 16 tokens of 64 inputs, one of weights 16 runs of 4 inputs of 16 outputs.
struct call {
  const char *tokens;  // [blocks][steps] tiles
  const char *weights; // panels of [steps] tiles
  long block;          // bytes from block to block
  long panel;          // bytes from panel to panel
  char *sums;          // [blocks][2 panels][16][16] of 32 bits
  int steps;           // at least 1
  int blocks;
  int add;             // not 0: to what sums holds
  int unused;
  char config[64];     // palette 1, 8 tiles of 16 rows of 64 bytes
};

#define TILE 1024 // bytes, of tokens, weights or sums
#define ROW 64

ENTRY(const struct call *call) {
  _tile_loadconfig(call->config);
  const char *tokens = call->tokens;
  char *sums = call->sums;
  int block = 0;
  // Two blocks by two panels: four sums for four tiles that are read.
  for (; block < call->blocks - 1; block += 2) {
    const char *a0 = tokens, *a1 = tokens + call->block, *b0 = call->weights, *b1 = b0 + call->panel;
    if (call->add) {
      _tile_loadd(0, sums, ROW);
      _tile_loadd(1, sums + TILE, ROW);
      _tile_loadd(2, sums + 2 * TILE, ROW);
      _tile_loadd(3, sums + 3 * TILE, ROW);
    } else {
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
    }
    for (int step = call->steps; step > 0; step--) {
      _tile_loadd(4, a0, ROW);
      _tile_loadd(6, b0, ROW);
      _tile_loadd(7, b1, ROW);
      _tile_dpbssd(0, 4, 6);
      _tile_loadd(5, a1, ROW);
      _tile_dpbssd(1, 4, 7);
      _tile_dpbssd(2, 5, 6);
      _tile_dpbssd(3, 5, 7);
      a0 += TILE;
      a1 += TILE;
      b0 += TILE;
      b1 += TILE;
    }
    _tile_stored(0, sums, ROW);
    _tile_stored(1, sums + TILE, ROW);
    _tile_stored(2, sums + 2 * TILE, ROW);
    _tile_stored(3, sums + 3 * TILE, ROW);
    tokens += 2 * call->block;
    sums += 4 * TILE;
  }
  if (block < call->blocks) {
    const char *a0 = tokens, *b0 = call->weights, *b1 = b0 + call->panel;
    if (call->add) {
      _tile_loadd(0, sums, ROW);
      _tile_loadd(1, sums + TILE, ROW);
    } else {
      _tile_zero(0);
      _tile_zero(1);
    }
    for (int step = call->steps; step > 0; step--) {
      _tile_loadd(4, a0, ROW);
      _tile_loadd(6, b0, ROW);
      _tile_loadd(7, b1, ROW);
      _tile_dpbssd(0, 4, 6);
      _tile_dpbssd(1, 4, 7);
      a0 += TILE;
      b0 += TILE;
      b1 += TILE;
    }
    _tile_stored(0, sums, ROW);
    _tile_stored(1, sums + TILE, ROW);
  }
  _tile_release();
}
