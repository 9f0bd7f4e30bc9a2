using MASQuant.Gemm;
using MASQuant.Gemm.Cuda;
using MASQuant.Models.Device;

namespace MASQuant.Bench.Cuda;

/// <summary>Whole decoders of random weights in the shapes of the real models: a prompt of 2048 tokens, half of them vision, and a decode step that follows it.</summary>
internal static class ModelCases
{
    private const int Prompt = 2048;

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
        DeviceInputGroup Group(DeviceUpload upload, int linear)
        {
            var shape = model.Linears[linear];
            return new(RandomWeights.Add(upload, scheme, shape.Outputs, shape.Inputs, linear, scheme is { QuantizesActivations: true } ? shape.Inputs / 20 : 0), new DeviceSmoothing(upload, [[], [], []]));
        }

        // One layer's random values for all: they lie apart on the device.
        var head = new byte[2L * config.VocabularySize * config.HiddenSize];
        new Random(9).NextBytes(head);
        DeviceBench.ShapeBFloat16(head);
        using var decoder = new DeviceDecoder(device, new Lock(), config, (upload, _) => new DeviceDecoderBlock(
            upload.Add<float>(gain), upload.Add<float>(gain), Group(upload, 0), Group(upload, 1), Group(upload, 2), Group(upload, 3)), gain, head, head);
        using var workspace = new DeviceWorkspace(decoder);
        using var cache = new DeviceKvCache(device, config);
        var forward = new DeviceForward(decoder, workspace, cache);
        cache.Reserve(Prompt, 256);
        workspace.ReserveTokens(Prompt);
        workspace.ReserveRows(1);
        workspace.ReserveParts(DecoderKernels.DecodeParts(decoder.Heads, cache.Capacity, device.Multiprocessors));
        device.Clear(workspace.Step, DeviceWorkspace.AnglesStart + ((long)Prompt * config.HeadSize * sizeof(float)));
        using (var hidden = bench.Random((long)Prompt * config.HiddenSize * sizeof(float), 3, DeviceBench.ShapeFloat))
        {
            device.Copy(hidden.Pointer, workspace.Hidden, hidden.Bytes);
        }

        device.Write(workspace.Modalities, Enumerable.Range(0, Prompt).Select(i => (byte)(i < Prompt / 2 ? Modality.Vision : Modality.Text)).ToArray());
        workspace.ReserveProducts(Prompt);
        workspace.ReserveProducts(1);
        results.Add($"{name} prefill", model.Name, Prompt, bench.Median(1, _ =>
        {
            forward.Blocks(Prompt, text: false, parts: 0);
            forward.Take(1, 0);
            forward.Head(1);
        }));

        device.Write(workspace.Step, BitConverter.GetBytes(Prompt));
        var parts = DecoderKernels.DecodeParts(decoder.Heads, cache.Capacity, device.Multiprocessors);
        results.Add($"{name} decode", model.Name, 1, bench.Median(1, _ =>
        {
            forward.Blocks(1, text: true, parts);
            forward.Take(1, 0);
            forward.Head(1);
        }));
        Console.WriteLine($"{name,-24} {model.Name,-14} weights {decoder.Bytes >> 20} MiB on the device");
    }
}
