// The processor's exponential, step by step.
#pragma once
#include "device.cuh"

INLINE float power_of_two(int exponent) { return as_float((u32)(exponent + 127) << 23); }

// e^x, step by step as the CPU's Exponential.
INLINE float exponential(float x) {
  x = !(x >= -104.0f) && x == x ? -104.0f : x;
  x = x > 89.0f ? 89.0f : x;
  const float rounder = 12582912.0f;
  float shifted = fused(x, 1.44269504f, rounder);
  float n = shifted - rounder;
  float r = fused(n, -0.693145751953125f, x);
  r = fused(n, -1.42860677e-6f, r);
  float p = 1.0f / 5040;
  p = fused(p, r, 1.0f / 720);
  p = fused(p, r, 1.0f / 120);
  p = fused(p, r, 1.0f / 24);
  p = fused(p, r, 1.0f / 6);
  p = fused(p, r, 0.5f);
  p = fused(p, r, 1.0f);
  p = fused(p, r, 1.0f);
  int exponent = (int)as_bits(shifted) - (int)as_bits(rounder);
  int half = exponent >> 1;
  return p * power_of_two(half) * power_of_two(exponent - half);
}

INLINE float silu(float x) { return x / (1.0f + exponential(-x)); }
