using System.Diagnostics;
using System.Globalization;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Schemes;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MASQuant.Peers;

/// <summary>The products of a decoder layer, activations quantized and all, beside ONNX Runtime's.</summary>
internal static class OnnxProducts
{
    private const int Copies = 8; // Beyond caches, as the layers of a model are.
    private static readonly int[] Tokens = [1, 16, 256, 2048];

    public static void Run(PeerShape shape)
    {
        var keys = shape.KeyHeads * shape.HeadSize;
        (string Name, int Outputs, int Inputs)[] products = [("qkv", shape.Hidden + (2 * keys), shape.Hidden), ("o", shape.Hidden, shape.Hidden), ("gate, up", 2 * shape.Intermediate, shape.Hidden), ("down", shape.Hidden, shape.Intermediate)];
        using var options = new SessionOptions { IntraOpNumThreads = Comparison.Threads, InterOpNumThreads = 1 };
        Console.WriteLine();
        Console.WriteLine($"| product [N, K] | {string.Join(" | ", Tokens.Select(tokens => $"{tokens} tokens: W4A8, MatMulNBits, GOP/s | ratio"))} |");
        Console.WriteLine($"|---|{string.Concat(Enumerable.Repeat("---:|---:|", Tokens.Length))}");
        foreach (var (name, outputs, inputs) in products)
        {
            var model = OnnxModel.Of(outputs, inputs);
            var sessions = Enumerable.Range(0, Copies).Select(_ => new InferenceSession(model, options)).ToArray();
            var weights = Enumerable.Range(0, Copies).Select(seed => Weight(new Random(seed), outputs, inputs)).ToArray();
            var cells = Tokens.Select(tokens => Measure(sessions, weights, tokens, outputs, inputs)).Select(speeds => string.Create(CultureInfo.InvariantCulture, $"{speeds.Own:F0}, {speeds.Theirs:F0} | {speeds.Own / speeds.Theirs:F2}"));
            Console.WriteLine($"| {name} [{outputs}, {inputs}] | {string.Join(" | ", cells)} |");
            Array.ForEach(sessions, session => session.Dispose());
        }
    }

    private static (double Own, double Theirs) Measure(InferenceSession[] sessions, QuantizedWeight[] weights, int tokens, int outputs, int inputs)
    {
        var random = new Random(2);
        var x = new Matrix(tokens, inputs, [.. Enumerable.Range(0, tokens * inputs).Select(_ => random.NextSingle() - 0.5f)]);
        var y = new Matrix(tokens, outputs);
        var (backend, prepared, text) = (new CpuGemmBackend(), new PreparedTokens(), ModalityMap.Text(tokens));
        var given = new[] { NamedOnnxValue.CreateFromTensor("X", new DenseTensor<float>(x.Data, [tokens, inputs])) };
        var (own, theirs) = (new List<double>(), new List<double>());
        for (var round = 0; round <= Comparison.Rounds; round++)
        {
            for (var copy = 0; copy < Copies; copy++)
            {
                var start = Stopwatch.GetTimestamp();
                backend.Prepare(x, text, InputTransform.None, QuantizationScheme.W4A8, prepared);
                backend.Multiply(prepared, weights[copy], y);
                own.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                start = Stopwatch.GetTimestamp();
                sessions[copy].Run(given).Dispose();
                theirs.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        var operations = 2e-9 * tokens * outputs * inputs;
        return (operations / Median(own), operations / Median(theirs));
    }

    private static double Median(List<double> times) => times.Skip(Copies).Order().ElementAt((times.Count - Copies) / 2);

    private static QuantizedWeight Weight(Random random, int outputs, int inputs)
    {
        var codes = new byte[PackingLayout.PackedBytes(outputs, inputs, 4)];
        random.NextBytes(codes);
        return new QuantizedWeight { Scheme = QuantizationScheme.W4A8, Outputs = outputs, Inputs = inputs, Codes = codes, Scales = Enumerable.Repeat(0.003f, outputs).ToArray(), ZeroPoints = default };
    }
}
