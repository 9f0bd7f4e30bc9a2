namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>A right operand as the caller stored it, plain or transposed.</summary>
internal sealed unsafe class StridedPanels : PanelSource
{
    private float* _values;
    private nint _outputStride;
    private nint _depthStride;

    /// <summary>Points at B[0, 0]; one of the strides is 1.</summary>
    public StridedPanels At(float* values, nint outputStride, nint depthStride)
    {
        _values = values;
        _outputStride = outputStride;
        _depthStride = depthStride;
        return this;
    }

    /// <inheritdoc/>
    public override byte* Stored(int panel, int outputs, int depthStart, out nint strideBytes)
    {
        strideBytes = _depthStride * sizeof(float);
        return _outputStride == 1 && outputs == PanelOutputs ? (byte*)Start(panel, depthStart) : null;
    }

    /// <inheritdoc/>
    public override void Fill(int panel, int outputs, int depthStart, int depth, float* target)
        => FloatPacking.Pack(Start(panel, depthStart), _outputStride, _depthStride, outputs, depth, target, PanelOutputs);

    private float* Start(int panel, int depthStart) => _values + ((nint)panel * PanelOutputs * _outputStride) + (depthStart * _depthStride);
}
