using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Layers;

namespace MASQuant.Cuda.Checks;

/// <summary>Whole input groups, from FP32 tokens to FP32 outputs: integer sums, scales and biases bit for bit, what multiplies BF16 operands within their rounding.</summary>
internal static class LinearGroupChecks
{
    /// <summary>Modalities of the first tokens; the last holds on.</summary>
    public static readonly Modality[] Mixed = [Modality.Text, Modality.Vision, Modality.Vision, Modality.Audio, Modality.Text];

    // Tokens for every kind of launch: one, a full and an overfull decode tile, an odd prefill; K that fills its padding, and K that does not.
    private static readonly (string Scheme, int Tokens, int Outputs, int Inputs)[] Shapes =
    [
        ("W4A8", 1, 64, 512),
        ("W4A8", 9, 48, 200),
        ("W4A8", 33, 144, 320),
        ("W8A8", 5, 80, 264),
        ("W8A8", 19, 32, 128),
        ("W4A4", 1, 64, 512),
        ("W4A4", 9, 48, 200),
        ("W4A4", 33, 144, 320),
        .. ProductChecks.OfIntegers.Select(scheme => (scheme, 16, 64, 192)),
        ("W4A16", 3, 48, 256),
        ("W4A16", 21, 16, 384),
    ];

    public static IReadOnlyList<DeviceCheck> All { get; } = [.. Shapes.Select(shape =>
        new DeviceCheck($"group: {shape.Scheme}, {shape.Tokens} × {shape.Outputs}+16 × {shape.Inputs}", device => Check(device, shape.Scheme, shape.Tokens, shape.Outputs, shape.Inputs)))];

    /// <summary>A problem's outputs.</summary>
    public static Matrix[] Run(ILinearGroup group, LayerProblem problem)
    {
        Matrix[] outputs = [.. problem.Weights.Select(weight => new Matrix(problem.X.Rows, weight.Outputs))];
        group.Forward(problem.X, problem.Modalities, outputs);
        return outputs;
    }

    private static void Check(ICudaDevice device, string scheme, int tokens, int outputs, int inputs)
    {
        var problem = new LayerProblem(ProductChecks.Scheme(scheme), tokens, [outputs, 16], inputs, Mixed, [7, 20]);
        using var groups = new DeviceLinearGroups(device, new Lock());
        var (actual, prepared) = (Run(groups.Create(problem.Weights, problem.Input), problem), problem.Prepare());
        RoundingBound.Check(problem.Weights, prepared, problem.Expect(prepared), actual);
    }
}
