using System.Net;
using System.Net.Sockets;
using System.Text;
using MASQuant.Build.Tests.Packages;
using MASQuant.Tests;

namespace MASQuant.Build.Tests.Repository;

/// <summary>NuGet's audit with the settings of Directory.Build.props, against a feed that knows a package of ours as vulnerable.</summary>
[Trait("Lane", "build")]
public sealed class AuditTests : IDisposable
{
    private const string AsErrors = "-p:WarningsNotAsErrors="; // what the build script's audit says
    private readonly TemporaryDirectory _folder = new();

    public AuditTests()
    {
        File.Copy(Path.Combine(RepositoryFiles.Root, "Directory.Build.props"), _folder.File("Directory.Build.props"));
        File.WriteAllText(_folder.File("Small.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <ItemGroup>
                <PackageReference Include="MASQuant.Runtime" Version="{PackedPackages.Version}" />
              </ItemGroup>
            </Project>
            """);
    }

    [Fact]
    public void Without_a_feed_there_is_nothing_to_say()
    {
        var (exitCode, output) = Restore("");
        Assert.True(exitCode == 0 && !output.Contains("NU19"), output);
    }

    [Fact]
    public void A_feed_that_does_not_answer_is_a_warning()
    {
        var (exitCode, output) = Restore("http://127.0.0.1:9/index.json");
        Assert.True(exitCode == 0 && output.Contains("warning NU1900"), output);
    }

    [Fact]
    public void A_known_vulnerability_is_a_warning_and_in_the_audit_an_error()
    {
        using var feed = new TcpListener(IPAddress.Loopback, 0);
        feed.Start();
        _ = ServeAsync(feed);
        var address = $"http://{feed.LocalEndpoint}/index.json";

        var (exitCode, output) = Restore(address);
        Assert.True(exitCode == 0 && output.Contains("warning NU1903"), output);
        (exitCode, output) = Restore(address, AsErrors);
        Assert.True(exitCode != 0 && output.Contains("error NU1903"), output);
        Assert.Contains($"--force {AsErrors}\"", File.ReadAllText(Path.Combine(RepositoryFiles.Root, "build", "build.cake")));
    }

    public void Dispose() => _folder.Dispose();

    private (int ExitCode, string Output) Restore(string feed, params string[] arguments)
    {
        var audit = feed.Length == 0 ? "" : $"<add key=\"feed\" value=\"{feed}\" allowInsecureConnections=\"true\" />";
        File.WriteAllText(_folder.File("NuGet.config"), $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="packed" value="{PackedPackages.Folder}" />
              </packageSources>
              <auditSources>
                <clear />
                {audit}
              </auditSources>
            </configuration>
            """);
        return Command.Run(_folder.Path, "dotnet", ["restore", "--force", "-nodeReuse:false", .. arguments],
            new Dictionary<string, string?> { ["NUGET_PACKAGES"] = _folder.File("packages"), ["NUGET_HTTP_CACHE_PATH"] = _folder.File("http") });
    }

    // The index of the feed, the index of what it knows of vulnerabilities, and that.
    private static async Task ServeAsync(TcpListener feed)
    {
        var root = $"http://{feed.LocalEndpoint}";
        while (true)
        {
            using var client = await feed.AcceptTcpClientAsync();
            using var reader = new StreamReader(client.GetStream());
            var path = (await reader.ReadLineAsync())?.Split(' ')[1];
            while (await reader.ReadLineAsync() is { Length: > 0 })
            {
            }

            var body = path switch
            {
                "/index.json" => $$"""{"version": "3.0.0", "resources": [{"@id": "{{root}}/vulnerabilities.json", "@type": "VulnerabilityInfo/6.7.0"}]}""",
                "/vulnerabilities.json" => $$"""[{"@name": "base", "@id": "{{root}}/base.json", "@updated": "2026-01-01T00:00:00Z"}]""",
                _ => """{"masquant.runtime": [{"url": "https://example.org/advisory", "severity": 2, "versions": "(, 99.0.0)"}]}""",
            };
            await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"));
        }
    }
}
