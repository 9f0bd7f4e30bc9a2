#!/usr/bin/env bash
# Compiles the CUDA kernels to PTX: build/kernels.sh [output folder]; by default beside their sources.
set -euo pipefail
cd "$(dirname "$0")/../src/Cuda/Kernels"
output=${1:-.}
compiler=${MASQUANT_CLANG:-clang-22}

compile() { # source, architecture, PTX feature, name
  "$compiler" -x cuda --cuda-device-only --cuda-gpu-arch="$2" --cuda-feature="+$3" -nocudainc -nocudalib -nostdinc -fms-extensions -std=c++17 \
    -O3 -ffp-contract=off -Wall -Werror -S "$1" -o "$output/$4"
}

for source in *.cu; do
  case $source in
    *.sm90a.cu) compile "$source" sm_90a ptx80 "${source%.cu}.ptx" ;; # wgmma and TMA: compute capability 9.0 alone
    *) compile "$source" sm_80 ptx78 "${source%.cu}.sm80.ptx" ;; # any driver from 520 on
  esac
done
