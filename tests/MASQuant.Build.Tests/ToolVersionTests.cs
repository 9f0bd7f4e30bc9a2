using System.Buffers.Binary;
using System.Diagnostics;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.RegularExpressions;

namespace MASQuant.Build.Tests;

/// <summary>Tools that change between two builds, and tools that the compiler cannot load.</summary>
[Trait("Lane", "build")]
public class ToolVersionTests
{
    private const string Generator = "MASQuant.Generators.dll";

    /// <summary>A node that MSBuild keeps has the old tasks loaded. With tasks inside it, a build was seen quantizing one model with them and another with the new ones.</summary>
    [Fact]
    public void Edited_tasks_make_every_output_anew_although_nodes_are_reused()
    {
        using var project = BuildCase.Open("TwoModels");
        project.Write("other-model/config.json", "{}");
        project.Write("other-model/model.safetensors", "other weights");
        var standIn = BuildCase.StandIn;
        Folders.Copy(Path.GetDirectoryName(standIn)!, project.InFolder("tools"));
        Edit(project, standIn, project.InFolder("tools/MASQuant.StandIn.dll"));
        // Nodes of this test alone: all work in them, and they end by themselves.
        var environment = new Dictionary<string, string?>
        {
            ["MSBUILDDISABLENODEREUSE"] = null,
            ["MSBUILDNOINPROCNODE"] = "1",
            ["MSBUILDNODEHANDSHAKESALT"] = project.Folder,
            ["MSBUILDNODECONNECTIONTIMEOUT"] = "120000",
            ["MASQuantCacheDirectory"] = project.InFolder("cache"),
            [Command.TemporaryVariable] = Directory.CreateDirectory(project.InFolder(".tmp")).FullName, // as long as the nodes live
        };
        string Build()
        {
            // Into a file: the nodes would hold a pipe open, and its reader, as long as they live.
            var (exitCode, _) = Command.Run(project.Folder, "sh", ["-c", "dotnet build -nologo -m:2 -nodeReuse:true -v:minimal -tl:off > output.txt 2>&1"], environment);
            var output = File.ReadAllText(project.InFolder("output.txt"));
            Assert.True(exitCode == 0, output);
            return Assert.Single(Regex.Matches(output, @"node \d+").Select(match => match.Value).Distinct());
        }

        var nodes = new HashSet<string>();
        var tasks = project.InFolder("tools/MASQuant.StandIn.dll");
        using var self = Process.GetCurrentProcess();
        var nodesAreKept = self.PriorityClass == ProcessPriorityClass.Normal; // MSBuild reuses no node of a build that was started with nice
        var reused = false;
        try
        {
            // MSBuild does not wait for a kept node that is not listening again yet: such a build starts another node and shows nothing, so the next edit is tried.
            for (var revision = 1; revision <= 9 && !reused; revision++)
            {
                reused = !nodes.Add(Build());
                Assert.All(Revisions(project), found => Assert.Equal($"revision {revision}", found));
                if (!nodesAreKept && revision == 2)
                {
                    return;
                }

                // The edit: another text in the assembly that quantizes, and another identity of one that keys cover.
                var content = File.ReadAllBytes(tasks);
                var place = content.AsSpan().IndexOf(Encoding.Unicode.GetBytes($"revision {revision}"));
                content[place + (2 * "revision ".Length)]++;
                File.WriteAllBytes(tasks, content);
                ChangeIdentity(project.InFolder("tools/MASQuant.Quantization.dll"));
            }
        }
        finally
        {
            foreach (var left in Process.GetProcesses().Where(process => nodes.Contains($"node {process.Id}")))
            {
                left.Kill();
            }
        }

        Assert.True(reused, "nine builds, and none ran in a node of one before");
    }

    [Fact]
    public void A_generator_that_needs_a_newer_compiler_is_an_error()
    {
        using var project = BuildCase.Open("OneModel");
        var built = BuildCase.Built("src/Generators", Generator, "netstandard2.0");
        File.WriteAllBytes(project.InFolder(Generator), NeedingRoslyn(File.ReadAllBytes(built), 99));
        Edit(project, built, project.InFolder(Generator));
        var log = project.Build("-p:TreatWarningsAsErrors=false");
        Assert.NotEqual(0, log.ExitCode);
        Assert.Contains("CS9057", log.Errors.Select(error => error.Code));
    }

    [Fact]
    public void A_generator_that_fails_is_an_error()
    {
        using var project = BuildCase.Open("FailingGenerator");
        var log = project.Build("App", "-p:TreatWarningsAsErrors=false");
        Assert.NotEqual(0, log.ExitCode);
        Assert.Equal(["CS8785"], log.Errors.Select(error => error.Code));
    }

    private static IEnumerable<string> Revisions(BuildCase project)
    {
        var artifacts = Directory.GetFiles(project.InFolder("bin"), "*.masquant.safetensors", SearchOption.AllDirectories);
        Assert.Equal(2, artifacts.Length);
        return artifacts.Select(artifact => Regex.Match(File.ReadAllText(artifact), @"revision \d").Value);
    }

    private static void Edit(BuildCase project, string text, string other)
    {
        var file = project.InFolder("Directory.Build.targets");
        var content = File.ReadAllText(file);
        Assert.Contains(text, content);
        File.WriteAllText(file, content.Replace(text, other));
    }

    // As compiling other code does.
    private static void ChangeIdentity(string assembly)
    {
        var content = File.ReadAllBytes(assembly);
        using var image = new PEReader([.. content]);
        var metadata = image.GetMetadataReader();
        var identity = metadata.GetGuid(metadata.GetModuleDefinition().Mvid).ToByteArray();
        content[content.AsSpan().IndexOf(identity)] ^= 1;
        File.WriteAllBytes(assembly, content);
    }

    // The same assembly, compiled against another version of Microsoft.CodeAnalysis.
    private static byte[] NeedingRoslyn(byte[] assembly, ushort version)
    {
        using var image = new PEReader([.. assembly]);
        var metadata = image.GetMetadataReader();
        var rows = metadata.GetTableMetadataOffset(TableIndex.AssemblyRef);
        var rowSize = metadata.GetTableRowSize(TableIndex.AssemblyRef);
        foreach (var reference in metadata.AssemblyReferences.Where(reference => metadata.GetString(metadata.GetAssemblyReference(reference).Name).StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal)))
        {
            var row = image.PEHeaders.MetadataStartOffset + rows + ((MetadataTokens.GetRowNumber(reference) - 1) * rowSize);
            BinaryPrimitives.WriteUInt16LittleEndian(assembly.AsSpan(row), version); // the major version is the row's first field
        }

        return assembly;
    }
}
