using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Formats.Models;
using MASQuant.Platform;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;

namespace MASQuant.Quantization.Parts;

/// <summary>A finished part: a folder of its blocks' files, the model's facts and <see cref="PartFile"/>, which has the hashes of all of them.</summary>
public sealed class PartFolder
{
    /// <summary>How the name of a part ends.</summary>
    public const string Suffix = ".masquant.part";

    internal const string FileName = "part.json";
    private const string ModelFile = "model.json";
    private const string PrepareFile = "prepare" + BlockFiles.TimesSuffix;
    private const int MaxLayers = 10_000;

    private readonly PartFile _file;
    private readonly BlockFiles _blocks;

    private PartFolder(string path, PartFile file, Manifest model) => (Path, _file, Model, _blocks) = (path, file, model, new BlockFiles(path));

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>What the manifest says of the model; it lists no blocks.</summary>
    public Manifest Model { get; }

    /// <summary>The key of the artifact that one run over all blocks would make.</summary>
    public string Key => _file.Key;

    /// <summary>The blocks.</summary>
    public BlockRange Blocks => new(_file.First, _file.Last);

    /// <summary>The model's blocks.</summary>
    public int Layers => _file.Layers;

    /// <summary>SHA-256 of the checkpoint's files, by name.</summary>
    public IReadOnlyDictionary<string, string> Checkpoint => _file.Checkpoint;

    /// <summary>The blocks' tensors, in order.</summary>
    public IEnumerable<string> LayerFiles => Indices.Select(_blocks.Layer);

    /// <summary>How long the part took.</summary>
    public RunTimes Times => new()
    {
        Prepare = FactsFile.ReadSeconds(System.IO.Path.Combine(Path, PrepareFile))?.Values.Sum() ?? 0,
        Write = 0,
        Blocks = [.. Indices.Select(_blocks.ReadTimes)],
    };

    private IEnumerable<int> Indices => Enumerable.Range(_file.First, _file.Last - _file.First + 1);

    /// <summary>Reads what a part says of itself; <see cref="FindDamage"/> looks at the rest.</summary>
    /// <exception cref="MASQuantException">MASQ0523: it cannot be read, or contradicts itself.</exception>
    public static PartFolder Open(string path)
    {
        var file = FactsFile.Read(System.IO.Path.Combine(path, FileName), PartJson.Default.PartFile) ?? throw Damaged(path, $"Its {FileName} is missing or cannot be read.");
        if (file.FormatVersion != PartFile.CurrentFormatVersion)
        {
            throw Damaged(path, $"Its format version is {file.FormatVersion}; this version of masquant reads {PartFile.CurrentFormatVersion}.");
        }

        if (!ContentHash.IsHash(file.Key) || file.First < 0 || file.Last < file.First || file.Layers <= file.Last || file.Layers > MaxLayers)
        {
            throw Damaged(path, $"Its {FileName} names an impossible key or range.");
        }

        try
        {
            var model = ManifestFile.Read(System.IO.Path.Combine(path, ModelFile));
            return model.Layers.Count == 0 && ModelName.From(model.Name) == model.Name ? new PartFolder(path, file, model) : throw Damaged(path, $"Its {ModelFile} is none of a part.");
        }
        catch (MASQuantException e) when (e.Code != DiagnosticCodes.PartDamaged)
        {
            throw Damaged(path, e.Description, e);
        }
    }

    /// <summary>Makes a finished run's folder the part. A repeated call, or one that was broken off, gives the same.</summary>
    internal static void Finish(PartPlan plan, string work, Manifest model, double prepareSeconds)
    {
        AtomicFile.Write(System.IO.Path.Combine(work, ModelFile), ManifestFile.Serialize(model with { Layers = [] }));
        AtomicFile.Write(System.IO.Path.Combine(work, PrepareFile), FactsFile.Serialize(new SortedDictionary<string, double> { [nameof(QuantizationStage.Prepare)] = prepareSeconds }, FactsJson.Default.SortedDictionaryStringDouble));
        var file = new PartFile { Key = plan.Key, First = plan.Blocks.First, Last = plan.Blocks.Last, Layers = plan.Layers, Checkpoint = plan.Checkpoint, Files = [] };
        foreach (var name in NamesOf(new BlockFiles(work), file))
        {
            file.Files[name] = ContentHash.OfFile(System.IO.Path.Combine(work, name));
        }

        AtomicFile.Write(System.IO.Path.Combine(work, FileName), FactsFile.Serialize(file, PartJson.Default.PartFile));
        FileBorder.Write(plan.Folder, () =>
        {
            if (Directory.Exists(plan.Folder))
            {
                FileSystem.Current.Delete(System.IO.Path.Combine(plan.Folder, FileName)); // What is left, if this is broken off, is no part.
                FileSystem.Current.DeleteFolder(plan.Folder, recursive: true);
            }

            FileSystem.Current.MoveFolder(work, plan.Folder);
            FileSystem.Current.SyncFolder(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(plan.Folder))!);
        });
    }

    /// <summary>What the manifest and reports say of the blocks, in order.</summary>
    /// <param name="decoder">What the model says of them.</param>
    /// <exception cref="MASQuantException">MASQ0523: it cannot be read, or does not fit the model.</exception>
    public IEnumerable<(ManifestLayer Facts, BlockFacts Details)> ReadFacts(DecoderDescription decoder)
    {
        if (decoder.Blocks.Count != Layers)
        {
            throw Damaged(Path, $"It is of a model of {Layers} blocks; the checkpoint has {decoder.Blocks.Count}.");
        }

        foreach (var layer in Indices)
        {
            var read = _blocks.TryReadFacts(layer) ?? throw Damaged(Path, $"What it says of block {layer} cannot be read.");
            if (PartBlocks.Problem(read.Facts, _blocks.Layer(layer), decoder.Blocks[layer]) is { } problem)
            {
                throw Damaged(Path, problem);
            }

            yield return read;
        }
    }

    /// <summary>What is wrong with the part's files, or null.</summary>
    /// <param name="cancellationToken">Obeyed while files are hashed.</param>
    public MASQuantException? FindDamage(CancellationToken cancellationToken)
    {
        foreach (var name in NamesOf(_blocks, _file))
        {
            var path = System.IO.Path.Combine(Path, name);
            if (!File.Exists(path))
            {
                return Damaged(Path, $"'{name}' is missing.");
            }

            if (!_file.Files.TryGetValue(name, out var hash) || ContentHash.OfFile(path, cancellationToken) != hash)
            {
                return Damaged(Path, $"'{name}' is not what was written.");
            }
        }

        return null;
    }

    private static IEnumerable<string> NamesOf(BlockFiles blocks, PartFile file)
        => Enumerable.Range(file.First, file.Last - file.First + 1)
            .SelectMany(blocks.Results)
            .Select(path => System.IO.Path.GetFileName(path)).Append(ModelFile);

    private static MASQuantException Damaged(string path, string problem, Exception? inner = null)
        => new(DiagnosticCodes.PartDamaged, path, $"The part is damaged: {problem} Copy it again, or delete it and run its 'masquant quantize --blocks' again.", inner);
}
