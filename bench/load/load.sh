#!/usr/bin/env bash
# masquant serve under the load of public tools (Debian's wrk and hey): 48 connections compare their answers with those alone, 16 clients leave after a second.
# Usage: bench/load/load.sh [SECONDS [MODEL]]. The exit code is 1 when an answer differs, a request fails with anything but 429, or memory grows by more than 5 % in the last third.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-600}
model=${2:-samples/models/omni-tiny}
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT

dotnet build src/Cli -c Release -v q -nologo >&2
dotnet src/Cli/bin/Release/net10.0/MASQuant.Cli.dll serve "$model" --port 0 --max-requests 48 --max-requests-per-key 48 >"$folder/address" 2>"$folder/log" &
server=$!
until grep -q http "$folder/address"; do kill -0 $server; sleep 0.2; done
address=$(grep -o 'http://[^ ]*' "$folder/address" | head -1)
address=${address%/v1}
address=${address%/}

media=samples/data/media
name=$(curl -sf "$address/v1/models" | grep -o '"id": *"[^"]*"' | head -1 | cut -d'"' -f4)
picture="{\"type\": \"image_url\", \"image_url\": {\"url\": \"data:image/png;base64,$(base64 -w0 $media/eval-ocr-000.png)\"}}"
sound="{\"type\": \"input_audio\", \"input_audio\": {\"format\": \"wav\", \"data\": \"$(base64 -w0 $media/eval-asr-000.wav)\"}}"
schema='{"type": "object", "properties": {"kind": {"enum": ["odd", "even"]}, "sure": {"type": "boolean"}}, "required": ["kind", "sure"]}'
ask() { echo "{\"model\": \"$name\", \"temperature\": 0, \"max_tokens\": $2, \"messages\": [{\"role\": \"user\", \"content\": $1}]${3:-}}"; }
ask '"Quote a verse."' 48 >"$folder/1.json"
ask "[$picture, {\"type\": \"text\", \"text\": \"Read the digits.\"}]" 48 >"$folder/2.json"
ask "[$sound, {\"type\": \"text\", \"text\": \"Transcribe the speech.\"}]" 48 >"$folder/3.json"
ask '"Say hello."' 48 ", \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"answer\", \"schema\": $schema}}" >"$folder/4.json"
long='{"type": "array", "items": {"type": "boolean"}, "minItems": 1000}'
ask "[$picture, {\"type\": \"text\", \"text\": \"Read the digits.\"}]" 1000 ", \"stream\": true, \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"answer\", \"schema\": $long}}" >"$folder/leave.json"
for i in 1 2 3 4; do
  curl -sf -H 'Content-Type: application/json' --data-binary "@$folder/$i.json" "$address/v1/chat/completions" >"$folder/$i.alone.json"
done

hey -z "${seconds}s" -c 16 -t 1 -m POST -T application/json -D "$folder/leave.json" "$address/v1/chat/completions" >"$folder/hey" &
hey=$!
wrk -t4 -c48 -d"${seconds}s" --timeout 120s -s bench/load/chat.lua "$address" -- "$folder" >"$folder/wrk" &
wrk=$!
for ((i = 0; i < seconds; i++)); do
  awk '/VmRSS/ { print $2 }' /proc/$server/status >>"$folder/memory"
  sleep 1
done

wait $wrk $hey
grep '^wrk:' "$folder/wrk"
sleep 6
curl -sf "$address/metrics" >"$folder/metrics"
progress=$(awk '/^masquant_requests_in_progress / { print $2 }' "$folder/metrics")
echo "hey: $(awk '/responses$/ { printf "%s %s, ", $1, $2 }' "$folder/hey")$(grep -o '^masquant_requests_total.*"499"} [0-9]*' "$folder/metrics" | awk '{ print $2 }') left before their end"
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
before=$(sed -n "$((seconds / 3 + 1)),$((seconds * 2 / 3))p" "$folder/memory" | median)
after=$(sed -n "$((seconds * 2 / 3 + 1)),\$p" "$folder/memory" | median)
echo "memory: $((before / 1024)) MiB in the second third, $((after / 1024)) MiB in the last; $progress requests in progress"
kill -TERM $server
wait $server && code=0 || code=$?
echo "SIGTERM: exit code $code"
grep -q ' 0 failed, 0 differ, 0 broken' "$folder/wrk"
! grep -E '^ *\[(4[013-9]|42[0-8]|5)' "$folder/hey"
[ "$progress" = 0 ] && [ "$code" = 0 ] && [ $((after * 100)) -le $((before * 105)) ]
