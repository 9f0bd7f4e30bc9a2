using System.Security.Cryptography;

namespace MASQuant.Cli.Tests.Faults;

/// <summary>The files of a model in an output folder, each by its hash: absent, an old model's, or the new one's; never others, and never of two models.</summary>
internal sealed class ModelFolder
{
    private static readonly string[] Names = ["Tiny.masquant.facts.json", "Tiny.masquant.json", "Tiny.masquant.safetensors"]; // Times differ.
    private readonly string?[] _hashes;

    private ModelFolder(string?[] hashes) => _hashes = hashes;

    public static ModelFolder Of(string folder) => new([.. Names.Select(name => Path.Combine(folder, name)).Select(file => File.Exists(file) ? Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))) : null)]);

    /// <summary>Whether all files are there and those of another.</summary>
    public bool Is(ModelFolder other) => _hashes.SequenceEqual(other._hashes);

    /// <summary>Whether what is there is of one model, the old or the new.</summary>
    public bool IsPartOf(params ModelFolder[] models) => models.Any(model => _hashes.Index().All(hash => hash.Item is null || hash.Item == model._hashes[hash.Index]));

    public override string ToString() => string.Join(' ', _hashes.Select(hash => hash?[..6] ?? "absent"));
}
