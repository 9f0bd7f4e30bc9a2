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

// PTX is committed, so that a build needs no compiler for it; where clang-22 is installed, what it makes must be what is committed.
Task("kernels").Does(() =>
{
    if (Context.Tools.Resolve("clang-22") is null)
    {
        Information("Skipped: clang-22 is not installed (Debian: apt-get install clang-22). The committed PTX stays as it is.");
        return;
    }

    var made = MakeAbsolute(Directory($"{root}/artifacts/kernels"));
    EnsureDirectoryExists(made);
    CleanDirectory(made);
    Run("bash", $"\"{root}/build/kernels.sh\" \"{made}\"", "A kernel does not compile.");

    var committed = $"{root}/src/Cuda/Kernels";
    var names = GetFiles($"{made}/*.ptx").Concat(GetFiles($"{committed}/*.ptx")).Select(file => file.GetFilename().ToString()).Distinct();
    var stale = names.Where(name => !FileExists($"{made}/{name}") || !FileExists($"{committed}/{name}")
        || System.IO.File.ReadAllText($"{made}/{name}") != System.IO.File.ReadAllText($"{committed}/{name}")).ToList();
    if (stale.Count > 0)
    {
        throw new CakeException($"Not what the sources compile to: {string.Join(", ", stale)}. Run build/kernels.sh and commit the PTX.");
    }
});

Task("pack").IsDependentOn("build").Does(() => DotNetPack(solution, new DotNetPackSettings
{
    Configuration = configuration,
    NoBuild = true,
    OutputDirectory = $"{root}/artifacts/packages",
}));

Task("bench").Does(() => DotNetRun($"{root}/bench/Bench/MASQuant.Bench.csproj", "ratios", new DotNetRunSettings { Configuration = "Release" }));

RunTarget(target);

void Run(string program, string arguments, string problem)
{
    if (StartProcess(program, new ProcessSettings { Arguments = arguments }) != 0)
    {
        throw new CakeException(problem);
    }
}
