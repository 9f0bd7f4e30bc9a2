using BenchmarkDotNet.Running;
using MASQuant.Bench;

// "ratios" and "build" measure what the project promises, in a minute each; anything else goes to BenchmarkDotNet.
if (args is ["ratios", ..])
{
    return RatioRunner.Run(Ratios.All(), cpuTime: args.Contains("--cpu-time"));
}

if (args is ["build"])
{
    return BuildOverhead.Run();
}

BenchmarkSwitcher.FromAssembly(typeof(Ratios).Assembly).Run(args);
return 0;
