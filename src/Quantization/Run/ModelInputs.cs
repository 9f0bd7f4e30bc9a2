using MASQuant.Formats.Files;
using MASQuant.Platform;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Quantization.Run;

/// <summary>The files whose contents shape an artifact.</summary>
public static class ModelInputs
{
    private const long SmallFiles = 1 << 26; // tokenizer and manifest
    private static readonly string[] CheckpointPatterns = ["*.safetensors", "*.json", "*.txt"];

    /// <summary>The checkpoint's files, sorted by name.</summary>
    public static IReadOnlyList<string> OfCheckpoint(string folder)
        => FileBorder.Read<string[]>(folder, () => [.. CheckpointPatterns.SelectMany(pattern => FileSystem.Current.Files(folder, pattern)).Select(file => Path.Combine(folder, file.Name)).Order(StringComparer.Ordinal)]);

    /// <summary>The bytes of a checkpoint's weights; of links those of the files that they lead to.</summary>
    public static long WeightBytes(string folder) => FileBorder.Read(folder, () => FileSystem.Current.Files(folder, "*.safetensors").Sum(file => LinkedFile.Length(file.FullName)));

    /// <summary>More bytes than an artifact of the checkpoint has, whatever its options: patches of full rank for two modalities in FP32 weigh four times BF16 weights.</summary>
    public static long MostArtifactBytes(string folder)
        => SmallFiles + (6 * WeightBytes(folder));

    /// <summary>The media files of conversations, sorted. Lines that are no conversations, and those whose media are missing or leave the file's folder, are left to whoever uses them, and refuses them: whatever they name is not read.</summary>
    public static IReadOnlyList<string> OfConversations(string file)
        => [.. ConversationFile.ReadValid(file).SelectMany(conversation => conversation.Media).Select(medium => medium.Path!).Distinct().Order(StringComparer.Ordinal)];
}
