using MASQuant.Engine.Vision.Images;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Vision;

/// <summary>The image files of the Fixtures folder and the pixels that Pillow makes of them.</summary>
internal static class ImageFixture
{
    private static readonly string Folder = Path.Combine(RepositoryFiles.Root, "tests", "MASQuant.Engine.Tests", "Vision", "Fixtures");

    public static TheoryData<string> Names(string pattern) => [.. Directory.GetFiles(Folder, pattern).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    public static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(Folder, name));

    public static RgbImage Decode(string name) => ImageDecoder.Decode(Read(name), name);

    /// <summary>Reads a binary PPM file: <c>P6 width height 255</c>, then the pixels.</summary>
    public static RgbImage ReadPpm(string name)
    {
        var file = Read(name);
        var (numbers, position) = (new int[3], 2);
        for (var i = 0; i < 3; i++, position++)
        {
            while (char.IsWhiteSpace((char)file[position]))
            {
                position++;
            }

            for (; char.IsAsciiDigit((char)file[position]); position++)
            {
                numbers[i] = (numbers[i] * 10) + file[position] - '0';
            }

            position--;
        }

        return new RgbImage(numbers[0], numbers[1], file[(position + 1)..]);
    }

    /// <summary>That <paramref name="action"/> refuses a file of a few kilobytes without making room for what its header promises.</summary>
    public static void AssertAllocatesLittle(Action action)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
    }

    public static void AssertEqual(RgbImage expected, RgbImage actual)
    {
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        for (var i = 0; i < expected.Pixels.Length; i++)
        {
            var (x, y) = (i / 3 % expected.Width, i / 3 / expected.Width);
            Assert.True(expected.Pixels[i] == actual.Pixels[i], $"pixel ({x}, {y}), channel {i % 3}: {actual.Pixels[i]} is not {expected.Pixels[i]}");
        }
    }
}
