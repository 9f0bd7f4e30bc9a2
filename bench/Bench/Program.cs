using System.Globalization;
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

// Takes a quarter of an hour, 3 GB of disk and 6 GB of memory; of extents divided by 2 or 4 a fraction of all that.
if (args is ["large-model", var folder, ..])
{
    return LargeModel.Run(folder, layers: 1, samples: Number(2, 12), fraction: Number(3, 1));
}

if (args is ["own-weights", ..])
{
    return OwnWeights.Run(args[1..]);
}

int Number(int index, int missing) => args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : missing;

BenchmarkSwitcher.FromAssembly(typeof(Ratios).Assembly).Run(args);
return 0;
