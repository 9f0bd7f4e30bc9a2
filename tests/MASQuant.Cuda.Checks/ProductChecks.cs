using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Checks;

/// <summary>Products of integer formats equal the processor's bit for bit; those of W4A16 stay within the rounding of its tokens.</summary>
internal static class ProductChecks
{
    /// <summary>The schemes with integer tokens.</summary>
    public static string[] OfIntegers => [.. QuantizationScheme.All.Where(scheme => scheme.QuantizesActivations).Select(scheme => scheme.ToString())];

    // One step, steps that do not fill a ring, padded K, several passes through every stage, odd M, more than one block each way.
    private static readonly (string Scheme, int Tokens, int[] Outputs, int Inputs)[] Narrow =
    [
        ("W4A8", 1, [64], 64),
        ("W4A8", 3, [16, 48, 32], 4160),
        ("W4A8", 9, [80], 1096),
        ("W4A8", 17, [144], 4096),
        ("W4A8", 131, [16], 72),
        ("W8A8", 2, [64], 4096),
        ("W8A8", 16, [48], 200),
        ("W8A8", 37, [128, 16], 4104),
        ("W4A4", 1, [64], 64),
        ("W4A4", 3, [16, 48, 32], 4160),
        ("W4A4", 9, [80], 1096),
        ("W4A4", 37, [144], 4096),
        ("W4A4", 131, [16], 72),
        .. OfIntegers.Select(scheme => (scheme, 5, (int[])[32], 256)),
    ];

    // Every stage several times, fewer stages than the ring has, a last stage half full, padded K, N that ends within a tile, more than one tile each way, odd M.
    private static readonly (string Scheme, int Tokens, int[] Outputs, int Inputs)[] Wide =
    [
        ("W4A8", 65, [144, 16], 4160),
        ("W8A8", 259, [32], 648),
        ("W4A8", 66, [16], 8),
        ("W8A8", 70, [64], 2048),
        .. OfIntegers.Select(scheme => (scheme, 67, (int[])[32], 192)),
    ];

    // More tiles than blocks, so that phases go on from tile to tile: 2 × 3 tiles of 5 stages; 9 × 2 tiles of 2, of which the last 2 are a group of their own.
    private static readonly (string Scheme, int Tokens, int Outputs, int Inputs, int Blocks)[] Walks = [("W4A8", 300, 272, 520, 1), ("W8A8", 300, 272, 520, 4), ("W4A8", 2050, 144, 136, 5)];

    private static readonly (int Tokens, int Inputs)[] Groups = [(1, 4096), (8, 128), (11, 1152), (23, 1024)];
    private static readonly (string Scheme, int Tokens, int Inputs)[] Divided = [("W4A8", 4, 4096), ("W4A4", 4, 4096), ("W4A16", 12, 4096)];

    /// <summary>Those that Hopper has kernels of its own for.</summary>
    public static IReadOnlyList<DeviceCheck> OfHopper { get; } =
    [
        .. Each(Wide),
        .. Walks.Select(walk => new DeviceCheck($"product: {walk.Scheme}, {walk.Tokens} × {walk.Outputs} × {walk.Inputs}, at most {walk.Blocks} blocks",
            device => Integers(device, walk.Scheme, walk.Tokens, [walk.Outputs], walk.Inputs, walk.Blocks))),
    ];

    public static IReadOnlyList<DeviceCheck> All { get; } =
    [
        .. Each(Narrow),
        .. OfHopper,
        .. Groups.Select(shape => new DeviceCheck($"product: W4A16, {shape.Tokens} × 48 × {shape.Inputs}", device => Group(device, shape.Tokens, shape.Inputs))),
        .. Divided.Select(shape => new DeviceCheck($"product: {shape.Scheme}, {shape.Tokens} × 64 × {shape.Inputs}, in 4 parts", device => Divide(device, shape.Scheme, shape.Tokens, shape.Inputs))),
    ];

    public static QuantizationScheme Scheme(string name) => QuantizationScheme.TryParse(name, out var scheme) ? scheme : throw new ArgumentException(name);

    private static DeviceCheck[] Each((string Scheme, int Tokens, int[] Outputs, int Inputs)[] shapes) => [.. shapes.Select(shape =>
        new DeviceCheck($"product: {shape.Scheme}, {shape.Tokens} × {string.Join('+', shape.Outputs)} × {shape.Inputs}", device => Integers(device, shape.Scheme, shape.Tokens, shape.Outputs, shape.Inputs)))];

    private static void Integers(ICudaDevice device, string scheme, int tokens, int[] outputs, int inputs, int? blocks = null)
    {
        var problem = new LayerProblem(Scheme(scheme), tokens, outputs, inputs);
        var prepared = problem.Prepare();
        using var layers = new DeviceLayers(device, problem) { Multiprocessors = blocks };
        var (actual, expected) = (layers.Run(prepared), problem.Expect(prepared));
        for (var i = 0; i < outputs.Length; i++)
        {
            Require.Equal<float>(expected[i].Span, actual[i].Span, $"layer {i}");
        }
    }

    private static void Group(ICudaDevice device, int tokens, int inputs)
    {
        var problem = new LayerProblem(QuantizationScheme.W4A16, tokens, [48], inputs);
        var prepared = problem.Prepare();
        using var layers = new DeviceLayers(device, problem);
        RoundingBound.Check(problem.Weights, prepared, problem.Expect(prepared), layers.Run(prepared));
    }

    /// <summary>In parts, whose order of arrival is the device's affair: the same bits every time.</summary>
    private static void Divide(ICudaDevice device, string scheme, int tokens, int inputs)
    {
        var problem = new LayerProblem(Scheme(scheme), tokens, [64], inputs);
        var prepared = problem.Prepare();
        float[]? first = null;
        for (var run = 0; run < 3; run++)
        {
            using var layers = new DeviceLayers(device, problem) { Multiprocessors = 2 };
            var y = layers.Run(prepared)[0].Data;
            Require.That(layers.Parts == 4, $"{layers.Parts} parts instead of 4");
            Require.Equal<float>(first ??= y, y, $"run {run}");
            RoundingBound.Check(problem.Weights, prepared, problem.Expect(prepared), [new Matrix(tokens, 64, y)]);
        }
    }
}
