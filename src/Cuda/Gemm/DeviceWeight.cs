using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Gemm;

/// <summary>The weights of layers that share their input, on a device, side by side as one [ΣN, K]: quantized with their patches, or BF16.</summary>
public sealed class DeviceWeight
{
    private readonly DeviceSlot _codes;
    private readonly DeviceSlot _scales = DeviceSlot.None;
    private readonly DeviceSlot _zeroPoints = DeviceSlot.None;
    private readonly DeviceSlot _bias;
    private readonly DevicePatches? _patches;

    /// <summary>Adds quantized weights [N_i, K] of one scheme to an upload; their memory is read when it runs.</summary>
    public DeviceWeight(DeviceUpload upload, IReadOnlyList<QuantizedWeight> weights)
    {
        // A code times its second-level scale is an integer of 8 bits: such weights multiply as 8-bit ones.
        (Format, Largest) = (GemmKernels.FormatOf(weights[0].Scheme), weights[0].Scheme.ActivationMax);
        Format = weights.Any(weight => weight.HasGroupScales) ? WeightFormat.Int8 : Format;
        (Outputs, Inputs) = (weights.Sum(weight => weight.Outputs), weights[0].Inputs);
        RequireFit(Outputs, Inputs);
        _codes = upload.Add(GemmKernels.CodeBytes(Format, Outputs, Inputs), (device, target) => WriteCodes(device, target, weights));
        var groups = Format == WeightFormat.Int4Groups ? Inputs / PackingLayout.GroupSize : 1;
        _scales = upload.Add((long)Outputs * groups * sizeof(float), (device, target) => device.Write(target, MemoryMarshal.AsBytes<float>(Transpose(weights, weight => weight.Scales, groups))));
        if (Format == WeightFormat.Int4Groups)
        {
            _zeroPoints = upload.Add((long)Outputs * groups, (device, target) => device.Write(target, Transpose(weights, weight => weight.ZeroPoints, groups)));
        }

        _bias = weights.All(weight => weight.Bias.IsEmpty) ? DeviceSlot.None : upload.Add<float>(weights.SelectMany(weight => weight.Bias.IsEmpty ? new float[weight.Outputs] : weight.Bias.ToArray()).ToArray());
        _patches = new DevicePatches(upload, weights);
    }

    /// <summary>Adds BF16 weights [N_i, K], row-major, to an upload; their memory is read when it runs.</summary>
    /// <param name="upload">What the weights go with.</param>
    /// <param name="weights">N_i · K values each.</param>
    /// <param name="inputs">K, a multiple of 4.</param>
    /// <param name="bias">ΣN values, or empty.</param>
    public DeviceWeight(DeviceUpload upload, IReadOnlyList<ReadOnlyMemory<byte>> weights, int inputs, float[] bias)
    {
        Format = WeightFormat.BFloat16;
        (Outputs, Inputs) = (checked((int)weights.Sum(weight => (long)weight.Length / sizeof(ushort) / inputs)), inputs);
        RequireFit(Outputs, Inputs);
        _codes = upload.Add(GemmKernels.CodeBytes(Format, Outputs, Inputs), (device, target) =>
        {
            foreach (var weight in weights)
            {
                ArrangeKernels.WriteBFloat16(device, weight, inputs, target);
                target += GemmKernels.CodeBytes(Format, weight.Length / sizeof(ushort) / inputs, inputs);
            }
        });
        _bias = upload.Add<float>(bias);
    }

    /// <summary>How the codes lie, and what tokens they meet.</summary>
    public WeightFormat Format { get; }

    /// <summary>ΣN.</summary>
    public int Outputs { get; }

    /// <summary>K.</summary>
    public int Inputs { get; }

    /// <summary>The largest code of an activation.</summary>
    public int Largest { get; }

    /// <summary>Whether tokens are codes rather than BF16 values.</summary>
    public bool TakesCodes => Format is WeightFormat.Int4 or WeightFormat.Int8;

    /// <summary>The codes or BF16 values, in fragment order.</summary>
    public DevicePointer Codes => _codes.Pointer;

    /// <summary>R, the columns that the patches project to; 0 without patches.</summary>
    public int PatchColumns => _patches?.Columns ?? 0;

    /// <summary>Bit 1 &lt;&lt; m for each modality whose smoothed values are read.</summary>
    public int Keep => TakesCodes ? _patches!.Modalities : DeviceTokens.KeepAll;

    /// <summary>How M tokens are to lie for a product on this device.</summary>
    public TokenOrder OrderOf(ICudaDevice device, int count) => GemmKernels.OrderOf(device, Format, Largest, count);

