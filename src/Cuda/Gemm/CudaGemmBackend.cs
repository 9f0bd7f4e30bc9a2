using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;
using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Gemm;

/// <summary>Quantized products on an NVIDIA GPU. Weights are copied to the device when they are first multiplied, and stay there.</summary>
/// <remarks>Equals <see cref="ScalarGemmBackend"/> bit for bit where activations are quantized and no patch adds; patches and W4A16 multiply BF16 operands. Threads may share it; their calls run one after the other.</remarks>
public sealed class CudaGemmBackend : IGemmBackend, IDisposable
{
    private readonly ICudaDevice _device;
    private readonly bool _ownsDevice;
    private readonly DeviceBuffer _input;
    private readonly DeviceBuffer _output;
    private readonly ConditionalWeakTable<QuantizedWeight, Resident<DeviceWeight>> _weights = [];
    private readonly ConditionalWeakTable<IReadOnlyList<float[]>, Resident<DeviceSmoothing>> _smoothings = [];
    private readonly ConditionalWeakTable<PreparedTokens, DeviceTokens> _tokens = [];
    private bool _disposed;

    public CudaGemmBackend(ICudaDevice device, bool ownsDevice = false)
    {
        (_device, _ownsDevice) = (device, ownsDevice);
        (_input, _output) = (new DeviceBuffer(device), new DeviceBuffer(device));
    }

    /// <inheritdoc/>
    public string Name => _device.Name;

    /// <summary>Where the products run.</summary>
    internal ICudaDevice Device => _device;

    /// <summary>Held while work is queued on <see cref="Device"/>.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Opens GPU <paramref name="ordinal"/>, from 0.</summary>
    /// <exception cref="MASQuantException">MASQ1001 … MASQ1003 no usable driver or device, MASQ1006 the driver fails, MASQ1008 the GPU is too old.</exception>
    public static CudaGemmBackend Open(int ordinal = 0) => new(CudaDevice.Open(ordinal), ownsDevice: true);

    /// <inheritdoc/>
    /// <exception cref="MASQuantException">MASQ1004 too little memory, MASQ1006, MASQ1007 the driver refuses.</exception>
    public void Prepare(Matrix x, ModalityMap modalities, IReadOnlyList<float[]> inverseSmoothing, QuantizationScheme scheme, PreparedTokens tokens)
    {
        GemmChecks.Input(x, modalities, inverseSmoothing);
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            tokens.Describe(x.Rows, x.Columns, modalities);
            var prepared = _tokens.GetValue(tokens, _ => new DeviceTokens(_device));
            prepared.Reset(x.Rows, x.Columns, prepared.Write(modalities));
            _input.Reserve((long)x.Rows * x.Columns * sizeof(float));
            _device.Write(_input.Pointer, MemoryMarshal.AsBytes(x.Span));
            var keep = scheme.QuantizesActivations ? DeviceTokens.KeepAll & ~(1 << (int)Modality.Text) : DeviceTokens.KeepAll;
            var smoothing = Smoothing(inverseSmoothing).For(prepared.Modalities);
            _device.Launch(PrepareKernels.Tokens(_input.Pointer, x.Columns, x.Rows, x.Columns, smoothing, prepared.Target(scheme.QuantizesActivations, keep, scheme.ActivationMax)));
        }
    }

    /// <inheritdoc/>
    /// <exception cref="MASQuantException">MASQ1004 too little memory, MASQ1006, MASQ1007 the driver refuses.</exception>
    public void Multiply(PreparedTokens tokens, QuantizedWeight weight, Matrix y)
    {
        GemmChecks.Output(tokens, weight, y);
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_tokens.TryGetValue(tokens, out var prepared))
            {
                throw new ArgumentException("The tokens were prepared by another backend.", nameof(tokens));
            }

            _output.Reserve((long)y.Rows * y.Columns * sizeof(float));
            Weight(weight).Multiply(_device, prepared, _output.Pointer, y.Columns);
            _device.Read(_output.Pointer, MemoryMarshal.AsBytes(y.Span));
        }
    }

    /// <summary>Frees the device memory.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            IEnumerable<IDisposable> resident = [.. _weights.Select(pair => pair.Value.Memory), .. _smoothings.Select(pair => pair.Value.Memory), .. _tokens.Select(pair => pair.Value), _input, _output];
            foreach (var memory in resident)
            {
                memory.Dispose();
            }

            if (_ownsDevice)
            {
                _device.Dispose();
            }
        }
    }

    private DeviceWeight Weight(QuantizedWeight weight)
    {
        if (!_weights.TryGetValue(weight, out var resident))
        {
            var upload = new DeviceUpload();
            var placed = new DeviceWeight(upload, [weight]);
            _weights.Add(weight, resident = new Resident<DeviceWeight>(placed, upload.Run(_device)));
        }

        return resident.Value;
    }

    private DeviceSmoothing Smoothing(IReadOnlyList<float[]> inverseSmoothing)
    {
        if (!_smoothings.TryGetValue(inverseSmoothing, out var resident))
        {
            var upload = new DeviceUpload();
            var placed = new DeviceSmoothing(upload, inverseSmoothing);
            _smoothings.Add(inverseSmoothing, resident = new Resident<DeviceSmoothing>(placed, upload.Run(_device)));
        }

        return resident.Value;
    }

    /// <summary>What lies on the device and its memory, which is freed with the backend, or after what it was made from.</summary>
    private sealed record Resident<T>(T Value, IDeviceMemory Memory);
}
