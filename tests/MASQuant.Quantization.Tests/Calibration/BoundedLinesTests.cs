using MASQuant.Quantization.Calibration;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Calibration;

public sealed class BoundedLinesTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    // Parts as long as the reader's buffer, or nearly, so that ends of lines fall on its end.
    [Fact]
    public void Lines_are_those_of_the_system()
    {
        string[] parts = ["\r", "\n", "\r\n", "a", "é😀", new('x', 4095), new('y', 4096)];
        var random = new Random(5);
        for (var trial = 0; trial < 300; trial++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => parts[random.Next(parts.Length)]));
            File.WriteAllText(_folder.File("lines"), text);
            Assert.Equal(File.ReadLines(_folder.File("lines")), BoundedLines.Read(_folder.File("lines"), int.MaxValue - 1));
        }
    }

    [Fact]
    public void Of_a_longer_line_there_is_its_beginning()
    {
        File.WriteAllText(_folder.File("lines"), $"{new string('a', 10)}\n{new string('b', 11)}\n{new string('c', 20_000)}\nd");
        Assert.Equal([new('a', 10), new('b', 11), new('c', 11), "d"], BoundedLines.Read(_folder.File("lines"), 10));
    }
}
