using MASQuant.Formats.Files;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Safetensors;

public sealed class LfsPointerTests : IDisposable
{
    private const string Version = "version https://git-lfs.github.com/spec/v1\n";
    private static readonly string Hash = new('a', 64);

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("oid sha256:{0}\nsize 7\n")]
    [InlineData("ext-0-packed sha256:0\noid sha256:{0}\nsize 7\n")]
    public void A_pointer_says_what_file_it_stands_for(string lines)
        => Assert.Equal(Hash, Read(Version + string.Format(System.Globalization.CultureInfo.InvariantCulture, lines, Hash)));

    [Theory]
    [InlineData("oid sha256:{0}\nsize 7\n", false)] // another first line
    [InlineData("oid sha256:{0}", true)] // cut off
    [InlineData("oid sha256:{0}a\nsize 7\n", true)] // too long
    [InlineData("oid sha1:{0}\nsize 7\n", true)]
    [InlineData("size 7\n", true)]
    public void What_only_looks_like_a_pointer_is_none(string lines, bool version)
        => Assert.Null(Read((version ? Version : "version 2\n") + string.Format(System.Globalization.CultureInfo.InvariantCulture, lines, Hash)));

    [Fact]
    public void A_pointer_is_smaller_than_a_kilobyte() => Assert.Null(Read($"{Version}oid sha256:{Hash}\n".PadRight(1024, '\n')));

    private string? Read(string content)
    {
        File.WriteAllText(_folder.File("file"), content);
        return LfsPointer.ReadSha256(new FileInfo(_folder.File("file")));
    }
}
