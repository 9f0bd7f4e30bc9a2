using MASQuant.Runtime;
using TorchSharp;

namespace MASQuant.TorchSharp;

/// <summary>A quantized layer as a module of TorchSharp: x [.., K] → [.., N], to the bits of <see cref="QuantizedLinear"/>. It has no parameters, and no gradient goes through it.</summary>
/// <remarks>Threads may share a module. An input that lies in memory row after row in FP32 is read where it is, any other is copied once; the output is written in place.</remarks>
public sealed class QuantizedLinearModule : torch.nn.Module<torch.Tensor, torch.Tensor>
{
    private readonly QuantizedLinear _linear;

    /// <summary>Makes a module of a layer.</summary>
    /// <param name="linear">The layer, which is disposed with the module. Its model must stay open.</param>
    /// <param name="modality">What the tokens stand for where a call does not say.</param>
    /// <exception cref="MASQuantException">MASQ0517: libtorch is missing or cannot be loaded.</exception>
    public QuantizedLinearModule(QuantizedLinear linear, Modality modality = Modality.Text)
        : base(Name(linear))
        => (_linear, Modality) = (linear, modality);

    /// <summary>K, the number of input features.</summary>
    public int Inputs => _linear.Inputs;

    /// <summary>N, the number of output features.</summary>
    public int Outputs => _linear.Outputs;

    /// <summary>What the tokens stand for where a call does not say.</summary>
    public Modality Modality { get; }

    /// <summary>Computes the layer for tokens of <see cref="Modality"/>.</summary>
    /// <inheritdoc cref="forward(torch.Tensor, ModalityMap)"/>
    public override torch.Tensor forward(torch.Tensor input) => forward(input, Modality);

    /// <summary>Computes the layer for tokens of one modality.</summary>
    /// <inheritdoc cref="forward(torch.Tensor, ModalityMap)"/>
    public torch.Tensor forward(torch.Tensor x, Modality modality)
    {
        var tokens = new Modality[Tokens(x)];
        Array.Fill(tokens, modality);
        return forward(x, new ModalityMap(tokens));
    }

    /// <summary>Computes the layer.</summary>
    /// <param name="x">[.., K] activations of M tokens in FP32, BF16 or FP16, on the processor.</param>
    /// <param name="modalities">M entries, in the order of the tokens in memory.</param>
    /// <returns>[.., N] of the same type. Lower precisions are computed in FP32 and rounded once.</returns>
    /// <exception cref="ArgumentException">Shape, type or device do not fit, or input or output are larger than 2 GiB.</exception>
    /// <exception cref="NotSupportedException">A gradient is asked for.</exception>
    /// <exception cref="ObjectDisposedException">The module, its layer or its model is disposed.</exception>
    public torch.Tensor forward(torch.Tensor x, ModalityMap modalities)
    {
        ArgumentNullException.ThrowIfNull(modalities);
        var tokens = Tokens(x);
        if (modalities.Count != tokens)
        {
            throw new ArgumentException($"There are {modalities.Count} modalities for {tokens} tokens.", nameof(modalities));
        }

        using var rows = TensorRows.Of(x, nameof(x));
        var y = torch.empty([.. x.shape[..^1], Outputs], torch.ScalarType.Float32, torch.CPU);
        try
        {
            _linear.Forward(TensorRows.Values(rows), modalities, TensorRows.Values(y));
        }
        catch
        {
            y.Dispose();
            throw;
        }

        if (x.dtype == torch.ScalarType.Float32)
        {
            return y;
        }

        using (y)
        {
            return y.to_type(x.dtype);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _linear.Dispose();
        }

        base.Dispose(disposing);
    }

    // Runs before the base constructor, which needs libtorch.
    private static string Name(QuantizedLinear linear)
    {
        ArgumentNullException.ThrowIfNull(linear);
        Libtorch.Require();
        return nameof(QuantizedLinearModule);
    }

    // M, of an input that has been looked at before memory is taken for it.
    private int Tokens(torch.Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.requires_grad && torch.is_grad_enabled())
        {
            throw new NotSupportedException("No gradient goes through a quantized layer: call it under torch.no_grad(), or hand on the input's detach().");
        }

        if (x.ndim == 0 || x.shape[^1] != Inputs)
        {
            throw new ArgumentException($"The input is [{string.Join(", ", x.shape)}]; the layer takes [.., {Inputs}].", nameof(x));
        }

        var tokens = x.numel() / Inputs;
        TensorRows.RequireSpan(tokens * Math.Max(Inputs, Outputs), nameof(x));
        return (int)tokens;
    }
}
