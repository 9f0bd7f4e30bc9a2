using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>Names that mean something to MSBuild: of the project's folder, and of the one that the package lies in, as in a user's home. Others (<c>pct%41</c>, <c>at@(x)</c>) fail in the SDK itself.</summary>
[Trait("Lane", "slow")]
public class FolderNameTests
{
    [Theory]
    [InlineData("a b'c")]
    [InlineData("dol$(X)lar")]
    [InlineData("user (work), #1 & co, 100%")]
    public void A_model_is_quantized_whatever_its_folders_name(string name)
    {
        using var project = BuildCase.OpenIn(name, "OneModel");
        Folders.Copy(Path.GetDirectoryName(BuildCase.StandIn)!, project.InFolder("package/tasks"));
        project.Write("package/MASQuant.targets", File.ReadAllText(Path.Combine(RepositoryFiles.Root, "MASQuant.targets")));
        project.Write("package/MASQuant.QuantizeOne.proj", File.ReadAllText(Path.Combine(RepositoryFiles.Root, "src", "Tasks", "Dispatch", "MASQuant.QuantizeOne.proj")));
        project.Write("Directory.Build.targets", """
            <Project>
              <PropertyGroup>
                <_Package>$([MSBuild]::Escape('$(MSBuildThisFileDirectory)'))package/</_Package>
                <MASQuantTasksAssembly>$(MSBuildThisFileDirectory)package/tasks/MASQuant.StandIn.dll</MASQuantTasksAssembly>
              </PropertyGroup>
              <Import Project="$(_Package)MASQuant.targets" />
            </Project>
            """);
        var log = project.Quantize();
        Assert.True(log.ExitCode == 0, log.Output);
        Assert.Single(project.Artifacts());

        // What was answered is remembered, and right.
        log = project.Quantize();
        Assert.True(log.ExitCode == 0, log.Output);
        Assert.Single(project.Artifacts());
    }
}
