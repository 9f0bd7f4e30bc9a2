// dotnet tool restore; dotnet cake build/build.cake --target=<ci|build|audit|kernels|pack|bench>
var target = Argument("target", "ci");
var configuration = Argument("configuration", "Release");
var root = MakeAbsolute(Directory("..")).FullPath;
var solution = $"{root}/MASQuant.sln";

// Format and tests, by the file that says what they are.
Task("ci").Does(() => Run("bash", $"\"{root}/.ci/run\"", "A check failed."));

Task("build").Does(() => DotNetBuild(solution, new DotNetBuildSettings { Configuration = configuration }));

// Restore warns of packages with known vulnerabilities; here they are errors, as is a feed that does not answer.
Task("audit").Does(() => Run("dotnet", $"restore \"{solution}\" --force -p:WarningsNotAsErrors=", "A package has a known vulnerability, or no feed answered."));

// PTX and machine code are committed, so that a build needs no compiler for them; where clang-22 is installed, what it makes must be what is committed.
Task("kernels").Does(() =>
{
    if (Context.Tools.Resolve("clang-22") is null)
    {
        Information("Skipped: clang-22 is not installed (Debian: apt-get install clang-22). The committed kernels stay as they are.");
        return;
    }

    CompareKernels("kernels.sh", "src/Cuda/Kernels", "ptx");
    CompareKernels("cpu-kernels.sh", "src/Engine/Gemm/Cpu/Kernels", "bin");
});

Task("pack").IsDependentOn("build").Does(() => DotNetPack(solution, new DotNetPackSettings
{
    Configuration = configuration,
    NoBuild = true,
    OutputDirectory = $"{root}/artifacts/packages",
}));

Task("bench").Does(() => DotNetRun($"{root}/bench/Bench/MASQuant.Bench.csproj", "ratios", new DotNetRunSettings { Configuration = "Release" }));

RunTarget(target);

void CompareKernels(string script, string folder, string ending)
{
    var made = MakeAbsolute(Directory($"{root}/artifacts/kernels"));
    EnsureDirectoryExists(made);
    CleanDirectory(made);
    Run("bash", $"\"{root}/build/{script}\" \"{made}\"", "A kernel does not compile.");

    var committed = $"{root}/{folder}";
    var names = GetFiles($"{made}/*.{ending}").Concat(GetFiles($"{committed}/*.{ending}")).Select(file => file.GetFilename().ToString()).Distinct();
    var stale = names.Where(name => !FileExists($"{made}/{name}") || !FileExists($"{committed}/{name}")
        || !System.IO.File.ReadAllBytes($"{made}/{name}").SequenceEqual(System.IO.File.ReadAllBytes($"{committed}/{name}"))).ToList();
    if (stale.Count > 0)
    {
        throw new CakeException($"Not what the sources compile to: {string.Join(", ", stale)}. Run build/{script} and commit what it makes.");
    }
}

void Run(string program, string arguments, string problem)
{
    if (StartProcess(program, new ProcessSettings { Arguments = arguments }) != 0)
    {
        throw new CakeException(problem);
    }
}
