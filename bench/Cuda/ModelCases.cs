using MASQuant.Diagnostics;

namespace MASQuant.Bench.Cuda;

/// <summary>Whole decoders: a prompt of which half is vision, and a decode step that follows it, of one sequence and of several.</summary>
internal static class ModelCases
{
    public static string Prefill(string format) => $"{format} prefill";

    public static string Decode(string format) => $"{format} decode";

    public static IEnumerable<BenchCase> Of(BenchPlan plan)
        => from model in plan.Models
           from format in RandomWeights.Formats
           from done in Of(plan, model, format.Name)
           select done;

    public static void Run(DeviceBench bench, Results results)
    {
        foreach (var model in bench.Plan.Models)
        {
            foreach (var (name, scheme) in RandomWeights.Formats)
            {
                var rest = new Queue<BenchCase>(Of(bench.Plan, model, name));
                try
                {
                    bench.StartPeak();
                    using var decoder = new RandomDecoder(bench.Device, model, model.Config, scheme);
                    while (rest.TryPeek(out var done))
                    {
                        Measure(bench, results, decoder, done, isPrefill: done.Kernel == Prefill(name));
                        rest.Dequeue();
                    }
                }
                catch (MASQuantException e) when (e.Code == DiagnosticCodes.DeviceMemoryExhausted)
                {
                    foreach (var done in rest)
                    {
                        results.Skip(done, e.Message);
                    }
                }
            }
        }
    }

    private static IEnumerable<BenchCase> Of(BenchPlan plan, ModelShape model, string format)
        => [new BenchCase(Prefill(format), model.Name, plan.Prompt), .. plan.Batches.Select(batch => new BenchCase(Decode(format), model.Name, batch))];

    private static void Measure(DeviceBench bench, Results results, RandomDecoder decoder, BenchCase done, bool isPrefill)
    {
        bench.StartPeak();
        using var run = decoder.Start(done.Tokens, isPrefill, halfVision: isPrefill, bench.Plan.Prompt, bench.Plan.Room);
        results.Add(done, bench.Median(1, _ => run.Whole()), bench.PeakBytes);
    }
}
