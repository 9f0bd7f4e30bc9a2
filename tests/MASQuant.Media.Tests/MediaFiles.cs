using System.Buffers.Binary;
using System.Runtime.InteropServices;
using MASQuant.Engine.Vision.Images;
using MASQuant.Tests;

namespace MASQuant.Media.Tests;

/// <summary>The files of the Fixtures folder, and what other programs decode them to.</summary>
internal static class MediaFiles
{
    private static readonly string Folder = Path.Combine(RepositoryFiles.Root, "tests", "MASQuant.Media.Tests", "Fixtures");

    public static TheoryData<string> Names(params string[] endings)
        => [.. Directory.GetFiles(Folder).Where(file => endings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal))).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    public static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(Folder, name));

    /// <summary>The pixels that Pillow makes of a picture.</summary>
    public static RgbImage Pixels(string name)
    {
        var png = Path.ChangeExtension(name, ".png");
        return ImageDecoder.Decode(Read(png), png);
    }

    /// <summary>The samples that ffmpeg makes of a clip, channel after channel, in 16 bits.</summary>
    public static (int Rate, int Channels, short[] Samples) Samples(string name)
    {
        var file = Read(Path.ChangeExtension(name, ".wav"));
        var data = file.AsSpan().IndexOf("data"u8);
        return (BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(24)), file[22], MemoryMarshal.Cast<byte, short>(file.AsSpan((data + 8)..)).ToArray());
    }
}
