using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Gemm;

/// <summary>A quantized input group whose weights and smoothing factors are on a device; inputs and outputs cross at each call.</summary>
/// <remarks>Equals <see cref="ScalarGemmBackend"/> bit for bit where activations are quantized and no patch adds; patches and W4A16 multiply BF16 operands. Threads may share a group; calls of a device run one after the other.</remarks>
public sealed class DeviceLinearGroup : ILinearGroup, IDisposable
{
    private readonly LinearWorkspace _workspace;
    private readonly DeviceWeight[] _weights;
    private readonly DeviceSmoothing _smoothing;
    private readonly IDeviceMemory _memory;
    private bool _disposed;

    /// <summary>Copies a group to the workspace's device, whose gate is held.</summary>
    internal DeviceLinearGroup(LinearWorkspace workspace, IReadOnlyList<QuantizedWeight> weights, InputTransform input)
    {
        GemmChecks.Group(weights, input);
        var upload = new DeviceUpload();
        _workspace = workspace;
        _weights = [.. weights.Select(weight => new DeviceWeight(upload, [weight]))];
        _smoothing = new DeviceSmoothing(upload, input);
        _memory = upload.Run(workspace.Device);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
    /// <exception cref="MASQuantException">MASQ1004 too little memory, MASQ1006, MASQ1007 the driver refuses.</exception>
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, _weights.Length);
        GemmChecks.Input(x, modalities, _weights[0].Inputs);
        for (var i = 0; i < outputs.Length; i++)
        {
            GemmChecks.Output(outputs[i], x.Rows, _weights[i].Outputs);
        }

        // All of it under the gate: the workspace is every group's.
        lock (_workspace.Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Prepare(x, modalities);
            for (var i = 0; i < outputs.Length; i++)
            {
                Multiply(_weights[i], outputs[i]);
            }
        }
    }

    /// <summary>Frees the group's memory.</summary>
    public void Dispose()
    {
        lock (_workspace.Gate)
        {
            _disposed = true;
            _memory.Dispose();
        }
    }

    private void Prepare(Matrix x, ModalityMap modalities)
    {
        var (device, input, tokens) = (_workspace.Device, _workspace.Input, _workspace.Tokens);
        tokens.Reset(x.Rows, x.Columns, tokens.Write(modalities));
        input.Reserve((long)x.Rows * x.Columns * sizeof(float));
        device.Write(input.Pointer, MemoryMarshal.AsBytes(x.Span));
        device.Launch(PrepareKernels.Tokens(input.Pointer, x.Columns, x.Rows, x.Columns, _smoothing.For(tokens.Modalities), tokens.Target(_weights)));
    }

    private void Multiply(DeviceWeight weight, Matrix y)
    {
        var (device, output) = (_workspace.Device, _workspace.Output);
        output.Reserve((long)y.Rows * y.Columns * sizeof(float));
        weight.Multiply(device, _workspace.Tokens, output.Pointer, y.Columns);
        device.Read(output.Pointer, MemoryMarshal.AsBytes(y.Span));
    }
}
