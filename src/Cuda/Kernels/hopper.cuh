// What Hopper adds: barriers in shared memory that count arrivals and bytes, a copy engine that reports to them, registers that change hands, and the MMA of a
// warpgroup, whose second operand lies in shared memory.
#pragma once

// --- Barriers in shared memory. A phase ends when `count` threads have arrived and the bytes expected have; phases are told apart by their parity, from 0 on. ---

INLINE void init_barrier(u32 barrier, int count) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(count) : "memory"); }

// Barriers just made become visible to other threads and to the copy engine.
INLINE void fence_barriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

INLINE void arrive_expecting(u32 barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

// The whole warp is done with what the barrier guards.
INLINE void release(u32 barrier) {
  sync_warp();
  if ((thread_index() & 31) == 0) asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

INLINE bool try_wait(u32 barrier, u32 parity) {
  u32 done;
  asm volatile("{\n.reg .pred p;\nmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}"
               : "=r"(done)
               : "r"(barrier), "r"(parity)
               : "memory");
  return done;
}

// Until the phase of that parity has ended; of the phase before the first, that is so.
INLINE void wait(u32 barrier, u32 parity) {
  while (!try_wait(barrier, parity)) {}
}

// --- The copy engine: a run of bytes, a multiple of 16, whose arrival the barrier counts. ---

INLINE void copy_bulk(u32 target, const void* source, int bytes, u32 barrier) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(target), "l"(source), "r"(bytes), "r"(barrier)
               : "memory");
}

INLINE uint4 load_shared(u32 address) {
  uint4 v;
  asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "r"(address));
  return v;
}

// --- Registers: all warps of a warpgroup together. ---

template <int Registers> INLINE void give_registers() { asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Registers)); }
template <int Registers> INLINE void take_registers() { asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Registers)); }

// --- The MMA of a warpgroup. ---

