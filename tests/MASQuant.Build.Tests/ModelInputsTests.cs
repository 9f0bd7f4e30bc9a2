using MASQuant.Quantization.Run;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

public class ModelInputsTests
{
    [Fact]
    public void Every_medium_of_a_conversation_is_an_input()
    {
        using var directory = new TemporaryDirectory();
        string[] media = [directory.File("a.png"), directory.File("b.wav"), directory.File("c-0.png"), directory.File("c-1.png")];
        Assert.All(media, file => File.WriteAllText(file, ""));
        File.WriteAllText(directory.File("set.jsonl"), """
            {"messages": [{"role": "user", "content": [{"type": "image", "image": "a.png"}, {"type": "audio", "audio": "b.wav"}, {"type": "video", "video": ["c-0.png", "c-1.png"], "fps": 2}]}]}
            """);
        Assert.Equal(media, ModelInputs.OfConversations(directory.File("set.jsonl")));
    }

    /// <summary>Keys read every input: a line that names a device, or anything else that is not the set's own, must not make them.</summary>
    [Fact]
    public void Paths_that_leave_the_calibration_sets_folder_are_not_read()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory.File("data"));
        File.WriteAllText(directory.File("outside.png"), "");
        File.WriteAllText(directory.File("data/inside.png"), "");
        string[] names = ["inside.png", "../outside.png", "/dev/zero", "a\\u0000b", "", "../data/inside.png"];
        File.WriteAllLines(directory.File("data/set.jsonl"), names.Select(name => $$"""{"messages": [{"role": "user", "content": [{"type": "image", "image": "{{name}}"}]}]}""").Append("no conversation"));
        Assert.Equal([directory.File("data/inside.png")], ModelInputs.OfConversations(directory.File("data/set.jsonl")));
    }
}
