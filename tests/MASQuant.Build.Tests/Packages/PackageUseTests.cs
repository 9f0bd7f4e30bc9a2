using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using MASQuant.Runtime;
using MASQuant.Tests;

namespace MASQuant.Build.Tests.Packages;

/// <summary>What someone does who has the packages and not this repository.</summary>
[Trait("Lane", "build")]
public sealed class PackageUseTests : IDisposable
{
    private const string Question = "Read the digits.";
    private const string OneConversation = """{"messages": [{"role": "user", "content": [{"type": "image", "image": "picture.png"}, {"type": "text", "text": "Read the digits."}]}, {"role": "assistant", "content": "1 2"}]}""";
    private readonly TemporaryDirectory _folder = new();

    public PackageUseTests()
    {
        // The packed folder is the only source, and nothing older of the same version may lie in a shared folder of packages.
        File.WriteAllText(_folder.File("NuGet.config"), $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="packed" value="{PackedPackages.Folder}" />
              </packageSources>
            </configuration>
            """);
    }

    [Fact]
    public void A_new_project_with_two_packages_and_one_item_answers()
    {
        Dotnet("new", "console", "-o", "Reader");
        Dotnet("add", "Reader", "package", "MASQuant.Runtime");
        Dotnet("add", "Reader", "package", "MASQuant.Build");

        var project = _folder.File("Reader/Reader.csproj");
        Assert.Contains("PrivateAssets", File.ReadAllText(project)); // a development dependency stays out of what depends on this project
        Folders.Copy(RepositoryFiles.VlTiny, _folder.File("Reader/models/vl-tiny"));
        File.Copy(RepositoryFiles.Data("media/calib-ocr-000.png"), _folder.File("Reader/picture.png"));
        File.WriteAllText(_folder.File("Reader/calibration.jsonl"), OneConversation);
        File.WriteAllText(project, File.ReadAllText(project).Replace("</Project>", """
              <ItemGroup>
                <QuantizedModel Include="models/vl-tiny" Calibration="calibration.jsonl" Epochs="0" />
              </ItemGroup>
            </Project>
            """));
        File.WriteAllText(_folder.File("Reader/Program.cs"), $"""
            using MASQuant;
            using var model = Reader.VlTiny.Load();
            Console.Write(string.Concat(model.Generate(new Prompt().Image("Reader/picture.png").Text("{Question}"), new GenerationOptions {"{"} MaxTokens = 8 {"}"})));
            """);

        var answer = Dotnet("run", "--project", "Reader");
        using var model = MultimodalModel.Load(_folder.File("Reader/bin/Debug/net10.0/models/VlTiny.masquant.safetensors"));
        Assert.EndsWith(string.Concat(model.Generate(new Prompt().Image(_folder.File("Reader/picture.png")).Text(Question), new GenerationOptions { MaxTokens = 8 })), answer);
    }

    /// <summary>README's lines in what <c>dotnet new web</c> makes.</summary>
    [Fact]
    public async Task A_new_web_project_with_the_lines_of_README_streams_what_a_picture_shows()
    {
        AddFeedOfOthers();
        Dotnet("new", "web", "-o", "Reader");
        foreach (var package in (string[])["MASQuant.Runtime", "MASQuant.Extensions.AI", "MASQuant.Build"])
        {
            Dotnet("add", "Reader", "package", package);
        }

        Folders.Copy(RepositoryFiles.OmniTiny, _folder.File("Reader/models/omni-tiny"));
        var data = Path.Combine(RepositoryFiles.Root, "samples", "data");
        var project = _folder.File("Reader/Reader.csproj");
        File.WriteAllText(project, File.ReadAllText(project).Replace("</Project>", $"""
              <ItemGroup>
                <QuantizedModel Include="models/omni-tiny" Calibration="{data}/calibration.jsonl" Effort="Fast" />
              </ItemGroup>
            </Project>
            """));
        var program = _folder.File("Reader/Program.cs");
        var lines = Regex.Match(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "README.md")), "```csharp\n((?:using [^\n]+\n)+)\n(builder[^\n]+)\n\n(app[^`]+)```");
        Assert.True(lines.Success);
        File.WriteAllText(program, lines.Groups[1].Value.Replace("MyApp", "Reader") + File.ReadAllText(program)
            .Replace("var app =", lines.Groups[2].Value + "\nvar app =").Replace("app.Run();", lines.Groups[3].Value + "app.Run();"));
        await BuildAndAsk("Reader", "OmniTiny", File.ReadAllBytes(Path.Combine(data, "media", "eval-ocr-000.png")));
    }

    [Fact]
    public async Task The_web_template_streams_what_a_picture_shows()
    {
        AddFeedOfOthers();
        Dotnet("new", "install", PackedPackages.Of("MASQuant.Templates"), "--debug:custom-hive", _folder.File("hive"));
        Dotnet("new", "masquant-web", "-o", "Digits", "--debug:custom-hive", _folder.File("hive"));
        await BuildAndAsk("Digits", "Assistant", File.ReadAllBytes(_folder.File("Digits/data/digits.png")));
    }

    /// <summary>The project that uses the package, and one that uses that project.</summary>
    [Fact]
    public void A_packed_library_brings_its_model_along()
    {
        Folders.Copy(RepositoryFiles.VlTiny, _folder.File("Reader/models/vl-tiny"));
        File.Copy(RepositoryFiles.Data("media/calib-ocr-000.png"), _folder.File("Reader/picture.png"));
        File.WriteAllText(_folder.File("Reader/calibration.jsonl"), OneConversation);
        File.WriteAllText(_folder.File("Reader/Reader.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="MASQuant.Runtime" Version="{PackedPackages.Version}" />
                <PackageReference Include="MASQuant.Build" Version="{PackedPackages.Version}" PrivateAssets="all" />
                <QuantizedModel Include="models/vl-tiny" Calibration="calibration.jsonl" Effort="Fast" Pack="true" />
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(_folder.File("Reader/Digits.cs"), $$"""
            namespace Reader;

            public static class Digits
            {
                public static string In(string picture)
                {
                    using var model = VlTiny.Load();
                    return string.Concat(model.Generate(new MASQuant.Prompt().Image(picture).Text("{{Question}}"), new MASQuant.GenerationOptions { MaxTokens = 8 }));
                }
            }
            """);
        Dotnet("pack", "Reader", "-o", "library", "-warnaserror");
        AddFeed("library", _folder.File("library"));

        WriteProject("Middle", "Library", """<PackageReference Include="Reader" Version="1.0.0" />""", "namespace Middle; public static class Nothing;");
        WriteProject("App", "Exe", """<ProjectReference Include="../Middle/Middle.csproj" />""", """System.Console.Write(Reader.Digits.In("Reader/picture.png"));""");
        using var model = MultimodalModel.Load(Directory.GetFiles(_folder.File("Reader/bin"), "VlTiny.masquant.safetensors", SearchOption.AllDirectories)[0]);
        var answer = string.Concat(model.Generate(new Prompt().Image(_folder.File("Reader/picture.png")).Text(Question), new GenerationOptions { MaxTokens = 8 }));
        Assert.Equal(answer, Dotnet("run", "--project", "App"));
        Dotnet("publish", "Middle", "-o", "published");
        Assert.True(File.Exists(_folder.File("published/models/VlTiny.masquant.safetensors")));
    }

    [Fact]
    public void The_template_reads_digits()
    {
        Dotnet("new", "install", PackedPackages.Of("MASQuant.Templates"), "--debug:custom-hive", _folder.File("hive"));
        Dotnet("new", "masquant", "-o", "Digits", "--debug:custom-hive", _folder.File("hive"));
        Dotnet("build", "Digits", "-c", "Release", "-warnaserror");
        Assert.EndsWith("1 8 5 6\n", Dotnet("run", "--project", "Digits", "-c", "Release", "--no-build")); // what the picture shows, samples/data/eval.jsonl
    }

    [Theory]
    [InlineData("masquant")]
    [InlineData("masquant-web")]
    public void A_template_of_an_own_model_carries_no_other(string template)
    {
        Dotnet("new", "install", PackedPackages.Of("MASQuant.Templates"), "--debug:custom-hive", _folder.File("hive"));
        Dotnet("new", template, "-o", "Own", "--model", "../weights", "--scheme", "W8A8", "--calibration", "../chats.jsonl", "--debug:custom-hive", _folder.File("hive"));
        Assert.Contains("Include=\"../weights\" Name=\"Assistant\" Scheme=\"W8A8\" Calibration=\"../chats.jsonl\"", File.ReadAllText(_folder.File("Own/Own.csproj")));
        Assert.Equal(["Own.csproj", "Program.cs", "digits.png"], Directory.EnumerateFiles(_folder.File("Own"), "*", SearchOption.AllDirectories).Where(file => !file.Contains("/obj/")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Target_frameworks_share_one_quantization_with_the_package_too()
    {
        Folders.Copy(Path.Combine(RepositoryFiles.Root, "tests/MASQuant.Build.Tests/Cases/TwoFrameworks"), _folder.Path);
        var project = _folder.File("TwoFrameworks.csproj");
        File.WriteAllText(project, File.ReadAllText(project).Replace("</Project>", $"""
              <ItemGroup>
                <PackageReference Include="MASQuant.Runtime" Version="{PackedPackages.Version}" />
                <PackageReference Include="MASQuant.Build" Version="{PackedPackages.Version}" PrivateAssets="all" />
              </ItemGroup>
            </Project>
            """));
        Directory.CreateDirectory(_folder.File("model"));
        File.WriteAllText(_folder.File("model/config.json"), "{}");
        File.WriteAllText(_folder.File("model/model.safetensors"), "weights");
        Directory.CreateDirectory(_folder.File("data"));
        File.WriteAllText(_folder.File("data/calibration.jsonl"), "{}");
        var standIn = "-p:MASQuantTasksAssembly=" + BuildCase.StandIn;

        Dotnet("build", "-m", "-nodeReuse:false", "-bl:" + _folder.File("build.binlog"), standIn);
        Assert.Equal(["Tiny"], new BuildLog(0, "", [_folder.File("build.binlog")]).Quantized);
        foreach (var framework in new[] { "net10.0", "net10.0-demo1.0" })
        {
            Assert.True(File.Exists(_folder.File($"bin/Debug/{framework}/models/Tiny.masquant.safetensors")));
        }

        // The project as a whole, no framework named: what a build server asks for its matrix.
        Assert.Contains("\"MASQuantKey\"", Dotnet("msbuild", "-t:MASQuantPrepare", "-getItem:MASQuantPreparedModel", "-nodeReuse:false", standIn));

        using var pages = JsonDocument.Parse(Dotnet("msbuild", "-getItem:PropertyPageSchema", "-nodeReuse:false"));
        var page = Assert.Single(pages.RootElement.GetProperty("Items").GetProperty("PropertyPageSchema").EnumerateArray(), page => page.GetProperty("Filename").GetString() == "QuantizedModel");
        Assert.Equal("File;BrowseObject", page.GetProperty("Context").GetString());
        Assert.True(File.Exists(page.GetProperty("FullPath").GetString()));
    }

    public void Dispose() => _folder.Dispose();

    // Builds a project whose endpoint takes a picture, and has it answer as the model does.
    private async Task BuildAndAsk(string project, string model, byte[] picture)
    {
        Dotnet("build", project, "-warnaserror");
        using var server = Command.Start(_folder.File(project), "dotnet", [$"bin/Debug/net10.0/{project}.dll", "--urls", "http://127.0.0.1:0"], new Dictionary<string, string?>());
        try
        {
            using var client = new HttpClient { BaseAddress = AddressOf(server) };
            using var content = new ByteArrayContent(picture) { Headers = { ContentType = new("image/png") } };
            using var response = await client.PostAsync("/ask?question=" + Uri.EscapeDataString(Question), content);
            var pieces = Regex.Matches(await response.Content.ReadAsStringAsync(), "(?<=^data: ).+$", RegexOptions.Multiline).Select(match => match.Value).ToArray();
            using var expected = MultimodalModel.Load(_folder.File($"{project}/bin/Debug/net10.0/models/{model}.masquant.safetensors"));
            Assert.Equal(expected.Generate(new Prompt().Image(picture).Text(Question)), pieces);
            Assert.True(pieces.Length > 2);
        }
        finally
        {
            Command.Kill(server);
        }
    }

    // The packages of others that ours bring, as this repository has restored them.
    private void AddFeedOfOthers()
    {
        var feed = Directory.CreateDirectory(_folder.File("feed")).FullName;
        using var locked = JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "src", "Extensions.AI", "packages.lock.json")));
        foreach (var package in locked.RootElement.GetProperty("dependencies").GetProperty("net10.0").EnumerateObject().Where(package => package.Name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)))
        {
            var (id, version) = (package.Name.ToLowerInvariant(), package.Value.GetProperty("resolved").GetString()!);
            File.Copy(Path.Combine(BuildCase.PackageRoot, id, version, $"{id}.{version}.nupkg"), Path.Combine(feed, $"{id}.{version}.nupkg"));
        }

        AddFeed("others", feed);
    }

    private void AddFeed(string name, string folder)
    {
        var sources = _folder.File("NuGet.config");
        File.WriteAllText(sources, File.ReadAllText(sources).Replace("</packageSources>", $"<add key=\"{name}\" value=\"{folder}\" /></packageSources>"));
    }

    private void WriteProject(string name, string outputType, string reference, string code)
    {
        Directory.CreateDirectory(_folder.File(name));
        File.WriteAllText(_folder.File($"{name}/{name}.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <OutputType>{outputType}</OutputType>
              </PropertyGroup>
              <ItemGroup>
                {reference}
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(_folder.File($"{name}/{name}.cs"), code);
    }

    private static Uri AddressOf(Process server)
    {
        while (server.StandardOutput.ReadLine() is { } line)
        {
            if (Regex.Match(line, @"http://127\.0\.0\.1:\d+") is { Success: true } address)
            {
                _ = server.StandardOutput.ReadToEndAsync(); // full pipes would hold it up
                _ = server.StandardError.ReadToEndAsync();
                return new Uri(address.Value);
            }
        }

        throw new InvalidOperationException("The server has ended: " + server.StandardError.ReadToEnd());
    }

    private string Dotnet(params string[] arguments)
    {
        var (exitCode, output) = Command.Run(_folder.Path, "dotnet", arguments, new Dictionary<string, string?> { ["NUGET_PACKAGES"] = _folder.File("packages") });
        Assert.True(exitCode == 0, $"dotnet {string.Join(' ', arguments)}\n{output}");
        return output;
    }
}
