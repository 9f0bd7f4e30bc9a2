#!/usr/bin/env bash
# Tests of the processor's kernels and layers for linux-arm64 under qemu, and the same bytes as on this machine. Needs qemu-aarch64 (Debian: qemu-user) and the C libraries of arm64:
#   dpkg --add-architecture arm64 && apt-get update && apt-get install qemu-user libc6:arm64 libstdc++6:arm64 libssl3:arm64 zlib1g:arm64
# or a folder with them, named by QEMU_LD_PREFIX. Emulated time says nothing about speed.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v qemu-aarch64 >/dev/null || [ ! -e "${QEMU_LD_PREFIX:-}/lib/ld-linux-aarch64.so.1" ]; then
  echo "arm64: skipped, without qemu-aarch64 or arm64's C libraries (see $0)"
  exit 0
fi

tests=tests/MASQuant.Engine.Tests
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
dotnet build $tests -c Release -v q -nologo
dotnet publish $tests -c Release -r linux-arm64 --self-contained -p:UseAppHost=true -p:RestoreLockedMode=false -o "$folder/arm64" -v q -nologo
# The emulator does not see code that is written through another mapping.
emulated() { DOTNET_EnableWriteXorExecute=0 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 qemu-aarch64 "$folder/arm64/MASQuant.Engine.Tests" "$@"; }

emulated layers | grep -q Neon || { echo "arm64: the emulated processor has no dot products"; exit 1; }
for name in attention audio-tower layers vision-tower; do
  here=$(dotnet $tests/bin/Release/net10.0/MASQuant.Engine.Tests.dll $name | tail -1)
  there=$(emulated $name | tail -1)
  [ "$here" = "$there" ] || { echo "arm64: $name is $there, here $here"; exit 1; }
  echo "arm64: $name as here"
done

for kernel in codes floats tokens; do
  emulated guard $kernel >"$folder/guard" || { echo "arm64: $kernel touches memory beside its operands:"; tail -1 "$folder/guard"; exit 1; }
  echo "arm64: $kernel, $(wc -l <"$folder/guard") shapes on guarded memory"
done

emulated tests CpuGemmBackendTests ScalarGemmBackendTests FloatGemmTests DenseLinearTests QuantizedLinearTests TransformerBlockTests SeveralSequencesTests
