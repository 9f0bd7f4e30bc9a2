#!/usr/bin/env bash
# What an application of linux-arm64 executes, under qemu: tests of kernels, layers, towers, goldens and generation, kernels on guarded memory; and the same bytes as on this machine,
# of layers' results, an artifact and a model's answers. Emulated time says nothing about speed. The last line is "arm64: Passed: N, Failed: N, Skipped: N"; what the machine lacks is one line before.
set -euo pipefail
cd "$(dirname "$0")/.."
. build/emulator.sh
if [ -n "$missing" ]; then
  echo "arm64: skipped, $missing"
  echo "arm64: Passed: 0, Failed: 0, Skipped: 1"
  exit 0
fi

tests=tests/MASQuant.Engine.Tests
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for project in $tests src/Cli; do
  dotnet build $project -c Release -v q -nologo >"$folder/build" || { cat "$folder/build"; exit 1; }
  dotnet publish $project -c Release -r linux-arm64 --self-contained -p:UseAppHost=true -p:RestoreLockedMode=false -o "$folder/bin/$project" -v q -nologo >"$folder/build" || { cat "$folder/build"; exit 1; }
done

# The emulator does not see code that is written through another mapping.
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
emulated() { local project=$1 name=$2; shift 2; DOTNET_EnableWriteXorExecute=0 qemu-aarch64 "$folder/bin/$project/$name" "$@"; }
tests_here() { dotnet $tests/bin/Release/net10.0/MASQuant.Engine.Tests.dll "$@"; }
tests_there() { emulated $tests MASQuant.Engine.Tests "$@"; }
command_here() { dotnet src/Cli/bin/Release/net10.0/MASQuant.Cli.dll "$@"; }
command_there() { emulated src/Cli MASQuant.Cli "$@"; }

# A line of "results" for every check: "passed WHAT" or "failed WHAT".
check() { local what=$1; shift; if "$@"; then echo "passed $what"; else echo "failed $what"; fi | tee -a "$folder/results"; }

same_hash() { local there; there=$(tests_there "$1") && [ "$(tests_here "$1" | tail -1)" = "$(tail -1 <<<"$there")" ]; }
kernels_are_neon() { tests_there layers | grep -q Neon; }
stays_in_its_memory() { tests_there guard "$1" >"$folder/guard" || { tail -1 "$folder/guard"; return 1; }; }

# All that a run computes: statistics, learned factors, rounding with feedback, decompositions.
quantize() { "$1" quantize samples/models/omni-tiny --calibration samples/data/calibration.jsonl --samples 4 --effort Fast --epochs 1 --cache none --output "$2" >"$2.log" 2>&1 || { cat "$2.log"; return 1; }; }
same_artifact() { quantize command_here "$folder/here" && quantize command_there "$folder/there" && cmp "$folder/here/$1" "$folder/there/$1"; }
same_answers() { tests_here answers "$1" >"$folder/answers.here" && tests_there answers "$1" >"$folder/answers.there" && diff "$folder/answers.here" "$folder/answers.there"; }

compared() {
  check "kernels of NEON" kernels_are_neon
  for name in attention audio-tower elementary layers vision-tower; do check "$name as here" same_hash $name; done
  for kernel in attention codes floats tokens; do check "$kernel on guarded memory" stays_in_its_memory $kernel; done
  check "an artifact as here" same_artifact OmniTiny.masquant.safetensors
  check "answers as here" same_answers "$folder/here/OmniTiny.masquant.safetensors"
}

# Of omni-tiny's goldens one of each medium, and two together.
goldens() { tests_there tests OmniGoldenTests VLGoldenTests DecoderGoldenTests QuantizedDecoderTests Gemm Layers Tensors -audio-long -two-audios -image-resized -omni/two-images -A_process_takes_the_level; }
others() { tests_there tests AudioTowerTests VisionTowerTests LogMelSpectrogramTests ResamplerTests DecoderSessionTests SeveralSequencesTests TokenGeneratorTests TokenWeightsTests; }

# Two processes at a time.
goldens >"$folder/goldens.log" 2>&1 &
compared
others >"$folder/others.log" 2>&1 || true
wait

passed=$(grep -c ^passed "$folder/results" || true)
failed=$(grep -c ^failed "$folder/results" || true)
skipped=0
for log in goldens others; do
  cat "$folder/$log.log"
  # A run that was broken off has no count.
  read -r more _ worse _ left _ <<<"$(grep -oE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$folder/$log.log" || echo "0 passed, 1 failed, 0 skipped")"
  passed=$((passed + more)) failed=$((failed + worse)) skipped=$((skipped + left))
done
echo "arm64: Passed: $passed, Failed: $failed, Skipped: $skipped"
[ "$failed" -eq 0 ]
