using System.IO;
using MASQuant.Formats.Artifacts;
using Xunit;

public class ModelTests
{
    [Fact]
    public void The_model_is_beside_the_tests() => Assert.True(File.Exists(ModelFiles.Find(Lib.Tiny.ArtifactFile)));
}
