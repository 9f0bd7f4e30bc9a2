using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Audio;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Models;

/// <summary>The audio tower, resident on a device: <see cref="AudioTower"/> step by step, with BF16 operands and FP32 sums. Threads may share it; clips run one after the other.</summary>
internal sealed class DeviceAudioTower : IAudioTower, IDisposable
{
    private readonly ICudaDevice _device;
    private readonly Lock _gate;
    private readonly AudioConfig _config;
    private readonly int _windowsAtOnce;
    private readonly DeviceWeight _first;
    private readonly DeviceWeight _second;
    private readonly DeviceSlot _positions;
    private readonly DeviceAudioTowerLayer[] _layers;
    private readonly DeviceLayerNorm _norm;
    private readonly DeviceWeight _projection;
    private readonly IDeviceMemory _memory;

    /// <summary>Copies the tensors <c>audio_tower.*</c> to a device.</summary>
    /// <param name="device">Receives them.</param>
    /// <param name="gate">Held by whoever queues work on <paramref name="device"/>.</param>
    /// <param name="source">Is not kept.</param>
    /// <param name="config">The extents, which the kernels take.</param>
    /// <param name="windowsAtOnce">Windows evaluated together, an even number, so that no pair of rows to be pooled is split.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite; MASQ1004 too little memory.</exception>
    public DeviceAudioTower(ICudaDevice device, Lock gate, ITensorSource source, AudioConfig config, int windowsAtOnce = 32)
    {
        (_device, _gate, _config, _windowsAtOnce) = (device, gate, config, windowsAtOnce);
        var (width, upload) = (config.ModelSize, new DeviceUpload());
        _first = TowerLinear.Add(upload, source, checked(config.MelBins * AudioTowerEmbedding.Taps), new TowerLinear("audio_tower.conv1", width));
        _second = TowerLinear.Add(upload, source, checked(width * AudioTowerEmbedding.Taps), new TowerLinear("audio_tower.conv2", width));
        _positions = upload.Add<float>(AudioTowerEmbedding.Positions(config.HalfWindow, width).Data);
        _layers = [.. Enumerable.Range(0, config.Layers).Select(index => DeviceAudioTowerLayer.Read(upload, source, config, index))];
        _norm = DeviceLayerNorm.Add(upload, source, "audio_tower.ln_post", width);
        _projection = TowerLinear.Add(upload, source, width, new TowerLinear("audio_tower.proj", config.OutputSize));
        lock (gate)
        {
            _memory = upload.Run(device);
        }
    }

    /// <summary>Whether the kernels take a tower of these extents.</summary>
    public static bool Takes(AudioConfig config)
        => config.ModelSize % GemmKernels.PanelOutputs == 0 && TowerKernels.Supports(config.ModelSize / config.Heads) && config.FeedForwardSize % GemmKernels.PanelOutputs == 0
            && config.OutputSize % GemmKernels.PanelOutputs == 0 && config.MelBins % 4 == 0
            && Math.Max(config.ModelSize * AudioTowerEmbedding.Taps, config.FeedForwardSize) <= PrepareKernels.MaxInputs;

    /// <inheritdoc/>
    public Matrix Forward(Matrix mel, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(mel.Rows, _config.MelBins, nameof(mel));
        var tokens = new Matrix(AudioTower.TokenCount(mel.Columns), _config.OutputSize);
        var rest = tokens.Span;
        var framesAtOnce = checked(_windowsAtOnce * 2 * _config.HalfWindow);
        for (var start = 0; start < mel.Columns; start += framesAtOnce)
        {
            var windows = AudioWindows.Of(Math.Min(framesAtOnce, mel.Columns - start), 2 * _config.HalfWindow);
            var part = rest[..(windows.Rows / 2 * _config.OutputSize)];
            lock (_gate)
            {
                Run(mel, start, windows, part, cancellationToken);
            }

            rest = rest[part.Length..];
        }

        return tokens;
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose() => _memory.Dispose();

    private void Run(Matrix mel, int start, AudioWindows windows, Span<float> tokens, CancellationToken cancellationToken)
    {
        using var workspace = new TowerWorkspace(_device, windows.Rows, _config.ModelSize, _config.FeedForwardSize, _config.Heads);
        var segments = workspace.UploadSegments(windows.Bounds);
        Embed(workspace, windows, Frames(mel, start, windows.Frames));
        var branch = DevicePointer.Null;
        foreach (var layer in _layers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            layer.Forward(_device, workspace, windows.Rows, branch, segments);
            branch = workspace.Branch;
        }

        if (tokens.IsEmpty)
        {
            return;
        }

        var pooled = windows.Rows / 2;
        var output = workspace.Allocate((long)tokens.Length * sizeof(float));
        _device.Launch(TowerKernels.Pool(workspace.Hidden, branch, pooled, _config.ModelSize, workspace.Attended));
        _norm.Prepare(_device, workspace, workspace.Attended, DevicePointer.Null, pooled);
        _projection.Multiply(_device, workspace.Tokens, output, _projection.Outputs);
        _device.Read(output, MemoryMarshal.AsBytes(tokens));
    }

    /// <summary>Two convolutions with GELU, and positions: the residual stream.</summary>
    private void Embed(TowerWorkspace workspace, AudioWindows windows, Matrix frames)
    {
        var width = _config.ModelSize;
        var convolved = workspace.Allocate((long)windows.Frames * width * sizeof(float));
        Convolve(workspace, _first, workspace.Upload(frames), windows.Taps(stride: 1), activated: false, convolved);
        Convolve(workspace, _second, convolved, windows.Taps(stride: 2), activated: true, workspace.Attended);
        _device.Launch(TowerKernels.Place(workspace.Attended, _positions.Pointer, workspace.Upload<int>(windows.Places), windows.Rows, width, workspace.Hidden));
    }

    private void Convolve(TowerWorkspace workspace, DeviceWeight kernel, DevicePointer x, int[] taps, bool activated, DevicePointer y)
    {
        var rows = taps.Length / AudioTowerEmbedding.Taps;
        workspace.Tokens.Reset(rows, kernel.Inputs, DevicePointer.Null);
        _device.Launch(TowerKernels.Taps(x, kernel.Inputs / AudioTowerEmbedding.Taps, workspace.Upload<int>(taps), rows, activated, workspace.Tokens.Smoothed.Rows));
        kernel.Multiply(_device, workspace.Tokens, y, kernel.Outputs);
    }

    /// <summary>[frames, bins] of mel [bins, …].</summary>
    private static Matrix Frames(Matrix mel, int start, int count)
    {
        var frames = new Matrix(count, mel.Rows);
        for (var bin = 0; bin < mel.Rows; bin++)
        {
            for (var frame = 0; frame < count; frame++)
            {
                frames[frame, bin] = mel[bin, start + frame];
            }
        }

        return frames;
    }
}
