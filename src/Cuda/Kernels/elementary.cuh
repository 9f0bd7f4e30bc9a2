// The processor's Elementary, step by step, in FP64: a rounding of an exponent is a factor of a state that lives on.
#pragma once
#include "device.cuh"

INLINE double as_double(u64 bits) { return __builtin_bit_cast(double, bits); }

// x · 2^n in two factors: n reaches beyond the exponents of normal numbers.
INLINE double scaled(double x, int n) {
  int half = n >> 1;
  return x * as_double((u64)(half + 1023) << 52) * as_double((u64)(n - half + 1023) << 52);
}

// e^x.
INLINE double exponential_wide(double x) {
  if (x > 709.8) return __builtin_inf();
  if (x < -745.2) return 0;
  double n;
  asm("cvt.rni.f64.f64 %0, %1;" : "=d"(n) : "d"(x * 1.4426950408889634));
  double high = x - n * 6.93147180369123816490e-01, low = n * 1.90821492927058770002e-10;
  double r = high - low, tail = high - r - low;
  double p = 1.0 / 6227020800;
  p = p * r + 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  return scaled(1 + (r + (tail + r * r * p)), (int)n);
}

// ln x of a normal number of at least 1.
INLINE double logarithm_wide(double x) {
  u64 bits = __builtin_bit_cast(u64, x);
  int k = (int)(bits >> 52) - 1023;
  double f = as_double((bits & 0xfffffffffffffull) | 0x3ff0000000000000ull);
  if (f >= 1.4142135623730951) k++, f = f * 0.5 - 1;
  else f = f - 1;
  double s = f / (2 + f), z = s * s;
  double p = 2.0 / 21;
  p = p * z + 2.0 / 19;
  p = p * z + 2.0 / 17;
  p = p * z + 2.0 / 15;
  p = p * z + 2.0 / 13;
  p = p * z + 2.0 / 11;
  p = p * z + 2.0 / 9;
  p = p * z + 2.0 / 7;
  p = p * z + 2.0 / 5;
  p = p * z + 2.0 / 3;
  p *= z;
  double square = 0.5 * f * f;
  return k * 6.93147180369123816490e-01 - (square - (s * (square + p) + k * 1.90821492927058770002e-10) - f);
}
