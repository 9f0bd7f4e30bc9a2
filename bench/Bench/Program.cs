using System.Globalization;
using BenchmarkDotNet.Running;
using MASQuant.Bench;
using MASQuant.Bench.Paper;
using MASQuant.Bench.Prefill;
using MASQuant.Quantization.Options;

// "ratios", "prefill", "build", "generator", "quantize-layer", "memory" and "plan" measure what the project promises; "own-weights" repeats an experiment of the paper (docs/paper.md); anything else goes to BenchmarkDotNet.
if (args is ["ratios", ..])
{
    return RatioRunner.Run(Ratios.All(), cpuTime: args.Contains("--cpu-time"));
}

if (args is ["prefill"])
{
    return PrefillProfile.Run();
}

// What keys and values in BF16 cost a model, on conversations.
if (args is ["key-values", var model, var data])
{
    return KeyValueCost.Run(model, data);
}

// CONVERSATIONS CHECKPOINT ARTIFACT…: divergence along a long text.
if (args is ["divergence", var conversations, var checkpoint, .. var artifacts])
{
    return DivergenceByLength.Run(conversations, checkpoint, artifacts);
}

// Layers that carry a state beside those that attend.
if (args is ["states", ..])
{
    return RatioRunner.Run(StateRatios.All(), cpuTime: args.Contains("--cpu-time"));
}

// Guesses of a model's own head.
if (args is ["guesses", ..])
{
    return RatioRunner.Run(GuessRatios.All(), cpuTime: args.Contains("--cpu-time"));
}

if (args is ["build", ..])
{
    return BuildOverhead.Run(cpuTime: args.Contains("--cpu-time"));
}

if (args is ["generator", ..])
{
    return GeneratorTime.Run(cpuTime: args.Contains("--cpu-time"));
}

// A server under load, for so many seconds (180).
if (args is ["serve-load", ..])
{
    return ServerLoad.Run(QuantizeLayer.Root, Number(1, 180));
}

// What a schema costs a step; with a tokenizer.json, over its vocabulary.
if (args is ["schema", ..])
{
    return SchemaSteps.Run(QuantizeLayer.Root, args.ElementAtOrDefault(1));
}

// Our tokenizer beside one that a library's merges are the core of, on a tokenizer.json.
if (args is ["tokenizer", var tokenizer])
{
    return TokenizerCost.Run(tokenizer);
}

if (args is ["tokenizer", var file, var core])
{
    return TokenizerCost.RunOne(QuantizeLayer.Root, file, core);
}

var folder = Path.Combine(Path.GetTempPath(), "masquant-layers");
if (args is ["plan", var place])
{
    return PlannedTimes.RunOne(QuantizeLayer.Root, folder, int.Parse(place, CultureInfo.InvariantCulture));
}

if (args is ["plan"])
{
    return PlannedTimes.Run(QuantizeLayer.Root, folder);
}

// A whole model of random weights: up to 6 GB of disk at a time; in a folder that is named the artifacts stay.
if (args is ["memory", var size, ..] && ModelShape.Find(size) is { } whole)
{
    return MemoryRun.Run(whole, args.ElementAtOrDefault(2));
}

if (args is ["memory-of", var what, var artifact])
{
    return MemoryRun.RunOne(what, artifact);
}

// 3B on two cores: minutes a layer, half a gigabyte of disk.
if (args is ["quantize-layer", var name, ..] && ModelShape.Find(name) is { } shape)
{
    var effort = args.Length > 4 ? Enum.Parse<EffortKind>(args[4], ignoreCase: true) : EffortKind.Standard;
    return QuantizeLayer.Run(shape, tokens: Number(2, 51200), layers: Number(3, 1), effort, folder);
}

if (args is ["own-weights", ..])
{
    return OwnWeights.Run(args[1..]);
}

int Number(int index, int missing) => args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : missing;

BenchmarkSwitcher.FromAssembly(typeof(Ratios).Assembly).Run(args);
return 0;
