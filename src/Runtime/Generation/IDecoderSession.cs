using MASQuant.Models;
using MASQuant.Tensors;

namespace MASQuant.Generation;

/// <summary>One sequence in progress, on the processor or on a device. For one thread at a time.</summary>
internal interface IDecoderSession : IDisposable
{
    /// <summary>Evaluates a prompt and chooses the token that follows it.</summary>
    int Next(PreparedPrompt prompt, Sampler sampler, CancellationToken cancellation);

    /// <summary>Evaluates one more text token and chooses the one that follows it.</summary>
    int Next(int id, Sampler sampler, CancellationToken cancellation);

    /// <inheritdoc cref="DecoderSession.Logits"/>
    Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellation = default);
}