    /// <summary>Y = X · Wᵀ + bias + T · L2 (paper Eq. 29) of the tokens prepared in <paramref name="tokens"/>.</summary>
    /// <param name="device">Where everything lies.</param>
    /// <param name="tokens">[M, K].</param>
    /// <param name="y">[M, yStride] FP32, of which ΣN columns are overwritten.</param>
    /// <param name="yStride">Values from row to row.</param>
    public void Multiply(ICudaDevice device, DeviceTokens tokens, DevicePointer y, long yStride)
    {
        var input = TakesCodes ? tokens.Codes : tokens.Smoothed;
        var plan = GemmKernels.Plan(Format, tokens.Count, Outputs, Inputs, device.Multiprocessors, input.Order);
        tokens.Reserve(plan, PatchColumns);
        var patches = PatchColumns > 0 && tokens.Modalities != DevicePointer.Null ? _patches!.Project(device, tokens.Smoothed, tokens.Projected) : default;
        var weight = new WeightPointers(Format, Outputs, Inputs, _codes.Pointer, _scales.Pointer, _zeroPoints.Pointer, _bias.Pointer);
        device.Launch(GemmKernels.Multiply(plan, weight, input, patches, y, yStride, tokens.Partial(plan), tokens.Counters(plan)));
    }

    /// <summary>Makes room for <see cref="Multiply"/>, which then allocates nothing.</summary>
    public void Reserve(ICudaDevice device, DeviceTokens tokens, int count)
        => tokens.Reserve(GemmKernels.Plan(Format, count, Outputs, Inputs, device.Multiprocessors, OrderOf(device, count)), PatchColumns, count);

    private void WriteCodes(ICudaDevice device, DevicePointer target, IReadOnlyList<QuantizedWeight> weights)
    {
        var panelBytes = GemmKernels.CodeBytes(Format, GemmKernels.PanelOutputs, Inputs);
        var place = target;
        foreach (var weight in weights)
        {
            var codes = Format == WeightFormat.Int8 && weight.Scheme.WeightBits == 4 ? Widen(weight) : weight.Codes.Span;
            var panels = weight.Outputs / GemmKernels.PanelOutputs;
            if (codes.Length == panels * panelBytes)
            {
                device.Write(place, codes);
            }
            else
            {
                // K is padded: panel by panel. What lies between meets tokens that are zero there.
                var bytes = codes.Length / panels;
                device.Clear(place, panels * panelBytes);
                for (var panel = 0; panel < panels; panel++)
                {
                    device.Write(place + (panel * panelBytes), codes.Slice(panel * bytes, bytes));
                }
            }

            place += panels * panelBytes;
        }

        device.Launch(GemmKernels.Arrange(Format, target, Outputs, Inputs));
    }

    /// <summary>4-bit codes, times their second-level scales if there are any, as 8-bit ones.</summary>
    private static byte[] Widen(QuantizedWeight weight)
    {
        var codes = PackingLayout.Unpack(weight.Codes.Span, weight.Outputs, weight.Inputs, 4);
        for (var i = 0; i < codes.Length && weight.HasGroupScales; i++)
        {
            codes[i] = (sbyte)(codes[i] * weight.GroupScales.Span[PackingLayout.GroupScaleIndex(i / weight.Inputs, i % weight.Inputs, weight.Inputs)]);
        }

        return CodePacking.Pack(codes, weight.Outputs, weight.Inputs, 8);
    }

    /// <summary>[N, groups] of all layers → [groups, ΣN].</summary>
    private T[] Transpose<T>(IReadOnlyList<QuantizedWeight> weights, Func<QuantizedWeight, ReadOnlyMemory<T>> values, int groups)
    {
        var result = new T[checked(Outputs * groups)];
        var first = 0;
        foreach (var weight in weights)
        {
            var source = values(weight).Span;
            for (var i = 0; i < source.Length; i++)
            {
                result[(i % groups * Outputs) + first + (i / groups)] = source[i];
            }

            first += weight.Outputs;
        }

        return result;
    }

    private static void RequireFit(int outputs, int inputs)
    {
        if (outputs % GemmKernels.PanelOutputs != 0 || inputs % 4 != 0 || inputs > PrepareKernels.MaxInputs)
        {
            throw new MASQuantException(DiagnosticCodes.ShapeNotPackable, null,
                $"A layer of shape [{outputs}, {inputs}] does not fit the GPU's kernels: outputs come in multiples of {GemmKernels.PanelOutputs}, inputs in multiples of 4 up to {PrepareKernels.MaxInputs}. Run on the processor: --device cpu.");
        }
    }
}
