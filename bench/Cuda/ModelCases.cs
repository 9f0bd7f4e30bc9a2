using MASQuant.Gemm;
using MASQuant.Gemm.Cuda;
using MASQuant.Models.Device;

namespace MASQuant.Bench.Cuda;

/// <summary>Whole decoders of random weights in the shapes of the real models: a prompt of 2048 tokens, half of them vision, and a decode step that follows it, of one sequence and of 16.</summary>
internal static class ModelCases
{
    private const int Prompt = 2048;
    private const int Room = 256;
    private static readonly int[] Batches = [1, 16];

    public static void Run(DeviceBench bench, Results results)
    {
        foreach (var model in ModelShape.All)
        {
            foreach (var (name, scheme) in RandomWeights.Formats)
            {
                Measure(bench, results, model, name, scheme);
            }
        }
    }

    private static void Measure(DeviceBench bench, Results results, ModelShape model, string name, QuantizationScheme? scheme)
    {
        var (device, config) = (bench.Device, model.Config);
        var gain = new float[config.HiddenSize];
        Array.Fill(gain, 1);
        // One layer's random values for all: they lie apart on the device.
        Func<DeviceUpload, DeviceWeight>[] linears = [.. model.Linears.Select((shape, i) =>
            RandomWeights.Of(scheme, shape.Outputs, shape.Inputs, i, scheme is { QuantizesActivations: true } ? shape.Inputs / 20 : 0))];
        DeviceInputGroup Group(DeviceUpload upload, int linear) => new(linears[linear](upload), new DeviceSmoothing(upload, [[], [], []]));
        var head = new byte[2L * config.VocabularySize * config.HiddenSize];
        new Random(9).NextBytes(head);
        DeviceBench.ShapeBFloat16(head);
        device.Memory.StartPeak();
        using var decoder = new DeviceDecoder(device, new Lock(), config, (upload, _) => new DeviceDecoderBlock(
            upload.Add<float>(gain), upload.Add<float>(gain), Group(upload, 0), Group(upload, 1), Group(upload, 2), Group(upload, 3)), gain, head, head);
        Console.WriteLine($"{name,-24} {model.Name,-14} weights {decoder.Bytes >> 20} MiB on the device");
        Prefill(bench, results, model, name, decoder);
        foreach (var batch in Batches)
        {
            Decode(bench, results, model, name, decoder, batch);
        }
    }

    /// <summary>Half vision, half text; every row is a token's, since where a row comes from costs the same.</summary>
    private static void Prefill(DeviceBench bench, Results results, ModelShape model, string name, DeviceDecoder decoder)
    {
        var device = bench.Device;
        device.Memory.StartPeak();
        using var workspace = new DeviceWorkspace(decoder);
        using var cache = new DeviceKvCache(device, model.Config);
        var forward = Reserve(workspace, cache, decoder, Prompt, 1, 0);
        device.Write(workspace.Modalities, Enumerable.Range(0, Prompt).Select(i => (byte)(i < Prompt / 2 ? Modality.Vision : Modality.Text)).ToArray());
        WriteStep(device, workspace, Prompt, cached: 0);
        var time = bench.Median(1, _ =>
        {
            forward.Embed(Prompt);
            forward.Blocks(Prompt, text: false, parts: 0);
            forward.Take(1, 0);
            forward.Head(1);
            forward.Choose(1);
        });
        results.Add($"{name} prefill", model.Name, Prompt, time, device.Memory.PeakBytes);
    }

    /// <summary>One token of each sequence behind its prompt, the choice included.</summary>
    private static void Decode(DeviceBench bench, Results results, ModelShape model, string name, DeviceDecoder decoder, int batch)
    {
        var device = bench.Device;
        device.Memory.StartPeak();
        using var workspace = new DeviceWorkspace(decoder);
        using var cache = new DeviceKvCache(device, model.Config, batch);
        var parts = DecoderKernels.DecodeParts(decoder.Heads, Prompt + Room, device.Multiprocessors);
        var forward = Reserve(workspace, cache, decoder, batch, batch, parts);
        for (var layer = 0; layer < model.Config.Layers; layer++)
        {
            device.Clear(cache.Keys(layer), batch * cache.SequenceValues * sizeof(ushort));
            device.Clear(cache.Values(layer), batch * cache.SequenceValues * sizeof(ushort));
        }

        WriteStep(device, workspace, batch, Prompt);
        var time = bench.Median(1, _ =>
        {
            forward.Embed(batch);
            forward.Blocks(batch, text: true, parts);
            forward.Take(batch, 0);
            forward.Head(batch);
            forward.Choose(batch);
        });
        results.Add($"{name} decode", model.Name, batch, time, device.Memory.PeakBytes);
    }

    private static DeviceForward Reserve(DeviceWorkspace workspace, DeviceKvCache cache, DeviceDecoder decoder, int tokens, int rows, int parts)
    {
        cache.Reserve(Prompt, Room);
        workspace.ReserveTokens(tokens);
        workspace.ReserveRows(rows);
        workspace.ReserveProducts(tokens);
        workspace.ReserveParts(parts, rows);
        return new DeviceForward(decoder, workspace, cache);
    }

    /// <summary>No rotation, rows of the embedding one behind the other.</summary>
    private static void WriteStep(ICudaDevice device, DeviceWorkspace workspace, int tokens, int cached)
    {
        var step = new byte[workspace.SourcesStart(tokens) + (tokens * sizeof(int))];
        var words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(step.AsSpan());
        words.Slice(DeviceWorkspace.CachedStart / sizeof(int), Math.Min(tokens, DeviceWorkspace.MaxSequences)).Fill(cached);
        var (angles, sources) = (DeviceWorkspace.AnglesStart / sizeof(int), workspace.SourcesStart(tokens) / sizeof(int));
        words[angles..((angles + sources) / 2)].Fill(BitConverter.SingleToInt32Bits(1)); // cosines; sines stay zero
        for (var token = 0; token < tokens; token++)
        {
            words[sources + token] = 1000 + token;
        }

        device.Write(workspace.Step, step);
    }
}
