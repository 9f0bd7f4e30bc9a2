using System.Text;
using System.Text.Json;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Formats.Models;
using MASQuant.Platform;
using MASQuant.Quantization.Blocks;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Run;

/// <summary>Finished decoder blocks of a run, so that an interrupted one resumes. Blocks of a run with other inputs or options are discarded.</summary>
internal sealed class WorkFolder
{
    private const string KeyFile = "key";
    private readonly string _path;
    private readonly DecoderDescription _decoder;
    private readonly BlockSeals _seals;

    private WorkFolder(string path, DecoderDescription decoder)
    {
        (_path, _decoder, Files) = (path, decoder, new BlockFiles(path));
        _seals = new BlockSeals(Files);
    }

    /// <summary>Opens the folder for a run.</summary>
    /// <param name="path">The folder; created when missing.</param>
    /// <param name="key">Identifies what the run makes.</param>
    /// <param name="decoder">The decoder.</param>
    /// <exception cref="MASQuantException">MASQ0101, MASQ0111: the folder cannot be read or written.</exception>
    public static WorkFolder Open(string path, string key, DecoderDescription decoder)
    {
        var mark = Path.Combine(path, KeyFile);
        if (!File.Exists(mark) || FileBorder.Read(mark, () => FileSystem.Current.ReadAllText(mark)) != key)
        {
            if (Directory.Exists(path))
            {
                FileBorder.Write(path, () => FileSystem.Current.DeleteFolder(path, recursive: true));
            }

            AtomicFile.Write(mark, Encoding.ASCII.GetBytes(key));
        }

        return new WorkFolder(path, decoder);
    }

    /// <summary>The finished blocks' files.</summary>
    public BlockFiles Files { get; }

    /// <summary>A block that an earlier run finished, or null: a damaged one is computed again.</summary>
    public QuantizedBlock? TryRead(int layer, CancellationToken cancellationToken)
    {
        if (!_seals.IsWhole(layer, cancellationToken) || Files.TryReadFacts(layer) is not var (facts, details))
        {
            return null;
        }

        try
        {
            return new QuantizedBlock(LayerFile.Read(Files.Layer(layer), layer, _decoder), facts, details);
        }
        catch (Exception e) when (e is InvalidOperationException or MASQuantException or IOException)
        {
            return null;
        }
    }

    /// <summary>Keeps a finished block, and how long it took.</summary>
    /// <exception cref="MASQuantException">MASQ0111: a file cannot be written.</exception>
    public void Write(QuantizedBlock block, SortedDictionary<string, double> times)
    {
        var layer = block.Layer.Index;
        LayerFile.Write(Files.Layer(layer), block.Layer);
        AtomicFile.Write(Files.Times(layer), FactsFile.Serialize(times, FactsJson.Default.SortedDictionaryStringDouble));
        AtomicFile.Write(Files.Details(layer), FactsFile.Serialize(block.Details, FactsJson.Default.BlockFacts));
        AtomicFile.Write(Files.Facts(layer), JsonSerializer.SerializeToUtf8Bytes(block.Facts, ManifestJson.Default.ManifestLayer));
        _seals.Write(layer);
    }

    /// <summary>The ranks that an earlier run chose, or null.</summary>
    public LayerRanks? TryReadRanks()
        => File.Exists(RanksPath) && FileBorder.Read(RanksPath, () => FileSystem.Current.ReadAllText(RanksPath)).Split(' ', 2) is [var hash, var text] && hash == ContentHash.OfText(text) && LayerRanks.TryParse(text, out var ranks, out _) ? ranks : null;

    /// <summary>Keeps the ranks that were chosen.</summary>
    /// <exception cref="MASQuantException">MASQ0111: the file cannot be written.</exception>
    public void WriteRanks(LayerRanks ranks) => AtomicFile.Write(RanksPath, Encoding.ASCII.GetBytes($"{ContentHash.OfText(ranks.ToString())} {ranks}"));

    /// <summary>Deletes the folder, once the artifact is written.</summary>
    public void Delete() => FileBorder.Write(_path, () => FileSystem.Current.DeleteFolder(_path, recursive: true));

    private string RanksPath => Path.Combine(_path, "ranks");
}
