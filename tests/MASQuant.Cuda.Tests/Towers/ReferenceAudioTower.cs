using MASQuant.Formats.Configuration;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Tests.Towers;

/// <summary>The audio tower in FP64, its convolutions by their definition.</summary>
internal static class ReferenceAudioTower
{
    public static double[][] Forward(ITensorSource source, AudioConfig config, Matrix mel, bool rounds)
    {
        var reference = new Reference(source, rounds);
        var (window, x, segments) = (2 * config.HalfWindow, new List<double[]>(), new List<int>());
        for (var first = 0; first < mel.Columns; first += window)
        {
            double[][] frames = [.. Enumerable.Range(first, Math.Min(window, mel.Columns - first)).Select(frame => Enumerable.Range(0, mel.Rows).Select(bin => (double)mel[bin, frame]).ToArray())];
            var rows = Convolve(source, reference, "audio_tower.conv2", Convolve(source, reference, "audio_tower.conv1", frames, config.ModelSize, 1), config.ModelSize, 2);
            x.AddRange(rows.Select((row, place) => row.Select((v, i) => v + Position(place, i, config.ModelSize)).ToArray()));
            segments.AddRange(Enumerable.Repeat(first, rows.Length));
        }

        double[][] hidden = [.. x];
        for (var index = 0; index < config.Layers; index++)
        {
            hidden = Layer(source, reference, config, $"audio_tower.layers.{index}.", hidden, [.. segments]);
        }

        double[][] pooled = [.. hidden.Chunk(2).Where(pair => pair.Length == 2).Select(pair => pair[0].Zip(pair[1], (a, b) => (a + b) / 2).ToArray())];
        return reference.Linear("audio_tower.proj", LayerNorm(source, "audio_tower.ln_post", pooled), config.OutputSize);
    }

    private static double[][] Layer(ITensorSource source, Reference reference, AudioConfig config, string name, double[][] x, int[] segments)
    {
        var normed = LayerNorm(source, name + "self_attn_layer_norm", x);
        double[][] Part(string letter, bool bias = true) => reference.Linear(name + "self_attn." + letter, normed, config.ModelSize, bias);
        var attended = reference.Attend(Part("q_proj"), Part("k_proj", bias: false), Part("v_proj"), config.Heads, segments);
        x = Reference.Add(x, reference.Linear(name + "self_attn.out_proj", attended, config.ModelSize));
        var inner = Reference.Map(reference.Linear(name + "fc1", LayerNorm(source, name + "final_layer_norm", x), config.FeedForwardSize), Reference.Gelu);
        return Reference.Add(x, reference.Linear(name + "fc2", inner, config.ModelSize));
    }

    private static double[][] LayerNorm(ITensorSource source, string name, double[][] x)
    {
        var (gain, bias) = (source.ReadFloats(name + ".weight", x[0].Length), source.ReadFloats(name + ".bias", x[0].Length));
        return [.. x.Select(row =>
        {
            var mean = row.Average();
            var scale = 1 / Math.Sqrt(row.Average(v => (v - mean) * (v - mean)) + 1e-5);
            return row.Select((v, i) => ((v - mean) * scale * gain[i]) + bias[i]).ToArray();
        })];
    }

    // GELU(bias + Σ over inputs and taps of w[n, input, tap] · x[stride·row + tap − 1, input]), silence outside.
    private static double[][] Convolve(ITensorSource source, Reference reference, string name, double[][] x, int outputs, int stride)
    {
        var (inputs, weight, bias) = (x[0].Length, source.ReadMatrix(name + ".weight", outputs, x[0].Length * 3), source.ReadFloats(name + ".bias", outputs));
        var rounded = Reference.Map(x, reference.Round);
        return [.. Enumerable.Range(0, (x.Length + stride - 1) / stride).Select(row => Enumerable.Range(0, outputs).Select(n =>
        {
            var sum = (double)bias[n];
            for (var tap = 0; tap < 3; tap++)
            {
                var from = (stride * row) + tap - 1;
                for (var input = 0; input < inputs && from >= 0 && from < x.Length; input++)
                {
                    sum += weight[n, (3 * input) + tap] * rounded[from][input];
                }
            }

            return Reference.Gelu(sum);
        }).ToArray())];
    }

    private static double Position(int place, int i, int columns)
    {
        var half = columns / 2;
        var angle = place * Math.Exp(-Math.Log(10000) / (half - 1) * (i % half));
        return i < half ? Math.Sin(angle) : Math.Cos(angle);
    }
}
