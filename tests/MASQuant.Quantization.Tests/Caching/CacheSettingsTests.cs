using MASQuant.Delivery.Caching;
using MASQuant.Diagnostics;

namespace MASQuant.Quantization.Tests.Caching;

public class CacheSettingsTests
{
    [Fact]
    public void Empty_properties_mean_their_default()
    {
        var settings = CacheSettings.Read(new Dictionary<string, string> { ["MASQuantCache"] = "", ["MASQuantRemoteCache"] = " " }, "/project/App.csproj");
        Assert.Equal((CacheFolder.Default(), 50_000_000_000, null), (settings.Folder?.Path, settings.MaxBytes, settings.Remote));
        Assert.Equal(CacheFolder.Name, Path.GetFileName(CacheFolder.Default()));
    }

    [Fact]
    public void Properties_are_read()
    {
        var settings = CacheSettings.Read(new Dictionary<string, string>
        {
            ["MASQuantCacheDirectory"] = "../cache",
            ["MASQuantCacheMaxBytes"] = "1.5GB",
            ["MASQuantRemoteCache"] = "https://host:81/a/b",
            ["MASQuantRemoteCacheReadOnly"] = "true",
            ["MASQuantRemoteCacheTimeout"] = "0.5",
        }, "/project/App.csproj");
        Assert.Equal((Path.GetFullPath("/cache"), 1_500_000_000), (settings.Folder!.Path, settings.MaxBytes));
        Assert.Equal(("https://host:81/a/b/", true, 0.5), (settings.Remote!.Display, settings.Remote.ReadOnly, settings.Remote.Timeout.TotalSeconds));
        Assert.Null(CacheSettings.Read(new Dictionary<string, string> { ["MASQuantCache"] = "false" }, "App.csproj").Folder);
    }

    [Theory]
    [InlineData("MASQuantCache", "no")]
    [InlineData("MASQuantCacheMaxBytes", "many")]
    [InlineData("MASQuantCacheMaxBytes", "-1")]
    [InlineData("MASQuantCacheMaxBytes", "1e30")]
    [InlineData("MASQuantRemoteCache", "host/prefix")]
    [InlineData("MASQuantRemoteCache", "file:///etc")]
    [InlineData("MASQuantRemoteCache", "ftp://host")]
    [InlineData("MASQuantRemoteCache", "https://user:pa55word@host")]
    [InlineData("MASQuantRemoteCache", "https://host?token=pa55word")]
    [InlineData("MASQuantRemoteCacheReadOnly", "1")]
    [InlineData("MASQuantRemoteCacheTimeout", "0")]
    [InlineData("MASQuantRemoteCacheTimeout", "-1")]
    [InlineData("MASQuantRemoteCacheTimeout", "1,5")]
    [InlineData("MASQuantRemoteCacheTimeout", "99999")]
    public void A_value_that_is_not_allowed_names_its_property_and_keeps_secrets(string name, string value)
    {
        var error = Assert.Throws<MASQuantException>(() => CacheSettings.Read(new Dictionary<string, string> { [name] = value }, "App.csproj"));
        Assert.Equal((DiagnosticCodes.CacheSettingNotAllowed, "App.csproj"), (error.Code, error.File));
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("pa55word", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", 0, "0 B")]
    [InlineData("999", 999, "999 B")]
    [InlineData("20 kb", 20_000, "20.0 KB")]
    [InlineData("1.5TB", 1_500_000_000_000, "1.5 TB")]
    [InlineData("20GB", 20_000_000_000, "20.0 GB")]
    public void Bytes_are_read_and_written_as_people_do(string text, long bytes, string written)
        => Assert.Equal((bytes, written), (ByteCount.Read(text), ByteCount.Write(bytes)));
}
