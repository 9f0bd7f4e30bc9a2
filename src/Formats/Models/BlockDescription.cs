using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Models;

/// <summary>A block of a decoder or a tower: its steps in order, and where its tensors are. Every execution reads this; what it adds is how a step is computed.</summary>
public sealed class BlockDescription
{
    /// <summary>Describes a block.</summary>
    /// <param name="prefix">What precedes the names of its tensors, for example <c>model.layers.3.</c>.</param>
    /// <param name="steps">The steps, in order.</param>
    public BlockDescription(string prefix, IReadOnlyList<BlockStep> steps)
    {
        (Prefix, Steps) = (prefix, steps);
        Norms = [.. steps.SelectMany(step => step.Norms)];
        Parameters = [.. steps.SelectMany(step => step.Parameters)];
        Projections = [.. steps.OfType<ProjectStep>()];
        Groups = [.. Projections.Where(step => step.Group is not null).Select(step => step.Group!.Value)];
        Linears = [.. Projections.Where(step => step.Group is not null)
            .SelectMany(step => step.Linears.Select(linear => new DecoderLinear(linear.Name, step.Group!.Value, linear.Outputs, linear.Inputs)))];
    }

    /// <summary>What precedes the names of the block's tensors.</summary>
    public string Prefix { get; }

    /// <summary>The steps, in order.</summary>
    public IReadOnlyList<BlockStep> Steps { get; }

    /// <summary>The norms, in the order of their steps.</summary>
    public IReadOnlyList<NormDescription> Norms { get; }

    /// <summary>The other numbers that steps read, in the order of their steps.</summary>
    public IReadOnlyList<ParameterDescription> Parameters { get; }

    /// <summary>The steps of linear layers, in order.</summary>
    public IReadOnlyList<ProjectStep> Projections { get; }

    /// <summary>The input groups, in order.</summary>
    public IReadOnlyList<InputGroup> Groups { get; }

    /// <summary>The layers of all input groups, in order.</summary>
    public IReadOnlyList<DecoderLinear> Linears { get; }

    /// <summary>The layers of an input group, in order.</summary>
    public IReadOnlyList<DecoderLinear> LinearsOf(InputGroup group) => [.. Linears.Where(linear => linear.Group == group)];
}
