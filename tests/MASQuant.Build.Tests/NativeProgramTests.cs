using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>The whole path in earnest: a checkpoint is quantized by a build and runs in a program without a just-in-time compiler.</summary>
[Trait("Lane", "build")]
public class NativeProgramTests
{
    [SkippableFact]
    public void A_native_program_answers_as_a_managed_one()
    {
        Skip.If(Linker() is null, "NativeAOT links with clang or gcc.");
        using var project = Open();
        string[] packages = [$"-p:DirectoryPackagesPropsPath={RepositoryFiles.Root}Directory.Packages.props", $"-p:ExtensionsAssembly={BuildCase.Built("src/Extensions.AI", "MASQuant.Extensions.AI.dll")}"];

        var build = project.Build(["-c", "Release", .. packages]).MustSucceed();
        Assert.Equal(["VlTiny"], build.Quantized);
        var managed = project.Run("dotnet", project.InFolder("bin/Release/net10.0/NativeProgram.dll"), project.InFolder("data/picture.png"));
        Assert.Equal(0, managed.ExitCode);
        Assert.Matches(@" \[128, 256\] W4A8 True\n.+ (length|stop) \d+ True\nTrue \n$", managed.Output);

        // Trimming and NativeAOT warnings are errors here.
        Assert.Empty(project.Dotnet("publish", ["-r", RuntimeInformation.RuntimeIdentifier, "-o", "published", .. packages]).MustSucceed().Quantized);
        Assert.Equal(managed, project.Run(project.InFolder("published/NativeProgram"), project.InFolder("data/picture.png")));

        // Layers that carry a state, too.
        var states = SmallCheckpoint.WriteWithStates(project.InFolder("states"));
        var remembered = project.Run("dotnet", project.InFolder("bin/Release/net10.0/NativeProgram.dll"), project.InFolder("data/picture.png"), states);
        Assert.True(remembered.ExitCode == 0 && remembered.Output.Length > 1, remembered.Output);
        Assert.Equal(remembered, project.Run(project.InFolder("published/NativeProgram"), project.InFolder("data/picture.png"), states));
        if (HasAvx512Vnni)
        {
            // A level that the program lacked would be an error.
            project.Environment["MASQUANT_CPU"] = "vnni512";
            Assert.Equal(managed, project.Run(project.InFolder("published/NativeProgram"), project.InFolder("data/picture.png")));
            project.Environment.Remove("MASQUANT_CPU");
        }

        if (OperatingSystem.IsLinux())
        {
            AnswersWithoutExecutableMemory(project, managed);
        }
    }

    /// <summary>The same in a process that can make no memory executable, which a managed one needs: kernels that are machine code give way to the compiled ones, and that is told.</summary>
    private static void AnswersWithoutExecutableMemory(BuildCase project, (int ExitCode, string Output) managed)
    {
        // PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN (Linux 6.3) stays with the program that takes the process's place.
        const int Unknown = 77;
        project.Write("refuse.c", $$"""
            int prctl(int, ...);
            int execv(const char *, char **);
            int main(int count, char **words) { return prctl(65, 1L, 0L, 0L, 0L) ? {{Unknown}} : execv(words[1], words + 1); }
            """);
        Assert.Equal(0, project.Run(Linker()!, project.InFolder("refuse.c"), "-o", project.InFolder("refuse")).ExitCode);
        var refused = project.Run(project.InFolder("refuse"), project.InFolder("published/NativeProgram"), project.InFolder("data/picture.png"));
        if (refused.ExitCode != Unknown)
        {
            Assert.Equal((0, managed.Output[..^1] + (HasAvx512Vnni ? "MASQ1012\n" : "\n")), refused);
        }
    }

    [Fact]
    public void A_git_lfs_pointer_is_an_error_of_that_file()
    {
        using var project = BuildCase.OpenReal("OneModel");
        File.Copy(Path.Combine(RepositoryFiles.VlTiny, "config.json"), project.InFolder("model/config.json"), overwrite: true);
        project.Write("model/model.safetensors", $"version https://git-lfs.github.com/spec/v1\noid sha256:{new string('a', 64)}\nsize 123\n");
        var log = project.Build();
        Assert.NotEqual(0, log.ExitCode);
        Assert.Equal([("MASQ0104", project.InFolder("model/model.safetensors"))], log.Errors.Select(error => (error.Code, error.File)));
        Assert.Empty(Directory.EnumerateFiles(project.Folder, "*.masquant.safetensors", SearchOption.AllDirectories));
    }

    private static BuildCase Open()
    {
        var project = BuildCase.OpenReal("NativeProgram");
        File.Copy(RepositoryFiles.Data("media/calib-ocr-000.png"), project.InFolder("data/picture.png"), overwrite: true);
        project.Write("data/calibration.jsonl", """
            {"messages": [{"role": "user", "content": [{"type": "image", "image": "picture.png"}, {"type": "text", "text": "Read the digits."}]}, {"role": "assistant", "content": "1 2"}]}
            """);
        return project;
    }

    private static bool HasAvx512Vnni => (OperatingSystem.IsLinux() || OperatingSystem.IsWindows()) && X86Base.IsSupported && (X86Base.CpuId(7, 0).Ecx & (1 << 11)) != 0;

    private static string? Linker()
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).SelectMany(folder => new[] { Path.Combine(folder, "clang"), Path.Combine(folder, "gcc") }).FirstOrDefault(File.Exists);
}
