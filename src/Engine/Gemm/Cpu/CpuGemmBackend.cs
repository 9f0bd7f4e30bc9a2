using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Quantized products on all cores with the widest instructions of the machine. Equals <see cref="ScalarGemmBackend"/> bit for bit on each of them. Allocates nothing once its buffers have grown.</summary>
/// <param name="target">What to use; null: all that the machine has.</param>
public sealed unsafe class CpuGemmBackend(CpuTarget? target = null) : IGemmBackend
{
    private readonly CpuTarget _target = target ?? CpuTarget.ThisMachine;

    /// <inheritdoc/>
    public void Prepare(Matrix x, ModalityMap modalities, InputTransform input, QuantizationScheme scheme, PreparedTokens tokens)
    {
        GemmChecks.Input(x, modalities, x.Columns);
        Prepare(x.Span, x.Columns, modalities, input, scheme, tokens);
    }

    /// <inheritdoc/>
    public void Prepare(ReadOnlySpan<float> x, int inputs, ModalityMap modalities, InputTransform input, QuantizationScheme scheme, PreparedTokens tokens)
    {
        GemmChecks.Input(x.Length, inputs, modalities);
        GemmChecks.Transform(input, inputs);
        tokens.Reset(modalities.Count, inputs, modalities);
        fixed (float* values = x)
        {
            TokenQuantizer.Current.Run(values, null, input, scheme, tokens, _target);
        }
    }

    /// <inheritdoc/>
    public void Prepare(IInputRows x, ModalityMap modalities, InputTransform input, QuantizationScheme scheme, PreparedTokens tokens)
    {
        GemmChecks.Input(checked(x.Rows * x.Columns), x.Columns, modalities);
        GemmChecks.Transform(input, x.Columns);
        tokens.Reset(x.Rows, x.Columns, modalities);
        TokenQuantizer.Current.Run(null, x, input, scheme, tokens, _target);
    }

    /// <inheritdoc/>
    public void Multiply(PreparedTokens tokens, QuantizedWeight weight, Matrix y)
    {
        GemmChecks.Output(y, tokens.Tokens, weight.Outputs);
        Multiply(tokens, weight, y.Span);
    }

    /// <inheritdoc/>
    public void Multiply(PreparedTokens tokens, QuantizedWeight weight, Span<float> y)
    {
        GemmChecks.Output(y.Length, tokens.Tokens, weight.Outputs);
        GemmChecks.Product(tokens, weight);
        fixed (float* outputs = y)
        {
            if (weight.Scheme.QuantizesActivations)
            {
                CodeProduct.Current.Run(tokens, weight, outputs, _target);
            }
            else
            {
                MultiplyGroups(tokens, weight, outputs);
            }

            if (!tokens.Modalities.IsTextOnly)
            {
                LowRankProduct.Add(tokens, weight, outputs, _target);
            }
        }
    }

    private void MultiplyGroups(PreparedTokens tokens, QuantizedWeight weight, float* y)
    {
        fixed (byte* codes = weight.Codes.Span, zeroPoints = weight.ZeroPoints.Span)
        fixed (float* scales = weight.Scales.Span, bias = weight.Bias.Span, x = tokens.Smoothed.Data)
        {
            FloatProduct.Current.Left(x, weight.Inputs, 1).Right(Int4Panels.Current.At(codes, scales, zeroPoints, weight.Inputs))
                .Into(y, weight.Outputs, tokens.Tokens, weight.Outputs, weight.Inputs, bias, accumulate: false, threaded: true, _target);
        }
    }
}
