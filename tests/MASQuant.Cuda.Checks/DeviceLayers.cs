using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Gemm;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Checks;

/// <summary>The layers of an input group on a device, side by side as one weight, run as the contract in docs/cuda.md says.</summary>
internal sealed class DeviceLayers(ICudaDevice device, LayerProblem problem) : IDisposable
{
    private readonly List<IDisposable> _memory = [];

    /// <summary>Replaces the device's number of multiprocessors where the split is to be forced.</summary>
    public int? Multiprocessors { get; init; }

    /// <summary>Runs the tokens that the CPU prepared through the GEMM kernels.</summary>
    public Matrix[] Run(PreparedTokens tokens)
    {
        var (m, inputs, outputs) = (tokens.Tokens, tokens.Inputs, problem.Weights.Sum(weight => weight.Outputs));
        var format = GemmKernels.FormatOf(problem.Scheme);
        var stride = PrepareKernels.Stride(inputs);
        var smoothed = Array<ushort>(m * stride, (row, k) => k < inputs ? BFloat16.FromSingle(tokens.Smoothed[row, k]) : (ushort)0, stride);
        var order = GemmKernels.OrderOf(device, format, problem.Scheme.ActivationMax, m);
        sbyte Code(int row, int k) => k < inputs ? tokens.Codes[(row * inputs) + k] : (sbyte)0;
        var codes = order switch
        {
            TokenOrder.Tiles => Tiles(tokens),
            TokenOrder.Nibbles => Array<byte>(m * stride / 2, (row, i) => NibbleOrder.Pack(k => Code(row, k), i), stride / 2),
            _ => Array<sbyte>(m * stride, Code, stride),
        };
        var scales = Keep(new DeviceArray<float>(device, tokens.Scales.AsSpan(0, m))).Pointer;
        var modalities = !problem.NamesModalities ? DevicePointer.Null : Keep(new DeviceArray<Modality>(device, tokens.Modalities.Tokens)).Pointer;
        var rows = format is WeightFormat.Int4 or WeightFormat.Int8 ? codes : smoothed;
        var input = new TokenPointers(rows, stride, scales, modalities, m, order);
        var weight = Upload(format, inputs, outputs);
        var patches = Patches(input with { Rows = smoothed, Order = TokenOrder.Rows }, inputs);
        using var y = new DeviceArray<float>(device, m * outputs);

        var plan = GemmKernels.Plan(format, m, outputs, inputs, Multiprocessors ?? device.Multiprocessors, order);
        var partial = plan.PartialBytes > 0 ? Keep(new DeviceArray<byte>(device, (int)plan.PartialBytes)).Pointer : DevicePointer.Null;
        var counters = plan.Counters > 0 ? Keep(new DeviceArray<int>(device, new int[plan.Counters])) : null;
        (Parts, Blocks) = (plan.Grid.Z, plan.Grid.X);
        float[]? first = null;
        for (var run = 0; run < 2; run++)
        {
            // Twice: counters must be left as they were found. What is not written stays NaN.
            y.Fill(0xFF);
            device.Launch(GemmKernels.Multiply(plan, weight, input, patches, y.Pointer, outputs, partial, counters?.Pointer ?? DevicePointer.Null));
            Require.Equal<float>(first ??= y.Read(), y.Read(), $"run {run}");
        }

        return Split(first!, m, outputs);
    }

    /// <summary>Into how many parts the inputs were divided.</summary>
    public int Parts { get; private set; }

    /// <summary>Blocks along x.</summary>
    public int Blocks { get; private set; }

    public void Dispose() => _memory.ForEach(memory => memory.Dispose());

    /// <summary>The codes as docs/cuda.md lays out tiles; rows behind M hold what no result may show.</summary>
    private DevicePointer Tiles(PreparedTokens tokens)
    {
        var codes = new sbyte[GemmKernels.TiledBytes(tokens.Tokens, tokens.Inputs)];
        var stages = codes.Length / (Divide(tokens.Tokens, 256) * 256 * 128);
        for (var row = 0; row < Divide(tokens.Tokens, 256) * 256; row++)
        {
            for (var k = 0; k < stages * 128; k++)
            {
                // Within 64 inputs word 4t + 2s + h stands at 8s + 4h + t; the part of 16 bytes is then swizzled by the row.
                int word = k / 4 % 16, place = (k / 64 % 2 * 64) + (4 * ((8 * (word / 2 % 2)) + (4 * (word % 2)) + (word / 4))) + (k % 4);
                var target = (((((row / 256 * stages) + (k / 128)) * 256) + (row % 256)) * 128) + (((place / 16) ^ (row % 8)) * 16) + (place % 16);
                codes[target] = row >= tokens.Tokens ? (sbyte)-1 : k < tokens.Inputs ? tokens.Codes[(row * tokens.Inputs) + k] : (sbyte)0;
            }
        }

        return Keep(new DeviceArray<sbyte>(device, codes)).Pointer;
    }

