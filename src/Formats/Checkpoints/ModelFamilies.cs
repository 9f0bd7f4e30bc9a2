using MASQuant.Diagnostics;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Models.Qwen2VL;
using MASQuant.Formats.Models.Qwen35;
using MASQuant.Formats.Models.Qwen3VL;

namespace MASQuant.Formats.Checkpoints;

/// <summary>The families that are recognised by the <c>model_type</c> of <c>config.json</c>.</summary>
/// <param name="all">In the order in which messages name them.</param>
public sealed class ModelFamilies(IReadOnlyList<ModelFamily> all)
{
    private const string ModelType = "model_type";

    /// <summary>The supported families. This line registers a family.</summary>
    public static ModelFamilies Known { get; } = new([new Qwen2VL(), new Qwen25VL(), new Qwen3VL(), new Qwen35(), new Qwen25Omni()]);

    /// <summary>Each family once.</summary>
    public IReadOnlyList<ModelFamily> All { get; } = all;

    /// <summary>The families' names for people: <c>A, B or C</c>.</summary>
    /// <param name="conjunction">Stands before the last: <c>or</c>, <c>and</c>.</param>
    /// <param name="takes">Only families that take this modality.</param>
    public string Names(string conjunction, Modality takes = Modality.Text) => Names(conjunction, family => family.Modalities.Contains(takes));

    /// <summary>The names for people of the families that <paramref name="among"/> accepts.</summary>
    public string Names(string conjunction, Func<ModelFamily, bool> among) => Enumerate(conjunction, All.Where(among).Select(family => family.DisplayName));

    /// <summary>The family of a model.</summary>
    /// <exception cref="MASQuantException">MASQ0201 <c>config.json</c> is malformed, MASQ0202 of no known architecture, MASQ0204 missing.</exception>
    public ModelFamily Of(IModelSource source)
    {
        var file = Path.Combine(source.Path, ModelConfigReader.FileName);
        return ConfigSection.Read(source.ReadFile(ModelConfigReader.FileName), file, root => Recognize(root, file));
    }

    /// <summary>The family of a model; null when it has no <c>config.json</c>, or one of no known architecture.</summary>
    /// <exception cref="MASQuantException">MASQ0201: the file is malformed.</exception>
    public ModelFamily? TryOf(IModelSource source) => source.TryReadFile(ModelConfigReader.FileName, out var json)
        ? ConfigSection.Read(json, Path.Combine(source.Path, ModelConfigReader.FileName), root => Find(root.Text(ModelType)))
        : null;

    /// <summary>The family whose configuration <paramref name="root"/> is; <paramref name="file"/> is the name for messages.</summary>
    /// <exception cref="MASQuantException">MASQ0202: there is none.</exception>
    public ModelFamily Recognize(ConfigSection root, string file)
    {
        var type = root.Text(ModelType);
        return Find(type) ?? throw new MASQuantException(DiagnosticCodes.ArchitectureUnknown, file,
            $"The architecture '{type ?? $"(no {ModelType})"}' is not supported. Use a {Enumerate("or", All.Select(family => $"{family.DisplayName} ({family.ModelTypes[0]})"))} checkpoint.");
    }

    private ModelFamily? Find(string? modelType) => All.FirstOrDefault(family => family.ModelTypes.Contains(modelType));

    private static string Enumerate(string conjunction, IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Length < 2 ? string.Concat(all) : $"{string.Join(", ", all[..^1])} {conjunction} {all[^1]}";
    }
}
