using System.Text.Json.Serialization;
using MASQuant.Formats.Files;
using MASQuant.Quantization.Facts;

namespace MASQuant.Quantization.Run;

/// <summary>SHA-256 of a finished block's files, by name, written last: a block without a seal is not finished, one that differs from it is damaged.</summary>
/// <param name="files">The blocks' files.</param>
internal sealed class BlockSeals(BlockFiles files)
{
    /// <summary>Seals a block whose files are written.</summary>
    /// <exception cref="MASQuantException">MASQ0111: the seal cannot be written.</exception>
    public void Write(int layer)
        => AtomicFile.Write(files.Seal(layer), FactsFile.Serialize(new SortedDictionary<string, string>(files.Results(layer).ToDictionary(Name, file => ContentHash.OfFile(file)), StringComparer.Ordinal), SealJson.Default.SortedDictionaryStringString));

    /// <summary>Whether a block is finished, and every byte of it as it was written.</summary>
    public bool IsWhole(int layer, CancellationToken cancellationToken)
        => FactsFile.Read(files.Seal(layer), SealJson.Default.SortedDictionaryStringString) is { } hashes
            && files.Results(layer).All(file => File.Exists(file) && hashes.TryGetValue(Name(file), out var hash) && ContentHash.OfFile(file, cancellationToken) == hash);

    private static string Name(string file) => Path.GetFileName(file);
}

/// <summary>Reads and writes seals without reflection.</summary>
[JsonSerializable(typeof(SortedDictionary<string, string>))]
internal sealed partial class SealJson : JsonSerializerContext;
