using MASQuant.Cuda.Device;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Gemm;

/// <summary>The low-rank patches of layers that lie side by side, on a device. Each layer has columns of T of its own, as many as its larger padded rank.</summary>
internal sealed class DevicePatches
{
    private readonly DeviceSlot _l1;
    private readonly DeviceSlot _table;
    private readonly int _layers;
    private readonly int _inputs;
    private readonly int _visionColumns;
    private readonly int _audioColumns;

    /// <summary>Adds the patches of <paramref name="weights"/>, [N_i, K] each, to an upload.</summary>
    public DevicePatches(DeviceUpload upload, IReadOnlyList<QuantizedWeight> weights)
    {
        (_layers, _inputs) = (weights.Count, weights[0].Inputs);
        var records = new PatchRecord[_layers];
        var l2 = new (DeviceSlot Vision, DeviceSlot Audio)[_layers];
        var panel = 0;
        for (var i = 0; i < _layers; i++)
        {
            ref var record = ref records[i];
            (record.FirstPanel, record.Column) = (panel, Columns);
            (record.VisionRank, l2[i].Vision) = AddL2(upload, weights[i].Patches[(int)Modality.Vision]);
            (record.AudioRank, l2[i].Audio) = AddL2(upload, weights[i].Patches[(int)Modality.Audio]);
            _visionColumns = record.VisionRank > 0 ? Columns + record.VisionRank : _visionColumns;
            _audioColumns = record.AudioRank > 0 ? Columns + record.AudioRank : _audioColumns;
            panel += weights[i].Outputs / GemmKernels.PanelOutputs;
            Columns += Math.Max(record.VisionRank, record.AudioRank);
        }

        Modalities = (_visionColumns > 0 ? 1 << (int)Modality.Vision : 0) | (_audioColumns > 0 ? 1 << (int)Modality.Audio : 0);
        var bytes = GemmKernels.CodeBytes(WeightFormat.BFloat16, Columns, _inputs);
        _l1 = upload.Add(2 * bytes, (device, target) =>
        {
            device.Write(target, Bytes(PackL1(weights, records, Modality.Vision)));
            device.Write(target + bytes, Bytes(PackL1(weights, records, Modality.Audio)));
        });
        _table = upload.Add(Columns == 0 ? 0 : (long)_layers * System.Runtime.CompilerServices.Unsafe.SizeOf<PatchRecord>(), (device, target) =>
        {
            for (var i = 0; i < _layers; i++)
            {
                (records[i].VisionL2, records[i].AudioL2) = (l2[i].Vision.Pointer, l2[i].Audio.Pointer);
            }

            device.Write(target, System.Runtime.InteropServices.MemoryMarshal.AsBytes<PatchRecord>(records));
        });
    }

    /// <summary>R, the columns of T; 0: there are no patches.</summary>
    public int Columns { get; }

    /// <summary>Bit 1 &lt;&lt; m for each modality with a patch: their smoothed values are read.</summary>
    public int Modalities { get; }

    /// <summary>Computes T of tokens that are not all text.</summary>
    /// <param name="device">Where everything lies.</param>
    /// <param name="smoothed">[M, K] BF16.</param>
    /// <param name="projected">[M, R] BF16.</param>
    public PatchPointers Project(ICudaDevice device, in TokenPointers smoothed, DevicePointer projected)
    {
        device.Launch(GemmKernels.Project(_l1.Pointer, _visionColumns, _audioColumns, _inputs, smoothed, projected, Columns));
        return new PatchPointers(_table.Pointer, _layers, projected, Columns);
    }

    private static (int Rank, DeviceSlot L2) AddL2(DeviceUpload upload, LowRankFactors? patch)
        => patch is { Rank: > 0 } ? (FragmentOrder.PadRank(patch.Rank), upload.Add<ushort>(FragmentOrder.PackL2(patch))) : (0, DeviceSlot.None);

    private ushort[] PackL1(IReadOnlyList<QuantizedWeight> weights, PatchRecord[] records, Modality modality) => FragmentOrder.PackBFloat16((column, k) =>
    {
        var layer = Array.FindLastIndex(records, record => record.Column <= column);
        var rank = column - records[layer].Column;
        return weights[layer].Patches[(int)modality] is { } patch && rank < patch.Rank ? patch.L1[k, rank] : 0;
    }, Columns, _inputs, Columns);

    private static ReadOnlySpan<byte> Bytes(ushort[] values) => System.Runtime.InteropServices.MemoryMarshal.AsBytes<ushort>(values);
}
