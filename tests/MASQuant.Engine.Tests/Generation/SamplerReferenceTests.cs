using System.Text.Json;
using MASQuant.Engine.Generation;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Generation;

/// <summary>Penalty, temperature, top k, top p and minimum p together: the probabilities of the reference stack.</summary>
public class SamplerReferenceTests
{
    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Read().GetArrayLength())];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Probabilities_are_the_references(int index)
    {
        var reference = Read()[index];
        float[] logits = [.. reference.GetProperty("logits").EnumerateArray().Select(logit => logit.GetSingle())];
        var options = new GenerationOptions
        {
            RepetitionPenalty = reference.GetProperty("repetition_penalty").GetDouble(),
            Temperature = reference.GetProperty("temperature").GetDouble(),
            TopK = reference.GetProperty("top_k").GetInt32(),
            TopP = reference.GetProperty("top_p").GetDouble(),
            MinP = reference.GetProperty("min_p").GetDouble(),
        };
        var sampler = new Sampler(options);
        sampler.Penalties?.Begin([.. reference.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32())]);
        var penalized = (sampler.Penalties is null ? logits : sampler.Penalties.Apply(logits)).ToArray();
        var draw = sampler.NextDraw();
        var expected = reference.GetProperty("probabilities");

        // Each side rounds the penalty's operation, the division and the difference to the largest: 4 of 2⁻²⁴ relative to |x| ≤ 2 · largest logit / temperature, ours its scale
        // too; exponential and quotient 4 more, and the sum one per term. A weight is a multiple of 2⁻³⁹; the search ends within 2⁻⁶⁴.
        var x = 2 * penalized.Max(Math.Abs) / options.Temperature;
        var relative = ((2 * 5 * x) + (2 * 4) + logits.Length) * Math.ScaleB(1, -24);
        var start = 0.0;
        for (var id = 0; id < logits.Length; id++)
        {
            var end = Math.ScaleB(FirstRandomBehind(id), -64);
            var probability = expected.TryGetProperty(id.ToString(System.Globalization.CultureInfo.InvariantCulture), out var value) ? value.GetDouble() : 0;
            Assert.InRange(end - start, probability * (1 - relative) - Math.ScaleB(1, -38), probability * (1 + relative) + Math.ScaleB(1, -38));
            Assert.True(probability > 0 || end == start, $"{id} is not kept");
            start = end;
        }

        Assert.Equal(1, start);

        // The id that is drawn rises with the random number.
        double FirstRandomBehind(int id)
        {
            var (below, behind) = (UInt128.Zero, UInt128.One << 64);
            while (below < behind)
            {
                var middle = (below + behind) / 2;
                (below, behind) = sampler.Next(penalized, draw with { Random = (ulong)middle }) > id ? (below, middle) : (middle + 1, behind);
            }

            return (double)below;
        }
    }

    private static JsonElement Read() => JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Golden("sampling.json"))).RootElement;
}
