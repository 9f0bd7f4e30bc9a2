using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Audio;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
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
    private readonly DeviceTransformerBlock[] _blocks;
    private readonly DeviceTransformerBlock _exit;
    private readonly IDeviceMemory _memory;

    /// <summary>Copies a tower to a device.</summary>
    /// <param name="device">Receives it.</param>
    /// <param name="gate">Held by whoever queues work on <paramref name="device"/>.</param>
    /// <param name="source">Is not kept.</param>
    /// <param name="description">What the tower is made of, which the kernels take.</param>
    /// <param name="windowsAtOnce">Windows evaluated together, an even number, so that no pair of rows to be pooled is split.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite; MASQ1004 too little memory.</exception>
    public DeviceAudioTower(ICudaDevice device, Lock gate, ITensorSource source, AudioTowerDescription description, int windowsAtOnce = 32)
    {
        (_device, _gate, _config, _windowsAtOnce) = (device, gate, description.Config, windowsAtOnce);
        var upload = new DeviceUpload();
        DeviceTransformerBlock Read(BlockDescription block) => DeviceTransformerBlock.Read(upload, source, block, step => DeviceLinears.Read(upload, source, step, block.Prefix, pads: true));
        (_first, _second) = (DeviceLinears.Read(upload, source, description.FirstConvolution), DeviceLinears.Read(upload, source, description.SecondConvolution));
        _positions = upload.Add<float>(AudioTowerEmbedding.Positions(_config.HalfWindow, _config.ModelSize, description.LongestPeriod).Data);
        _blocks = [.. description.Blocks.Select(Read)];
        _exit = Read(description.Exit);
        lock (gate)
        {
            _memory = upload.Run(device);
        }
    }

    /// <summary>Whether the kernels take a tower.</summary>
    public static bool Supports(AudioTowerDescription description)
    {
        var config = description.Config;
        return description.Blocks.Append(description.Exit).All(DeviceTransformerBlock.Supports)
            && config.ModelSize % GemmKernels.PanelOutputs == 0 && TowerKernels.Supports(config.ModelSize / config.Heads) && config.FeedForwardSize % GemmKernels.PanelOutputs == 0
            && config.OutputSize % GemmKernels.PanelOutputs == 0 && config.MelBins % 4 == 0
            && Math.Max(description.SecondConvolution.Inputs, config.FeedForwardSize) <= PrepareKernels.MaxInputs;
    }

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
        using var workspace = new TowerWorkspace(_device, windows.Rows, _config.ModelSize, _config.Heads, _blocks.Append(_exit));
        var segments = workspace.UploadSegments(windows.Bounds);
        Embed(workspace, windows, Frames(mel, start, windows.Frames));
        var attention = new SegmentedAttention(_device, workspace.Operands, DevicePointer.Null, segments, segments);
        var pass = new DevicePass(_device, workspace.Buffers, windows.Rows);
        foreach (var block in _blocks)
        {
            cancellationToken.ThrowIfCancellationRequested();
            pass.Run(block, attention);
        }

        if (tokens.IsEmpty)
        {
            return;
        }

        var output = workspace.Allocate((long)tokens.Length * sizeof(float));
        pass.Run(_exit, output: output);
        _device.Read(output, MemoryMarshal.AsBytes(tokens));
    }

    /// <summary>Two convolutions with GELU, and positions: the residual stream.</summary>
    private void Embed(TowerWorkspace workspace, AudioWindows windows, Matrix frames)
    {
        var width = _config.ModelSize;
        var convolved = workspace.Allocate((long)windows.Frames * width * sizeof(float));
        Convolve(workspace, _first, workspace.Upload(frames), windows.Taps(stride: 1), activated: false, convolved);
        Convolve(workspace, _second, convolved, windows.Taps(stride: 2), activated: true, workspace.Buffers.Attended);
        _device.Launch(TowerKernels.Place(workspace.Buffers.Attended, _positions.Pointer, workspace.Upload<int>(windows.Places), windows.Rows, width, workspace.Buffers.Stream));
    }

    private void Convolve(TowerWorkspace workspace, DeviceWeight kernel, DevicePointer x, int[] taps, bool activated, DevicePointer y)
    {
        var rows = taps.Length / AudioTowerEmbedding.Taps;
        workspace.Buffers.Tokens.Reset(rows, kernel.Inputs, DevicePointer.Null);
        _device.Launch(TowerKernels.Taps(x, kernel.Inputs / AudioTowerEmbedding.Taps, workspace.Upload<int>(taps), rows, activated, workspace.Buffers.Tokens.Smoothed.Rows));
        kernel.Multiply(_device, workspace.Buffers.Tokens, y, kernel.Outputs);
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
