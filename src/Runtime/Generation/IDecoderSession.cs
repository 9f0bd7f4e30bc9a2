using MASQuant.Models;
using MASQuant.Tensors;

namespace MASQuant.Generation;

/// <summary>One sequence in progress, on the processor or on a device. For one thread at a time.</summary>
internal interface IDecoderSession : IDisposable
{
    /// <inheritdoc cref="DecoderSession.Prefill"/>
    ReadOnlySpan<float> Prefill(PreparedPrompt prompt, CancellationToken cancellation = default);

    /// <inheritdoc cref="DecoderSession.Step"/>
    ReadOnlySpan<float> Step(int id, CancellationToken cancellation = default);

    /// <inheritdoc cref="DecoderSession.Logits"/>
    Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellation = default);
}
