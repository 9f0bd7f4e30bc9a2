using BenchmarkDotNet.Running;
using MASQuant.Bench;

// "ratios" measures what the project promises in a minute; anything else goes to BenchmarkDotNet.
if (args is ["ratios", ..])
{
    return RatioRunner.Run(Ratios.All(), cpuTime: args.Contains("--cpu-time"));
}

BenchmarkSwitcher.FromAssembly(typeof(Ratios).Assembly).Run(args);
return 0;