    private static int Divide(int count, int size) => (count + size - 1) / size;

    private WeightPointers Upload(WeightFormat format, int inputs, int outputs)
    {
        var codes = Keep(new DeviceArray<byte>(device, (int)GemmKernels.CodeBytes(format, outputs, inputs)));
        var panelBytes = GemmKernels.CodeBytes(format, 16, inputs);
        var first = 0L;
        foreach (var weight in problem.Weights)
        {
            for (var panel = 0; panel < weight.Outputs / 16; panel++, first++)
            {
                var bytes = 16 * inputs * weight.Scheme.WeightBits / 8;
                device.Write(codes.Pointer + (first * panelBytes), weight.Codes.Span.Slice(panel * bytes, bytes));
            }
        }

        device.Launch(GemmKernels.Arrange(format, codes.Pointer, outputs, inputs));
        var bias = Keep(new DeviceArray<float>(device, problem.Weights.SelectMany(weight => weight.Bias.ToArray()).ToArray()));
        var groups = format == WeightFormat.Int4Groups ? inputs / PackingLayout.GroupSize : 1;
        var scales = Transpose([.. problem.Weights.SelectMany(weight => weight.Scales.ToArray())], outputs, groups);
        var zeroPoints = Transpose([.. problem.Weights.SelectMany(weight => weight.ZeroPoints.ToArray())], outputs, groups);
        return new WeightPointers(format, outputs, inputs, codes.Pointer, Keep(new DeviceArray<float>(device, scales)).Pointer,
            zeroPoints.Length == 0 ? DevicePointer.Null : Keep(new DeviceArray<byte>(device, zeroPoints)).Pointer, bias.Pointer);
    }

    private PatchPointers Patches(TokenPointers tokens, int inputs)
    {
        if (problem.Weights.All(weight => weight.Patches.All(patch => patch is null)))
        {
            return default;
        }

        var records = new PatchRecord[problem.Weights.Length];
        var (panel, column) = (0, 0);
        for (var i = 0; i < records.Length; i++)
        {
            var weight = problem.Weights[i];
            ref var record = ref records[i];
            (record.FirstPanel, record.Column) = (panel, column);
            (record.VisionRank, record.VisionL2) = Upload(weight.Patches[1]);
            (record.AudioRank, record.AudioL2) = Upload(weight.Patches[2]);
            panel += weight.Outputs / 16;
            column += Math.Max(record.VisionRank, record.AudioRank);
        }

        var l1 = Keep(new DeviceArray<ushort>(device, [.. PackL1(Modality.Vision, records, column, inputs), .. PackL1(Modality.Audio, records, column, inputs)]));
        var projected = Keep(new DeviceArray<ushort>(device, tokens.Count * column));
        if (tokens.Modalities != DevicePointer.Null)
        {
            device.Launch(GemmKernels.Project(l1.Pointer, column, column, inputs, tokens, projected.Pointer, column));
        }

        return new PatchPointers(Keep(new DeviceArray<PatchRecord>(device, records)).Pointer, records.Length, projected.Pointer, column);
    }

    private ushort[] PackL1(Modality modality, PatchRecord[] records, int columns, int inputs) => FragmentOrder.PackBFloat16((r, k) =>
    {
        var layer = System.Array.FindLastIndex(records, record => record.Column <= r);
        return problem.Weights[layer].Patches[(int)modality] is { } patch && r - records[layer].Column < patch.Rank ? patch.L1[k, r - records[layer].Column] : 0;
    }, columns, inputs, columns);

    private (int Rank, DevicePointer L2) Upload(LowRankFactors? patch)
        => patch is null ? (0, DevicePointer.Null) : (FragmentOrder.PadRank(patch.Rank), Keep(new DeviceArray<ushort>(device, FragmentOrder.PackL2(patch))).Pointer);

    private DevicePointer Array<T>(int count, Func<int, int, T> value, int columns)
        where T : unmanaged
        => Keep(new DeviceArray<T>(device, Enumerable.Range(0, count).Select(i => value(i / columns, i % columns)).ToArray())).Pointer;

    private static T[] Transpose<T>(T[] values, int outputs, int groups)
        => values.Length == 0 ? values : [.. Enumerable.Range(0, values.Length).Select(i => values[(i % outputs * groups) + (i / outputs)])];

    private Matrix[] Split(float[] y, int tokens, int outputs)
    {
        var results = new List<Matrix>();
        var first = 0;
        foreach (var weight in problem.Weights)
        {
            var result = new Matrix(tokens, weight.Outputs);
            for (var row = 0; row < tokens; row++)
            {
                y.AsSpan((row * outputs) + first, weight.Outputs).CopyTo(result.Row(row));
            }

            results.Add(result);
            first += weight.Outputs;
        }

        return [.. results];
    }

    private T Keep<T>(T memory)
        where T : IDisposable
    {
        _memory.Add(memory);
        return memory;
    }
}
