using MASQuant.Formats.Files;

namespace MASQuant.Delivery.Caching;

/// <summary>What quantizing under a key gave. On the wire it is Bazel's <c>ActionResult</c> message, which servers such as bazel-remote check; a path of it begins with the key, so that an answer to another question is recognized.</summary>
/// <param name="Key">Names everything that shapes the artifact.</param>
/// <param name="Files">The artifact and the manifest.</param>
public sealed record ActionResult(string Key, IReadOnlyList<CachedFile> Files)
{
    /// <summary>The most that is read of one.</summary>
    public const int MaxBytes = 1 << 16;

    // build/bazel/remote/execution/v2/remote_execution.proto
    private const int OutputFilesField = 2;
    private const int ExecutionMetadataField = 9;
    private const int WorkerField = 1;
    private const int PathField = 1;
    private const int DigestField = 2;
    private const int HashField = 1;
    private const int SizeField = 2;
    private const string Worker = "masquant"; // Without one, bazel-remote stores the client's address.

    /// <summary>The message's bytes.</summary>
    public byte[] Serialize()
    {
        var message = new ProtobufWriter();
        foreach (var file in Files)
        {
            var digest = new ProtobufWriter().Text(HashField, file.Sha256).Number(SizeField, file.Bytes);
            message.Message(OutputFilesField, new ProtobufWriter().Text(PathField, $"{Key}/{file.Name}").Message(DigestField, digest));
        }

        return message.Message(ExecutionMetadataField, new ProtobufWriter().Text(WorkerField, Worker)).ToArray();
    }

    /// <summary>Reads a message that should hold <paramref name="names"/> under <paramref name="key"/>; null when it is damaged or says anything else.</summary>
    public static ActionResult? Parse(ReadOnlyMemory<byte> message, string key, EntryNames names)
        => TryParse(message, key) is { } result && names.AreThose(result.Files) ? result : null;

    /// <summary>Reads a message whose files may have any names, which then serve as words only; null when it is damaged or another key's.</summary>
    public static ActionResult? TryParse(ReadOnlyMemory<byte> message, string key)
    {
        try
        {
            var files = new List<CachedFile>();
            foreach (var field in ProtobufReader.Fields(message).Where(field => field.Number == OutputFilesField))
            {
                files.Add(File(field.Content, key + "/"));
            }

            return files.Count > 0 ? new ActionResult(key, files) : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static CachedFile File(ReadOnlyMemory<byte> message, string prefix)
    {
        var (path, hash, bytes) = ("", "", 0L);
        foreach (var field in ProtobufReader.Fields(message))
        {
            path = field.Number == PathField ? field.Text : path;
            foreach (var part in field.Number == DigestField ? ProtobufReader.Fields(field.Content) : [])
            {
                hash = part.Number == HashField ? part.Text : hash;
                bytes = part.Number == SizeField ? part.Value : bytes;
            }
        }

        return path.StartsWith(prefix, StringComparison.Ordinal) && ContentHash.IsHash(hash) && bytes >= 0
            ? new CachedFile(path[prefix.Length..], hash, bytes)
            : throw new InvalidDataException("The output is no file of this key.");
    }
}
