// What these kernels need of CUDA, for clang alone: no toolkit headers, no libdevice.
// Every float operation rounds once, to nearest (-ffp-contract=off): results must equal the CPU's.
#pragma once

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define INLINE static __device__ __inline__ __attribute__((always_inline))
#define KERNEL(threads, blocks) extern "C" __global__ void __launch_bounds__(threads, blocks)

typedef signed char i8;
typedef unsigned char u8;
typedef unsigned short u16; // also the bits of a BF16 number
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

struct alignas(8) uint2 { u32 x, y; };
struct alignas(16) uint4 { u32 x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };

INLINE int thread_index() { return __nvvm_read_ptx_sreg_tid_x(); }
INLINE int block_x() { return __nvvm_read_ptx_sreg_ctaid_x(); }
INLINE int block_y() { return __nvvm_read_ptx_sreg_ctaid_y(); }
INLINE int block_z() { return __nvvm_read_ptx_sreg_ctaid_z(); }
INLINE int blocks_x() { return __nvvm_read_ptx_sreg_nctaid_x(); }
INLINE int blocks_y() { return __nvvm_read_ptx_sreg_nctaid_y(); }
INLINE int blocks_z() { return __nvvm_read_ptx_sreg_nctaid_z(); }

INLINE void sync_block() { __syncthreads(); }
INLINE void sync_warp() { asm volatile("bar.warp.sync 0xffffffff;" ::: "memory"); }
INLINE void fence_device() { asm volatile("membar.gl;" ::: "memory"); }

INLINE u32 shuffle_xor(u32 value, int lanes) {
  u32 result;
  asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, 0xffffffff;" : "=r"(result) : "r"(value), "r"(lanes));
  return result;
}

// The value of the lane that many below; its own where there is none.
INLINE u32 shuffle_up(u32 value, int lanes) {
  u32 result;
  asm volatile("shfl.sync.up.b32 %0, %1, %2, 0, 0xffffffff;" : "=r"(result) : "r"(value), "r"(lanes));
  return result;
}

INLINE u32 as_bits(float value) { return __builtin_bit_cast(u32, value); }
INLINE float as_float(u32 bits) { return __builtin_bit_cast(float, bits); }
INLINE float shuffle_xor(float value, int lanes) { return as_float(shuffle_xor(as_bits(value), lanes)); }

// The lanes of the warp for which the condition holds.
INLINE u32 ballot(bool condition) {
  u32 result;
  asm volatile("{\n.reg .pred p;\nsetp.ne.u32 p, %1, 0;\nvote.sync.ballot.b32 %0, p, 0xffffffff;\n}" : "=r"(result) : "r"((u32)condition));
  return result;
}

INLINE int round_to_int(float value) {
  int result;
  asm("cvt.rni.s32.f32 %0, %1;" : "=r"(result) : "f"(value));
  return result;
}

INLINE u64 round_to_long(float value) {
  u64 result;
  asm("cvt.rni.u64.f32 %0, %1;" : "=l"(result) : "f"(value));
  return result;
}

INLINE u64 upper_product(u64 a, u64 b) { return (u64)((unsigned __int128)a * b >> 64); }

INLINE float fused(float a, float b, float c) { // a·b + c, one rounding
  float result;
  asm("fma.rn.f32 %0, %1, %2, %3;" : "=f"(result) : "f"(a), "f"(b), "f"(c));
  return result;
}

INLINE float square_root(float value) {
  float result;
  asm("sqrt.rn.f32 %0, %1;" : "=f"(result) : "f"(value));
  return result;
}

// Two BF16 numbers, nearest even: low in the lower half.
INLINE u32 pack_bf16(float low, float high) {
  u32 result;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
  return result;
}

INLINE float widen_bf16(u16 bits) { return as_float((u32)bits << 16); }

// Weights are read once: no room for them in L1.
INLINE uint4 load_stream(const uint4* address) {
  uint4 v;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(address));
  return v;
}

// Where the compiler does not know that the address is global.
INLINE uint4 load_global(const uint4* address) {
  uint4 v;
  asm volatile("ld.global.nc.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(address));
  return v;
}

INLINE u32 shared_address(const void* pointer) {
  u32 result;
  asm("{\n.reg .u64 p;\ncvta.to.shared.u64 p, %1;\ncvt.u32.u64 %0, p;\n}" : "=r"(result) : "l"(pointer));
  return result;
}

// What was there before.
INLINE u32 atomic_add_shared(u32* word, u32 value) {
  u32 before;
  asm volatile("atom.shared.add.u32 %0, [%1], %2;" : "=r"(before) : "r"(shared_address(word)), "r"(value) : "memory");
  return before;
}

// 16 bytes from global to shared memory, of which `bytes` (0 or 16) are read and the rest become zero.
INLINE void copy_async(u32 target, const void* source, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source), "r"(bytes) : "memory");
}

INLINE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int Pending> INLINE void wait_copies() { asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory"); }

// C[16, 8] += A[16, 32] · B[32, 8], exact.
INLINE void mma(int (&c)[4], const u32* a, u32 b0, u32 b1) {
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// C[16, 8] += A[16, 64] · B[64, 8] of signed 4-bit numbers, exact; native on compute capability 8.0 to 8.9 alone.
INLINE void mma_int4(int (&c)[4], const u32* a, u32 b0, u32 b1) {
  asm volatile("mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// C[16, 8] += A[16, 16] · B[16, 8], BF16 in, FP32 sums.
INLINE void mma(float (&c)[4], const u32* a, u32 b0, u32 b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
