#!/usr/bin/env bash
# Instructions per 1000 multiply-adds of the products, of one thread and [M, 1024] · [1024, 1024]ᵀ, quantizing the tokens included: ARM64 with NEON, and x64 as far as the emulator has it (AVX2).
# Counted by qemu's user emulators, whose time says nothing about speed; so, less directly, do counts. Needs qemu-user, clang or gcc, and arm64's C libraries (build/emulator.sh).
set -euo pipefail
cd "$(dirname "$0")/../.."
. build/emulator.sh
[ -z "$missing" ] || { echo "instructions: $missing"; exit 1; }

tests=tests/MASQuant.Engine.Tests
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$(command -v clang || command -v gcc)" -O2 -shared -fPIC -o "$folder/count.so" bench/instructions/count.c
dotnet build $tests -c Release -v q -nologo
dotnet publish $tests -c Release -r linux-arm64 --self-contained -p:UseAppHost=true -p:RestoreLockedMode=false -o "$folder/arm64" -v q -nologo

# Compiled at once and for good: tiers would change between one run and the next.
export DOTNET_TieredCompilation=0 DOTNET_EnableWriteXorExecute=0 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
qemu-aarch64 -plugin "$folder/count.so" "$folder/arm64/MASQuant.Engine.Tests" counted >"$folder/arm64.counts"
# The emulator of x64 faults now and then under a collector that works beside the program, or in all of the address space.
QEMU_LD_PREFIX=/ DOTNET_gcConcurrent=0 DOTNET_GCHeapHardLimit=0x30000000 qemu-x86_64 -cpu max -plugin "$folder/count.so" "$(readlink -f "$(command -v dotnet)")" $tests/bin/Release/net10.0/MASQuant.Engine.Tests.dll counted >"$folder/x64.counts"

echo "| product | M | $(head -1 "$folder/arm64.counts") | $(head -1 "$folder/x64.counts") |"
echo "|---|---|---|---|"
paste -d' ' <(tail -n +2 "$folder/arm64.counts" | paste -d' ' - -) <(tail -n +2 "$folder/x64.counts" | paste -d' ' - -) \
  | sort -k1,1 -k2,2n | awk '{ products = $2 * 1024 * 1024 / 1000; printf "| %s | %d | %.0f | %.0f |\n", $1, $2, $3 / products, $6 / products }'
