using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Platform;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;

namespace MASQuant.Quantization.Parts;

/// <summary>Parts that are one model: of one key, every block exactly once.</summary>
public sealed class PartSet
{
    private PartSet(IReadOnlyList<PartFolder> parts) => Parts = parts;

    /// <summary>The parts, in the order of their blocks.</summary>
    public IReadOnlyList<PartFolder> Parts { get; }

    /// <summary>What the manifest says of the model; it lists no blocks.</summary>
    public Manifest Model => Parts[0].Model;

    /// <summary>The ranges, in order.</summary>
    public IReadOnlyList<BlockRange> Ranges => [.. Parts.Select(part => part.Blocks)];

    /// <summary>The key of what the parts make: that of the undivided run where there is one part, else its own.</summary>
    public string Key => Parts.Count == 1 ? Parts[0].Key : ArtifactKey.OfParts(Parts[0].Key, Ranges);

    /// <summary>Finds parts and checks that they are one model.</summary>
    /// <param name="paths">Parts, and folders with parts in them; the order means nothing.</param>
    /// <param name="cancellationToken">Obeyed while files are hashed.</param>
    /// <exception cref="MASQuantException">MASQ0520 a block is missing, MASQ0521 a block is there twice, MASQ0522 parts of different runs, MASQ0523 a part is damaged.</exception>
    public static PartSet Open(IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        PartFolder[] parts = [.. Find(paths).Select(PartFolder.Open).OrderBy(part => part.Blocks.First).ThenBy(part => part.Blocks.Last).ThenBy(part => part.Path, StringComparer.Ordinal)];
        foreach (var part in parts)
        {
            if (PartDifference.Between(parts[0], part) is { } difference)
            {
                throw new MASQuantException(DiagnosticCodes.PartForeign, part.Path, $"The part is of another run than '{parts[0].Path}': {difference} Name the parts of one run, or quantize the others again with the same command.");
            }
        }

        CheckBlocks(parts);
        foreach (var part in parts)
        {
            if (part.FindDamage(cancellationToken) is { } damage)
            {
                throw damage;
            }
        }

        return new PartSet(parts);
    }

    /// <summary>Refuses another checkpoint than the one that was quantized.</summary>
    /// <param name="folder">The checkpoint's folder.</param>
    /// <param name="contentHash">The SHA-256 of a file's content.</param>
    /// <exception cref="MASQuantException">MASQ0522.</exception>
    public void CheckCheckpoint(string folder, Func<string, string> contentHash)
    {
        var known = Parts[0].Checkpoint;
        var files = ModelInputs.OfCheckpoint(folder).ToDictionary(file => Path.GetFileName(file));
        if (known.Keys.Concat(files.Keys).Order(StringComparer.Ordinal).FirstOrDefault(name => !files.TryGetValue(name, out var file) || !known.TryGetValue(name, out var hash) || contentHash(file) != hash) is { } other)
        {
            throw new MASQuantException(DiagnosticCodes.PartForeign, folder, $"The parts were made from another checkpoint: '{other}' differs. Give the folder that their jobs were given.");
        }
    }

    private static void CheckBlocks(PartFolder[] parts)
    {
        var next = 0;
        foreach (var (i, part) in parts.Index())
        {
            if (part.Blocks.First < next)
            {
                throw new MASQuantException(DiagnosticCodes.PartDouble, part.Path, $"Block {part.Blocks.First} is in '{parts[i - 1].Path}' as well. Name the parts of one division, or delete the others.");
            }

            CheckMissing(parts, new BlockRange(next, part.Blocks.First - 1));
            next = part.Blocks.Last + 1;
        }

        CheckMissing(parts, new BlockRange(next, parts[0].Layers - 1));
    }

    private static void CheckMissing(PartFolder[] parts, BlockRange gap)
    {
        if (gap.First <= gap.Last)
        {
            throw new MASQuantException(DiagnosticCodes.PartMissing, Path.GetDirectoryName(parts[0].Path), $"{(gap.First == gap.Last ? "Block" : "Blocks")} {gap} of {parts[0].Model.Name} {(gap.First == gap.Last ? "is" : "are")} in no part. Wait for their job, or run it: the same command with '--blocks {gap}'.");
        }
    }

    private static IEnumerable<string> Find(IReadOnlyList<string> paths)
    {
        var found = paths.SelectMany(path => IsPart(path) ? [path] : Directory.Exists(path) ? FileSystem.Current.Folders(path, "*" + PartFolder.Suffix).Select(folder => System.IO.Path.Combine(path, folder.Name)).Where(IsPart) : [])
            .Select(path => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))).Distinct(StringComparer.Ordinal).ToArray();
        foreach (var path in paths)
        {
            if (!IsPart(path) && !found.Any(part => Path.GetDirectoryName(part) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))))
            {
                throw new MASQuantException(DiagnosticCodes.PartMissing, path, $"There is no part here. Name a folder that ends in {PartFolder.Suffix}, or one that holds such folders.");
            }
        }

        return found;
    }

    private static bool IsPart(string path) => Path.TrimEndingDirectorySeparator(path).EndsWith(PartFolder.Suffix, StringComparison.Ordinal) && Directory.Exists(path);
}
