using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>The prepared input of an input group on a device, and the working memory of its products. Buffers grow and are reused.</summary>
public sealed class DeviceTokens(ICudaDevice device) : IDisposable
{
    /// <summary>Smoothed values of every modality are kept.</summary>
    public const int KeepAll = (1 << ModalityMap.ModalityCount) - 1;

    private readonly DeviceBuffer _codes = new(device);
    private readonly DeviceBuffer _scales = new(device);
    private readonly DeviceBuffer _smoothed = new(device);
    private readonly DeviceBuffer _projected = new(device);
    private readonly DeviceBuffer _partial = new(device);
    private readonly DeviceBuffer _counters = new(device);
    private readonly DeviceBuffer _modalities = new(device);
    private int _stride;
    private TokenOrder _order;

    /// <summary>Counts how often a buffer has moved: work recorded before reads the old one.</summary>
    public int Generation { get; private set; }

    /// <summary>M.</summary>
    public int Count { get; private set; }

    /// <summary>K.</summary>
    public int Inputs { get; private set; }

    /// <summary>[M] bytes; null: all text.</summary>
    public DevicePointer Modalities { get; private set; }

    /// <summary>The codes, [M, K] in the order of the last <see cref="Target"/>.</summary>
    public TokenPointers Codes => new(_codes.Pointer, _stride, _scales.Pointer, Modalities, Count, _order);

    /// <summary>X / s_m in BF16, [M, K], of the modalities that are kept.</summary>
    public TokenPointers Smoothed => new(_smoothed.Pointer, _stride, DevicePointer.Null, Modalities, Count);

    /// <summary>T, [M, R] BF16.</summary>
    public DevicePointer Projected => _projected.Pointer;

    /// <summary>Makes room for M × K values and says what they are.</summary>
    /// <param name="count">M.</param>
    /// <param name="inputs">K.</param>
    /// <param name="modalities">[M] bytes on the device; null: all text.</param>
    public void Reset(int count, int inputs, DevicePointer modalities)
    {
        (Count, Inputs, Modalities, _stride) = (count, inputs, modalities, PrepareKernels.Stride(inputs));
        var size = (long)count * _stride;
        Moved(_codes.Reserve(GemmKernels.TokenBytes(device, count, inputs)) | _smoothed.Reserve(size * sizeof(ushort)) | _scales.Reserve((long)count * sizeof(float)));
    }

    /// <summary>Copies the modalities of M tokens to the device; null when all are text.</summary>
    public DevicePointer Write(ModalityMap modalities)
    {
        if (modalities.IsTextOnly)
        {
            return DevicePointer.Null;
        }

        Moved(_modalities.Reserve(modalities.Count));
        device.Write(_modalities.Pointer, System.Runtime.InteropServices.MemoryMarshal.AsBytes(modalities.Tokens));
        return _modalities.Pointer;
    }

    /// <summary>Where the kernels that prepare put the tokens, and in what order, for what weights of one scheme read.</summary>
    public PreparedPointers Target(params ReadOnlySpan<DeviceWeight> weights)
    {
        var (takesCodes, keep) = (weights[0].TakesCodes, 0);
        _order = weights[0].OrderOf(device, Count);
        foreach (var weight in weights)
        {
            keep |= weight.Keep;
            _order = weight.OrderOf(device, Count) == _order ? _order : TokenOrder.Rows; // A group with second-level scales multiplies 8-bit codes.
        }

        keep = takesCodes && Modalities == DevicePointer.Null ? 0 : keep; // Patches are for other tokens than text.
        return new PreparedPointers(
            takesCodes ? _codes.Pointer : DevicePointer.Null, takesCodes ? _scales.Pointer : DevicePointer.Null, keep == 0 ? DevicePointer.Null : _smoothed.Pointer, _stride, keep, weights[0].Largest, _order);
    }

    /// <summary>Makes room for a product.</summary>
    public void Reserve(in GemmPlan plan, int patchColumns, int? count = null)
    {
        Moved(_projected.Reserve((long)(count ?? Count) * patchColumns * sizeof(ushort)) | _partial.Reserve(plan.PartialBytes));
        if (_counters.Reserve((long)plan.Counters * sizeof(int)))
        {
            device.Clear(_counters.Pointer, (long)plan.Counters * sizeof(int));
            Moved(true);
        }
    }

    /// <summary>The parts' sums of a divided product.</summary>
    public DevicePointer Partial(in GemmPlan plan) => plan.PartialBytes > 0 ? _partial.Pointer : DevicePointer.Null;

    /// <summary>The counters of a divided product, zero between launches.</summary>
    public DevicePointer Counters(in GemmPlan plan) => plan.Counters > 0 ? _counters.Pointer : DevicePointer.Null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in (DeviceBuffer[])[_codes, _scales, _smoothed, _projected, _partial, _counters, _modalities])
        {
            buffer.Dispose();
        }
    }

    private void Moved(bool moved) => Generation += moved ? 1 : 0;
}
