using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Models;

/// <summary>One step of a block. Steps hand on a list of values, [T, …] each: a step takes the first and puts what it computes in their place; the others wait. Beside them stands the residual stream, [T, H].</summary>
public abstract record BlockStep
{
    /// <summary>The name in messages: <c>Normalize</c> … <c>Pool</c>.</summary>
    public string Name => GetType().Name[..^"Step".Length];

    /// <summary>The norms that it applies, in order.</summary>
    public virtual IReadOnlyList<NormDescription> Norms => [];

    /// <summary>The other numbers that it reads, in order.</summary>
    public virtual IReadOnlyList<ParameterDescription> Parameters => [];

    /// <summary>Refuses the step.</summary>
    /// <param name="execution">What does not know it.</param>
    public NotSupportedException Unknown(string execution) => new($"The step '{Name}' of a model's description is not one that {execution} computes where it stands.");
}

/// <summary>Norms the stream: a first value [T, H].</summary>
public sealed record NormalizeStep(NormDescription Norm) : BlockStep
{
    /// <inheritdoc/>
    public override IReadOnlyList<NormDescription> Norms => [Norm];
}

/// <summary>Norms every head of the first two values, queries and keys, each on its own.</summary>
/// <param name="Queries">Of the d values of a query head.</param>
/// <param name="Keys">Of the d values of a key head.</param>
public sealed record NormalizeHeadsStep(NormDescription Queries, NormDescription Keys) : BlockStep
{
    /// <inheritdoc/>
    public override IReadOnlyList<NormDescription> Norms => [Queries, Keys];
}

/// <summary>Linear layers with one input: takes [T, K], gives one [T, N_i] for each layer.</summary>
/// <param name="Linears">The layers.</param>
/// <param name="Group">The name under which they are quantized together; null: they stay in full precision.</param>
public sealed record ProjectStep(IReadOnlyList<LinearDescription> Linears, InputGroup? Group = null) : BlockStep
{
    /// <summary>The name of the layer [ΣN_i, K] that some checkpoints store in place of these; null: none does.</summary>
    public string? FusedName { get; init; }
}

/// <summary>Rotates every head of the first two values, queries and keys, by the positions of their rows.</summary>
public sealed record RotateStep : BlockStep;

/// <summary>softmax(Q·Kᵀ/√d)·V: takes queries, keys and values, gives [T, heads · d].</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads; divides <paramref name="Heads"/>.</param>
/// <param name="HeadSize">d.</param>
/// <param name="Span">Which rows a query sees.</param>
public sealed record AttendStep(int Heads, int KeyValueHeads, int HeadSize, AttentionSpan Span) : BlockStep;

/// <summary>Splits the first of queries, keys and values, [T, heads · 2d]: of every head the first d values stay, the others, its output's gates, become a value [T, heads · d] behind the three.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="HeadSize">d.</param>
public sealed record SplitGatesStep(int Heads, int HeadSize) : BlockStep;

/// <summary>x ⊙ σ(gate): takes both, gives one.</summary>
public sealed record GateOutputStep : BlockStep;

/// <summary>A causal convolution of every channel of the first value on its own, then SiLU, in place: row t is SiLU(Σ_j w_j ⊙ x_(t − width + 1 + j)), with zeros before the sequence.</summary>
/// <param name="Weight">The tensor w, [C, 1, width].</param>
/// <param name="Channels">C.</param>
/// <param name="Width">Rows that a row sees, its own included.</param>
public sealed record ConvolveStep(string Weight, int Channels, int Width) : BlockStep
{
    /// <inheritdoc/>
    public override IReadOnlyList<ParameterDescription> Parameters => [new(Weight, Channels, Width)];
}

/// <summary>The gated delta rule (Yang et al., 2025, "Gated Delta Networks"), a memory of constant size in place of keys and values. Takes a, b [T, value heads] and queries, keys and values side by side, gives [T, value heads · d_v].
/// Of every value head S ← γS, then S ← S + k ⊗ β(v − kᵀS), and the result is qᵀS / √d_k, with γ = exp(−exp(A) · softplus(a + offset)), β = σ(b), and q and k of unit length.</summary>
/// <param name="KeyHeads">Query and key heads; divides <paramref name="ValueHeads"/>.</param>
/// <param name="ValueHeads">Value heads; those that follow each other share a key head.</param>
/// <param name="KeySize">d_k.</param>
/// <param name="ValueSize">d_v, a multiple of <see cref="ValueBlock"/>.</param>
/// <param name="Decay">The tensor A, a value for each value head.</param>
/// <param name="Offset">The tensor that is added to a, a value for each value head.</param>
public sealed record DeltaRuleStep(int KeyHeads, int ValueHeads, int KeySize, int ValueSize, string Decay, string Offset) : BlockStep
{
    /// <summary>Values of a head are computed in blocks of so many.</summary>
    public const int ValueBlock = 32;

    /// <summary>What is added under the root of the length of q and k.</summary>
    public const float LengthEpsilon = 1e-6f;

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterDescription> Parameters => [new(Decay, ValueHeads), new(Offset, ValueHeads)];
}

/// <summary>Norms every head of the first value and multiplies it by SiLU(gate): takes both, gives one.</summary>
/// <param name="Norm">Of the d values of a head.</param>
public sealed record NormalizeGatedStep(NormDescription Norm) : BlockStep
{
    /// <inheritdoc/>
    public override IReadOnlyList<NormDescription> Norms => [Norm];
}

/// <summary>SiLU(gate) ⊙ up: takes both, gives one.</summary>
public sealed record GateStep : BlockStep;

/// <summary>A function of every element of the first value.</summary>
public sealed record ActivateStep(Activation Function = Activation.Gelu) : BlockStep;

/// <summary>Takes the first value and adds it to the stream.</summary>
public sealed record AddStep : BlockStep;

/// <summary>Adds to the stream, at the tokens of pictures, what the vision tower has left for this block.</summary>
/// <param name="Level">Which of the rows that it leaves.</param>
public sealed record DeepstackStep(int Level) : BlockStep;

/// <summary>Joins every few rows of the stream to one, for the steps that follow; the stream that others read stays as it is.</summary>
/// <param name="Rows">How many.</param>
public sealed record JoinStreamStep(int Rows) : BlockStep;

/// <summary>Joins every few rows of the first value to one.</summary>
/// <param name="Rows">How many.</param>
public sealed record JoinStep(int Rows) : BlockStep;

/// <summary>Replaces the stream by the means of every two of its rows; an odd last row is dropped.</summary>
public sealed record PoolStep : BlockStep;
