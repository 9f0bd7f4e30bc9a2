// What all kernels are made with. The machine code is the whole .text section: its first byte is the entry, and it may refer to nothing outside it.
#pragma once

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define AGAIN __asm__ volatile("" ::: "memory")
#define ENTRY(...) __attribute__((CALLS)) void entry(__VA_ARGS__)