INLINE void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
INLINE void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int Pending> INLINE void wgmma_wait() { asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory"); }

// Rows of 128 bytes, whose 16-byte parts stand at (part ^ row % 8); 8 rows are 1,024 bytes.
INLINE u64 wgmma_descriptor(u32 address) { return (u64)1 << 62 | (u64)(1024 >> 4) << 32 | (u64)1 << 16 | (address & 0x3ffff) >> 4; }

// C[64, 256] += A[64, 32] · B[32, 256], exact; each warp holds 16 rows as mma.sync's A and 32 tiles of its C. clang-format off
INLINE void wgmma(int (&c)[32][4], const u32* a, u64 b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 "
      "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
      "{%128, %129, %130, %131}, %132, 1;"
      : "+r"(c[0][0]), "+r"(c[0][1]), "+r"(c[0][2]), "+r"(c[0][3]), "+r"(c[1][0]), "+r"(c[1][1]), "+r"(c[1][2]), "+r"(c[1][3]),
        "+r"(c[2][0]), "+r"(c[2][1]), "+r"(c[2][2]), "+r"(c[2][3]), "+r"(c[3][0]), "+r"(c[3][1]), "+r"(c[3][2]), "+r"(c[3][3]),
        "+r"(c[4][0]), "+r"(c[4][1]), "+r"(c[4][2]), "+r"(c[4][3]), "+r"(c[5][0]), "+r"(c[5][1]), "+r"(c[5][2]), "+r"(c[5][3]),
        "+r"(c[6][0]), "+r"(c[6][1]), "+r"(c[6][2]), "+r"(c[6][3]), "+r"(c[7][0]), "+r"(c[7][1]), "+r"(c[7][2]), "+r"(c[7][3]),
        "+r"(c[8][0]), "+r"(c[8][1]), "+r"(c[8][2]), "+r"(c[8][3]), "+r"(c[9][0]), "+r"(c[9][1]), "+r"(c[9][2]), "+r"(c[9][3]),
        "+r"(c[10][0]), "+r"(c[10][1]), "+r"(c[10][2]), "+r"(c[10][3]), "+r"(c[11][0]), "+r"(c[11][1]), "+r"(c[11][2]), "+r"(c[11][3]),
        "+r"(c[12][0]), "+r"(c[12][1]), "+r"(c[12][2]), "+r"(c[12][3]), "+r"(c[13][0]), "+r"(c[13][1]), "+r"(c[13][2]), "+r"(c[13][3]),
        "+r"(c[14][0]), "+r"(c[14][1]), "+r"(c[14][2]), "+r"(c[14][3]), "+r"(c[15][0]), "+r"(c[15][1]), "+r"(c[15][2]), "+r"(c[15][3]),
        "+r"(c[16][0]), "+r"(c[16][1]), "+r"(c[16][2]), "+r"(c[16][3]), "+r"(c[17][0]), "+r"(c[17][1]), "+r"(c[17][2]), "+r"(c[17][3]),
        "+r"(c[18][0]), "+r"(c[18][1]), "+r"(c[18][2]), "+r"(c[18][3]), "+r"(c[19][0]), "+r"(c[19][1]), "+r"(c[19][2]), "+r"(c[19][3]),
        "+r"(c[20][0]), "+r"(c[20][1]), "+r"(c[20][2]), "+r"(c[20][3]), "+r"(c[21][0]), "+r"(c[21][1]), "+r"(c[21][2]), "+r"(c[21][3]),
        "+r"(c[22][0]), "+r"(c[22][1]), "+r"(c[22][2]), "+r"(c[22][3]), "+r"(c[23][0]), "+r"(c[23][1]), "+r"(c[23][2]), "+r"(c[23][3]),
        "+r"(c[24][0]), "+r"(c[24][1]), "+r"(c[24][2]), "+r"(c[24][3]), "+r"(c[25][0]), "+r"(c[25][1]), "+r"(c[25][2]), "+r"(c[25][3]),
        "+r"(c[26][0]), "+r"(c[26][1]), "+r"(c[26][2]), "+r"(c[26][3]), "+r"(c[27][0]), "+r"(c[27][1]), "+r"(c[27][2]), "+r"(c[27][3]),
        "+r"(c[28][0]), "+r"(c[28][1]), "+r"(c[28][2]), "+r"(c[28][3]), "+r"(c[29][0]), "+r"(c[29][1]), "+r"(c[29][2]), "+r"(c[29][3]),
        "+r"(c[30][0]), "+r"(c[30][1]), "+r"(c[30][2]), "+r"(c[30][3]), "+r"(c[31][0]), "+r"(c[31][1]), "+r"(c[31][2]), "+r"(c[31][3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

// Waits for all products: the sums are outputs, so that the compiler reads them no earlier. clang-format off
INLINE void wgmma_finish(int (&c)[32][4]) {
  asm volatile("wgmma.wait_group.sync.aligned 0;"
      : "+r"(c[0][0]), "+r"(c[0][1]), "+r"(c[0][2]), "+r"(c[0][3]), "+r"(c[1][0]), "+r"(c[1][1]), "+r"(c[1][2]), "+r"(c[1][3]), "+r"(c[2][0]), "+r"(c[2][1]), "+r"(c[2][2]), "+r"(c[2][3]), "+r"(c[3][0]), "+r"(c[3][1]), "+r"(c[3][2]), "+r"(c[3][3]),
        "+r"(c[4][0]), "+r"(c[4][1]), "+r"(c[4][2]), "+r"(c[4][3]), "+r"(c[5][0]), "+r"(c[5][1]), "+r"(c[5][2]), "+r"(c[5][3]), "+r"(c[6][0]), "+r"(c[6][1]), "+r"(c[6][2]), "+r"(c[6][3]), "+r"(c[7][0]), "+r"(c[7][1]), "+r"(c[7][2]), "+r"(c[7][3]),
        "+r"(c[8][0]), "+r"(c[8][1]), "+r"(c[8][2]), "+r"(c[8][3]), "+r"(c[9][0]), "+r"(c[9][1]), "+r"(c[9][2]), "+r"(c[9][3]), "+r"(c[10][0]), "+r"(c[10][1]), "+r"(c[10][2]), "+r"(c[10][3]), "+r"(c[11][0]), "+r"(c[11][1]), "+r"(c[11][2]), "+r"(c[11][3]),
        "+r"(c[12][0]), "+r"(c[12][1]), "+r"(c[12][2]), "+r"(c[12][3]), "+r"(c[13][0]), "+r"(c[13][1]), "+r"(c[13][2]), "+r"(c[13][3]), "+r"(c[14][0]), "+r"(c[14][1]), "+r"(c[14][2]), "+r"(c[14][3]), "+r"(c[15][0]), "+r"(c[15][1]), "+r"(c[15][2]), "+r"(c[15][3]),
        "+r"(c[16][0]), "+r"(c[16][1]), "+r"(c[16][2]), "+r"(c[16][3]), "+r"(c[17][0]), "+r"(c[17][1]), "+r"(c[17][2]), "+r"(c[17][3]), "+r"(c[18][0]), "+r"(c[18][1]), "+r"(c[18][2]), "+r"(c[18][3]), "+r"(c[19][0]), "+r"(c[19][1]), "+r"(c[19][2]), "+r"(c[19][3]),
        "+r"(c[20][0]), "+r"(c[20][1]), "+r"(c[20][2]), "+r"(c[20][3]), "+r"(c[21][0]), "+r"(c[21][1]), "+r"(c[21][2]), "+r"(c[21][3]), "+r"(c[22][0]), "+r"(c[22][1]), "+r"(c[22][2]), "+r"(c[22][3]), "+r"(c[23][0]), "+r"(c[23][1]), "+r"(c[23][2]), "+r"(c[23][3]),
        "+r"(c[24][0]), "+r"(c[24][1]), "+r"(c[24][2]), "+r"(c[24][3]), "+r"(c[25][0]), "+r"(c[25][1]), "+r"(c[25][2]), "+r"(c[25][3]), "+r"(c[26][0]), "+r"(c[26][1]), "+r"(c[26][2]), "+r"(c[26][3]), "+r"(c[27][0]), "+r"(c[27][1]), "+r"(c[27][2]), "+r"(c[27][3]),
        "+r"(c[28][0]), "+r"(c[28][1]), "+r"(c[28][2]), "+r"(c[28][3]), "+r"(c[29][0]), "+r"(c[29][1]), "+r"(c[29][2]), "+r"(c[29][3]), "+r"(c[30][0]), "+r"(c[30][1]), "+r"(c[30][2]), "+r"(c[30][3]), "+r"(c[31][0]), "+r"(c[31][1]), "+r"(c[31][2]), "+r"(c[31][3])
      :: "memory");
}
