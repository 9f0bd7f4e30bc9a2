using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MASQuant.Engine.Models;

/// <summary>What a medium is, in place of its bytes: SHA-256 of its files and of how they are cut into tokens.</summary>
internal static class MediumHash
{
    /// <summary>The medium with its hash, and those of a video's frames, which are read again when they are decoded.</summary>
    public static CountedMedium Of(CountedMedium medium, ModelLimits limits, CancellationToken cancellationToken = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var sound = medium.Sound is null ? null : Of(medium.Sound, limits, cancellationToken);
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{medium.Part.GetType().Name} {medium.Limits} {string.Join(' ', medium.Extents)} {sound?.Hash}\n")));
        if (medium.Part is not VideoPart video)
        {
            return medium with { Hash = Finish(medium.File) };
        }

        var frames = new byte[video.Frames.Count][];
        for (var i = 0; i < frames.Length; i++)
        {
            frames[i] = SHA256.HashData((i == 0 ? medium.File : video.Frames[i].Read(limits, cancellationToken)).Span);
            hash.AppendData(frames[i]);
        }

        return medium with { Sound = sound, FrameHashes = frames, Hash = Finish(default) };

        string Finish(ReadOnlyMemory<byte> file)
        {
            hash.AppendData(file.Span);
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }
}
