using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;
using MASQuant.Engine.Execution;

namespace MASQuant.Cuda;

/// <summary>Opens models on NVIDIA GPUs: what <see cref="ExecutionProviders"/> finds by its name.</summary>
public sealed class CudaProvider : IExecutionProvider
{
    /// <inheritdoc/>
    /// <exception cref="MASQuantException">MASQ1001 … MASQ1003 no usable driver or device, MASQ1006 the driver fails, MASQ1008 the GPU is too old.</exception>
    public IOpenDevice Open(int ordinal) => new OpenGpu(CudaDevice.Open(ordinal));

    private sealed class OpenGpu(ICudaDevice device) : IOpenDevice
    {
        private bool _given;

        public IModelExecution Run(ModelContent content)
        {
            _given = true;
            return new CudaExecution(device, content, ownsDevice: true);
        }

        public void Dispose()
        {
            if (!_given)
            {
                device.Dispose();
            }
        }
    }
}
