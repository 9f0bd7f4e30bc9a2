// dotnet tool restore; dotnet cake build/build.cake --target=<format|build|test|pack|bench>
var target = Argument("target", "test");
var configuration = Argument("configuration", "Release");
var root = MakeAbsolute(Directory("..")).FullPath;
var solution = $"{root}/MASQuant.sln";

Task("format").Does(() => DotNetFormat(solution, new DotNetFormatSettings { VerifyNoChanges = true }));

Task("build").Does(() => DotNetBuild(solution, new DotNetBuildSettings { Configuration = configuration }));

Task("test").IsDependentOn("build").Does(() => DotNetTest(solution, new DotNetTestSettings
{
    Configuration = configuration,
    NoBuild = true,
}));

Task("pack").IsDependentOn("build").Does(() => DotNetPack(solution, new DotNetPackSettings
{
    Configuration = configuration,
    NoBuild = true,
    OutputDirectory = $"{root}/artifacts/packages",
}));

Task("bench").Does(() => DotNetRun($"{root}/bench/MASQuant.Bench/MASQuant.Bench.csproj", "ratios", new DotNetRunSettings { Configuration = "Release" }));

RunTarget(target);
