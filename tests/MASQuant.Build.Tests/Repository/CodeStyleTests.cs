using System.Text.RegularExpressions;
using MASQuant.Tests;

namespace MASQuant.Build.Tests.Repository;

/// <summary>Every rule that .editorconfig names is one that a build enforces.</summary>
[Trait("Lane", "build")]
public sealed partial class CodeStyleTests : IDisposable
{
    private const string Good = """
        namespace Small;

        internal sealed class Good(int count)
        {
            public const int Limit = 1;
            private static readonly int Smallest = 1;
            private readonly int _count = count;
            private int _calls;

            public int Next(bool more)
            {
                if (more)
                {
                    _calls++;
                }

                return _count + _calls + Smallest;
            }
        }
        """;

    private readonly TemporaryDirectory _folder = new();

    public CodeStyleTests()
    {
        foreach (var file in new[] { ".editorconfig", "Directory.Build.props" })
        {
            File.Copy(Path.Combine(RepositoryFiles.Root, file), _folder.File(file));
        }

        File.WriteAllText(_folder.File("Small.csproj"), "<Project Sdk=\"Microsoft.NET.Sdk\" />");
    }

    [Fact]
    public void Breaking_a_rule_is_an_error_and_keeping_all_is_none()
    {
        (string Rule, string Old, string New)[] breaks =
        [
            ("IDE0005", "namespace Small;", "using System.Text;\n\nnamespace Small;"),
            ("IDE0011", "{\n            _calls++;\n        }", "    _calls++;"),
            ("IDE0040", "private int _calls", "int _calls"),
            ("IDE0044", "private readonly int _count", "private int _count"),
            ("IDE0065", "namespace Small;", "namespace Small;\n\nusing System.Text;\n\ninternal sealed record Text(StringBuilder Builder);"),
            ("IDE0161", Good, Good.Replace("namespace Small;", "namespace Small\n{") + "\n}"),
            ("IDE1006", "_calls", "calls"),
            ("IDE1006", "_calls", "_Calls"),
            ("IDE1006", "Limit", "limit"),
            ("IDE1006", "Smallest", "_smallest"),
            ("CA1822", "public int Next", "public int Same() => Smallest;\n\n    public int Next"), // what AnalysisMode adds
        ];

        Write("Good.cs", Good);
        for (var i = 0; i < breaks.Length; i++)
        {
            Assert.Contains(breaks[i].Old, Good);
            Write($"Case{i}.cs", Good.Replace(breaks[i].Old, breaks[i].New).Replace("Good", $"Case{i}"));
        }

        var (exitCode, output) = Command.Run(_folder.Path, "dotnet", ["build", "-nologo", "-nodeReuse:false", "-v:quiet"]);
        Assert.NotEqual(0, exitCode);
        var found = ErrorLine().Matches(output).Select(match => (File: match.Groups["file"].Value, Rule: match.Groups["rule"].Value)).Distinct().ToArray();
        Assert.DoesNotContain(found, error => error.File == "Good");
        Assert.All(breaks.Select((broken, i) => ($"Case{i}", broken.Rule)), error => Assert.Contains(error, found));
    }

    /// <summary>A rule that is named above, so that none is added that nothing breaks.</summary>
    [Fact]
    public void No_other_rule_is_named()
    {
        var rules = SeverityLine().Matches(File.ReadAllText(_folder.File(".editorconfig"))).Select(match => match.Groups["rule"].Value);
        Assert.Equal(["IDE0005", "IDE0011", "IDE0040", "IDE0044", "IDE0065", "IDE0161", "IDE1006"], rules.Order(StringComparer.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private void Write(string name, string text) => File.WriteAllText(_folder.File(name), text.ReplaceLineEndings("\n") + "\n");

    [GeneratedRegex(@"(?<file>\w+)\.cs\([\d,]+\): error (?<rule>\w+)", RegexOptions.ExplicitCapture)]
    private static partial Regex ErrorLine();

    [GeneratedRegex(@"^dotnet_diagnostic\.(?<rule>\w+)\.severity = warning$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex SeverityLine();
}
