using System.Collections.Generic;
using System.Linq;

namespace MASQuant.Generators;

/// <summary>Everything of a manifest that reaches generated code. Equal for manifests that generate the same.</summary>
internal sealed record ModelSpec
{
    public required string Name { get; init; }

    /// <summary>The checkpoint's folder name, for documentation.</summary>
    public required string Source { get; init; }

    public required bool Quantized { get; init; }

    /// <summary>The artifact's file name.</summary>
    public required string Artifact { get; init; }

    public required long ArtifactBytes { get; init; }

    public required string Family { get; init; }

    public required string Scheme { get; init; }

    /// <summary>The integer constants of the class, by name.</summary>
    public required EquatableArray<Fact> Facts { get; init; }

    public required EquatableArray<LayerSpec> Layers { get; init; }

    /// <summary>Whether answers are sampled as the checkpoint recommends, unless options say otherwise: the item's metadata, not the manifest's.</summary>
    public bool RecommendedSampling { get; init; }
}

/// <summary>An integer constant with its documentation.</summary>
internal sealed record Fact(string Name, int Value, string Summary);

/// <summary>One decoder block.</summary>
internal sealed record LayerSpec(int Index, EquatableArray<LinearSpec> Linears)
{
    /// <summary>The linears by the module they belong to (<c>self_attn</c>, <c>mlp</c>), in order.</summary>
    public IEnumerable<IGrouping<string, LinearSpec>> Modules => Linears.GroupBy(linear => linear.Module);
}

/// <summary>One quantized linear layer.</summary>
internal sealed record LinearSpec
{
    /// <summary><c>self_attn.q_proj</c> … <c>mlp.down_proj</c>.</summary>
    public required string Name { get; init; }

    public required string Group { get; init; }

    public required int Outputs { get; init; }

    public required int Inputs { get; init; }

    public required string Scheme { get; init; }

    public required long Bytes { get; init; }

    public required int RankVision { get; init; }

    public required int RankAudio { get; init; }

    public required EquatableArray<SqnrSpec> Sqnr { get; init; }

    public string Module => Name.Substring(0, Name.IndexOf('.'));

    public string Member => Name.Substring(Name.IndexOf('.') + 1);
}

/// <summary>A layer's output SQNR in dB for one modality, without and with the patch.</summary>
internal sealed record SqnrSpec(string Modality, double Before, double After);
