using MASQuant.Formats.Artifacts;

namespace MASQuant.Engine.Tests.Artifacts;

public class ModelNameTests
{
    [Theory]
    [InlineData("omni-tiny", "OmniTiny")]
    [InlineData("Qwen2.5-VL-3B", "Qwen25VL3B")]
    [InlineData("OmniTiny", "OmniTiny")]
    [InlineData("3b", "Model3b")]
    [InlineData("--", "Model")]
    [InlineData("my_model v2", "My_modelV2")]
    public void A_folder_name_becomes_an_identifier(string folder, string name) => Assert.Equal(name, ModelName.From(folder));
}
