using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Cuda.Models;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Schemes;

namespace MASQuant.Bench.Cuda;

/// <summary>A decoder of random weights: one layer's values for all, which lie apart on the device.</summary>
internal sealed class RandomDecoder : IDisposable
{
    private readonly DeviceDecoder _decoder;

    public RandomDecoder(ICudaDevice device, ModelShape shape, TextConfig config, QuantizationScheme? scheme)
    {
        var gain = new float[config.HiddenSize];
        Array.Fill(gain, 1);
        Func<DeviceUpload, DeviceWeight>[] linears = [.. shape.Linears.Select((linear, i) => RandomWeights.Of(scheme, linear, i))];
        DeviceInputGroup Group(DeviceUpload upload, int linear) => new(linears[linear](upload), new DeviceSmoothing(upload, InputTransform.None));
        var head = RandomWeights.BFloat16((long)config.VocabularySize * config.HiddenSize, seed: 9);
        var description = Qwen25Decoder.Describe(config);
        Norm WithGain(NormDescription norm) => new(norm, gain, []);
        _decoder = new DeviceDecoder(device, new Lock(), description, (upload, layer) => new DeviceTransformerBlock(
            description.Blocks[layer],
            [.. description.Blocks[layer].Norms.Select(norm => DeviceNorm.Add(upload, WithGain(norm)))],
            [.. Enumerable.Range(0, linears.Length).Select(linear => Group(upload, linear))]), WithGain(description.FinalNorm), [head], [head]);
    }

    /// <summary>The bytes of a shape's linear layers.</summary>
    public static long LayerBytes(ModelShape shape, QuantizationScheme? scheme) => shape.Linears.Sum(linear => (long)linear.Outputs * linear.Inputs * (scheme?.WeightBits ?? 16) / 8);

    /// <summary>Makes a run ready: M tokens of one sequence, the first half vision where that is asked for; or a token of each of M sequences behind <paramref name="cached"/> others.</summary>
    public RandomRun Start(int tokens, bool ofOneSequence, bool halfVision, int cached, int room) => new(_decoder, tokens, ofOneSequence, halfVision, cached, room);

    public void Dispose() => _decoder.Dispose();

    /// <summary>The memory and the work of one run.</summary>
    internal sealed class RandomRun : IDisposable
    {
        private readonly DeviceWorkspace _workspace;
        private readonly DeviceKvCache _cache;
        private readonly DeviceForward _forward;
        private readonly int _tokens;
        private readonly int _rows;
        private readonly int _parts;
        private readonly bool _text;

        public RandomRun(DeviceDecoder decoder, int tokens, bool ofOneSequence, bool halfVision, int cached, int room)
        {
            var (device, config) = (decoder.Device, decoder.Config);
            (_tokens, _rows, _text) = (tokens, ofOneSequence ? 1 : tokens, !halfVision);
            _parts = ofOneSequence ? 0 : DecoderKernels.DecodeParts(decoder.Heads, cached + room, device.Multiprocessors);
            _workspace = new DeviceWorkspace(decoder);
            _cache = new DeviceKvCache(device, decoder.Description, _rows);
            _forward = new DeviceForward(decoder, _workspace, _cache);
            _cache.Reserve(ofOneSequence ? tokens : cached, room);
            _workspace.ReserveTokens(tokens);
            _workspace.ReserveRows(_rows);
            _workspace.ReserveProducts(tokens);
            _workspace.ReserveParts(_parts, _rows);
            for (var layer = 0; layer < config.Layers; layer++)
            {
                device.Clear(_cache.Keys(layer), _rows * _cache.SequenceValues * sizeof(ushort));
                device.Clear(_cache.Values(layer), _rows * _cache.SequenceValues * sizeof(ushort));
            }

            device.Write(_workspace.Modalities, Enumerable.Range(0, tokens).Select(i => (byte)(halfVision && i < tokens / 2 ? Modality.Vision : Modality.Text)).ToArray());
            WriteStep(device, ofOneSequence ? 0 : cached, config.VocabularySize);
        }

        /// <summary>From ids to the choice.</summary>
        public void Whole()
        {
            _forward.Embed(_tokens);
            Blocks();
            _forward.Take(_rows, 0);
            _forward.Head(_rows);
            _forward.Choose(_rows);
        }

        /// <summary>The ids' rows alone, so that blocks have something to read.</summary>
        public void Embed() => _forward.Embed(_tokens);

        /// <summary>The blocks alone.</summary>
        public void Blocks() => _forward.Blocks(_tokens, _text, _parts);

        public void Dispose()
        {
            _workspace.Dispose();
            _cache.Dispose();
        }

        /// <summary>No rotation, rows of the embedding one behind the other: where a row comes from costs the same.</summary>
        private void WriteStep(ICudaDevice device, int cached, int vocabulary)
        {
            var step = new byte[_workspace.SourcesStart(_tokens) + (_tokens * sizeof(int))];
            var words = MemoryMarshal.Cast<byte, int>(step.AsSpan());
            words.Slice(DeviceWorkspace.CachedStart / sizeof(int), _rows).Fill(cached);
            var (angles, sources) = (DeviceWorkspace.AnglesStart / sizeof(int), _workspace.SourcesStart(_tokens) / sizeof(int));
            words[angles..((angles + sources) / 2)].Fill(BitConverter.SingleToInt32Bits(1)); // cosines; sines stay zero
            for (var token = 0; token < _tokens; token++)
            {
                words[sources + token] = (1000 + token) % vocabulary;
            }

            device.Write(_workspace.Step, step);
        }
    }
}
