#!/usr/bin/env bash
# Compiles the processor's kernels to machine code: build/cpu-kernels.sh [output folder]; by default beside their sources.
# A kernel's file is its .text section: position-independent, beginning with its entry, without calls, and without references to anything, which is refused here.
set -euo pipefail
cd "$(dirname "$0")/../src/Engine/Gemm/Cpu/Kernels"
output=${1:-.}
compiler=${MASQUANT_CLANG:-clang-22}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() { # source, its instruction sets, whose calls, name
  "$compiler" --target=x86_64-unknown-linux-gnu -std=c17 -ffreestanding -O2 -fPIC -fno-jump-tables -fno-stack-protector -fno-asynchronous-unwind-tables \
    -mno-red-zone -fcf-protection=none $2 -DCALLS="$3" -Wall -Wextra -Werror -c "$1" -o "$work/$4.o"
  if objdump --section-headers "$work/$4.o" | grep -qE ' \.(data|rodata|bss)'; then
    echo "$1 has data beside its code, for $3" >&2
    exit 1
  fi
  if objdump --reloc "$work/$4.o" | grep -q R_X86_64; then
    echo "$1 refers to what is outside it, for $3" >&2
    exit 1
  fi
  objcopy --output-target=binary --only-section=.text "$work/$4.o" "$output/$4.bin"
}

for calls in sysv win; do
  abi=$([ $calls = win ] && echo ms_abi || echo sysv_abi)
  compile vnni512.c "-march=x86-64-v4 -mavx512vnni -mprefer-vector-width=512" $abi vnni512.$calls
  compile xcr0.c "-march=x86-64 -mxsave" $abi xcr0.$calls
done
compile amx.c "-march=x86-64 -mamx-tile -mamx-int8 -fno-unroll-loops" sysv_abi amx.sysv # Windows is not asked for tiles
