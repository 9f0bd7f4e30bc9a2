using System;
using System.IO;
using Xunit;

public class ModelTests
{
    [Fact]
    public void The_model_is_beside_the_tests() => Assert.True(File.Exists(Path.Combine(AppContext.BaseDirectory, "models", Lib.Tiny.ArtifactFile)));
}
