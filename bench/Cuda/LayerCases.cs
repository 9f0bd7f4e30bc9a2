namespace MASQuant.Bench.Cuda;

/// <summary>A whole decoder layer — norms, products, rotation, attention, SiLU — for few tokens (of as many sequences, behind a prompt) and many (of one). Layers together exceed the L2 cache; a figure is a layer's share.</summary>
internal static class LayerCases
{
    private const int SmallVocabulary = 1024;

    /// <summary>What a case is called.</summary>
    public static string Name(string format) => $"{format} layer";

    public static IEnumerable<BenchCase> Of(BenchPlan plan)
        => from model in plan.Models
           from format in RandomWeights.Formats
           from tokens in plan.Tokens.All
           select new BenchCase(Name(format.Name), model.Name, tokens);

    public static void Run(DeviceBench bench, Results results)
    {
        foreach (var model in bench.Plan.Models)
        {
            foreach (var (name, scheme) in RandomWeights.Formats)
            {
                var config = model.Config with { Layers = Math.Min(model.Config.Layers, bench.Copies(RandomDecoder.LayerBytes(model, scheme))), VocabularySize = Math.Min(model.Config.VocabularySize, SmallVocabulary) };
                using var decoder = new RandomDecoder(bench.Device, model, config, scheme);
                foreach (var tokens in bench.Plan.Tokens.All)
                {
                    using var run = decoder.Start(tokens, ofOneSequence: tokens > bench.Plan.Tokens.Few, halfVision: false, bench.Plan.Prompt, bench.Plan.Room);
                    run.Embed();
                    results.Add(new BenchCase(Name(name), model.Name, tokens), bench.Median(1, _ => run.Blocks()) / config.Layers);
                }
            }
        }
    }
}
