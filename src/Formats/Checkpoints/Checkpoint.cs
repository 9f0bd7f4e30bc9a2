using System.Diagnostics.CodeAnalysis;
using MASQuant.Diagnostics;
using MASQuant.Formats.Files;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Platform;

namespace MASQuant.Formats.Checkpoints;

/// <summary>A folder as it stands on the hub: <c>model.safetensors</c>, or <c>model.safetensors.index.json</c> with its shards, and the JSON files beside them. Tensors bear their canonical names (see <see cref="TensorNames"/>).</summary>
public sealed class Checkpoint : IModelSource
{
    /// <summary>The file name of weights that are not sharded.</summary>
    public const string SingleFileName = "model.safetensors";

    /// <summary>The largest JSON file that is read.</summary>
    public const int MaxTextBytes = 1 << 27;

    private readonly Dictionary<string, (SafetensorsFile File, string StoredName, TensorInfo Tensor)> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsFile> _files = new(StringComparer.Ordinal);

    private readonly ModelFamilies _families;

    // JSON has none; some editors write it.
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private Checkpoint(string folder, ModelFamilies families) => (Path, _families) = (folder, families);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public ModelFamily Family => _families.Of(this);

    /// <inheritdoc/>
    public IReadOnlyCollection<TensorInfo> Tensors { get; private set; } = [];

    /// <summary>Maps the weights of <paramref name="folder"/> and checks every header.</summary>
    /// <param name="folder">The folder. Without <c>config.json</c>, or with one of an unknown architecture, tensors keep their names.</param>
    /// <param name="families">The families to recognise; null for the supported ones.</param>
    /// <exception cref="MASQuantException">MASQ0101 … MASQ0106 and MASQ0110: unreadable, malformed or missing files.</exception>
    public static Checkpoint Open(string folder, ModelFamilies? families = null)
    {
        var checkpoint = new Checkpoint(folder, families ?? ModelFamilies.Known);
        try
        {
            checkpoint.OpenFiles();
            checkpoint.Tensors = [.. checkpoint._tensors.Values.Select(t => t.Tensor).OrderBy(t => t.Name, StringComparer.Ordinal)];
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out TensorInfo? tensor)
    {
        tensor = _tensors.TryGetValue(name, out var found) ? found.Tensor : null;
        return tensor is not null;
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Bytes(string name)
        => _tensors.TryGetValue(name, out var found) ? found.File.Bytes(found.StoredName) : throw TensorReading.Missing(this, name);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Bytes(string name, long offset, int count)
        => _tensors.TryGetValue(name, out var found) ? found.File.Bytes(found.StoredName, offset, count) : throw TensorReading.Missing(this, name);

    /// <inheritdoc/>
    public void Discard(string name)
    {
        var (file, stored, _) = _tensors.TryGetValue(name, out var found) ? found : throw TensorReading.Missing(this, name);
        file.Discard(stored);
    }

    /// <inheritdoc/>
    public bool TryReadFile(string fileName, out ReadOnlyMemory<byte> content) => TryReadFile(Path, fileName, out content);

    /// <inheritdoc/>
    public void RequireWhole()
    {
        foreach (var file in _files.Values)
        {
            file.RequireWhole();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file.Dispose();
        }
    }

    /// <summary>Reads a JSON file of a checkpoint's folder whose weights need not be there.</summary>
    public static bool TryReadFile(string folder, string fileName, out ReadOnlyMemory<byte> content)
    {
        var path = System.IO.Path.Combine(folder, fileName);
        content = default;
        if (!File.Exists(path))
        {
            return false;
        }

        content = FileBorder.Read(path, () => Text(path));
        return true;
    }

    private static ReadOnlyMemory<byte> Text(string path)
    {
        RegularFile.Require(path);
        var length = LinkedFile.Length(path);
        if (length > MaxTextBytes)
        {
            throw new MASQuantException(DiagnosticCodes.FileNotReadable, path, $"The file has {length} bytes, more than the {MaxTextBytes} that such a file may have. Replace it by the one of the checkpoint's repository.");
        }

        var bytes = FileSystem.Current.ReadAllBytes(path);
        LfsPointer.Refuse(bytes, path);
        return bytes.AsSpan().StartsWith(ByteOrderMark) ? bytes.AsMemory(ByteOrderMark.Length) : bytes;
    }

    private void OpenFiles()
    {
        if (TryReadFile(CheckpointIndex.FileName, out var json) && CheckpointIndex.Parse(json, System.IO.Path.Combine(Path, CheckpointIndex.FileName)) is var index && !IsStale(index))
        {
            AddAll(index.Keys, stored => OpenShard(index[stored]));
        }
        else if (File.Exists(System.IO.Path.Combine(Path, SingleFileName)))
        {
            var file = OpenFile(SingleFileName);
            AddAll([.. file.Tensors.Select(tensor => tensor.Name)], _ => file);
        }
        else
        {
            throw ForeignCheckpoint.Missing(Path);
        }
    }

    private void AddAll(IReadOnlyCollection<string> storedNames, Func<string, SafetensorsFile> fileOf)
    {
        foreach (var (stored, name) in TensorNames().Map(storedNames))
        {
            Add(name, stored, fileOf(stored));
        }

        ForeignCheckpoint.Refuse(Path, storedNames, _tensors.Keys);
        ForeignCheckpoint.RefuseAdapterBeside(Path);
    }

    // Saving into a folder that held shards leaves their index beside the new file.
    private bool IsStale(SortedDictionary<string, string> index)
    {
        if (!File.Exists(System.IO.Path.Combine(Path, SingleFileName)) || index.ContainsValue(SingleFileName))
        {
            return false;
        }

        return !index.Values.All(shard => File.Exists(System.IO.Path.Combine(Path, shard))) ? true : throw new MASQuantException(DiagnosticCodes.CheckpointIndexInvalid, Path,
            $"The folder holds the weights twice: {SingleFileName}, and the shards of {CheckpointIndex.FileName}. Remove those that are out of date: the shards with their index, or the single file.");
    }

    private TensorNames TensorNames() => _families.TryOf(this)?.TensorNames ?? Models.TensorNames.Canonical;

    private void Add(string name, string storedName, SafetensorsFile file)
    {
        if (!file.TryGet(storedName, out var tensor))
        {
            throw new MASQuantException(DiagnosticCodes.CheckpointIndexInvalid, file.Path,
                $"The index places tensor '{storedName}' in this shard, which lacks it. Take the index and all shards from the same revision of the checkpoint.");
        }

        if (!_tensors.TryAdd(name, (file, storedName, tensor with { Name = name })))
        {
            throw new MASQuantException(DiagnosticCodes.CheckpointIndexInvalid, file.Path,
                $"Tensor '{storedName}' stands for '{name}', which the checkpoint holds under another name too. Export the checkpoint again.");
        }
    }

    private SafetensorsFile OpenShard(string shard)
        => File.Exists(System.IO.Path.Combine(Path, shard))
            ? OpenFile(shard)
            : throw new MASQuantException(DiagnosticCodes.ShardMissing, System.IO.Path.Combine(Path, shard),
                $"Shard '{shard}', which the index names, is missing. Download every file of the checkpoint.");

    private SafetensorsFile OpenFile(string name)
    {
        if (!_files.TryGetValue(name, out var file))
        {
            file = SafetensorsFile.Open(System.IO.Path.Combine(Path, name));
            _files.Add(name, file);
        }

        return file;
    }
}
