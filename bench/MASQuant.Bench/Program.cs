using BenchmarkDotNet.Running;
using MASQuant.Bench;
using MASQuant.Bench.Paper;

// "ratios", "build" and "generator" measure what the project promises, in a minute each; "own-weights" repeats an experiment of the paper (docs/paper.md); anything else goes to BenchmarkDotNet.
if (args is ["ratios", ..])
{
    return RatioRunner.Run(Ratios.All(), cpuTime: args.Contains("--cpu-time"));
}

if (args is ["build", ..])
{
    return BuildOverhead.Run(cpuTime: args.Contains("--cpu-time"));
}

if (args is ["generator", ..])
{
    return GeneratorTime.Run(cpuTime: args.Contains("--cpu-time"));
}

// Takes a quarter of an hour, 3 GB of disk and up to 12 GB of memory.
if (args is ["large-model", var folder, ..])
{
    return LargeModel.Run(folder, layers: 1, samples: args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 16);
}

if (args is ["own-weights", ..])
{
    return OwnWeights.Run(args[1..]);
}

BenchmarkSwitcher.FromAssembly(typeof(Ratios).Assembly).Run(args);
return 0;
