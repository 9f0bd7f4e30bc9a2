using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Planning;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Calibration;

/// <summary>Videos of conversation files, with the sound that is theirs.</summary>
public sealed class ConversationVideoTests : IDisposable
{
    private static readonly Golden Video = Golden.Load("omni/video");
    private static readonly Golden Audio = Golden.Load("omni/audio");
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_sound_is_read_counted_and_hashed()
    {
        var silent = Conversation("");
        var heard = Conversation(""", "audio": "sound.wav" """);

        Assert.True(heard.Has(Modality.Vision) && heard.Has(Modality.Audio));
        Assert.False(silent.Has(Modality.Audio));
        Assert.Equal(["0.png", "1.png", "2.png", "3.png", "sound.wav"], heard.Media.Select(medium => Path.GetFileName(medium.Path)));
        Assert.NotEqual(CalibrationSet.Hash(silent), CalibrationSet.Hash(heard));

        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var (without, with) = (Extent(silent), Extent(heard));
        var tokens = Audio.Integers("input_ids").Count(id => id == 1203);
        Assert.Equal([without[0] + 2, without[1], tokens], with);

        IReadOnlyList<long> Extent(Conversation conversation) => CalibrationExtent.Of(source, ModelConfigReader.Read(source), [conversation]).ByModality;
    }

    [Fact]
    public void A_sounds_content_is_part_of_the_hash()
    {
        var before = CalibrationSet.Hash(Conversation(""", "audio": "sound.wav" """));
        File.AppendAllText(_folder.File("sound.wav"), "x");
        Assert.NotEqual(before, CalibrationSet.Hash(ConversationFile.Read(_folder.File("set.jsonl"))[0]));
    }

    private Conversation Conversation(string members)
    {
        foreach (var (number, frame) in Video.Files.Index())
        {
            File.Copy(frame, _folder.File($"{number}.png"), overwrite: true);
        }

        File.Copy(Audio.Files[0], _folder.File("sound.wav"), overwrite: true);
        File.WriteAllText(_folder.File("set.jsonl"), $$"""{"messages": [{"role": "user", "content": [{"type": "video", "video": ["0.png", "1.png", "2.png", "3.png"], "fps": 2{{members}}}, {"type": "text", "text": "?"}]}, {"role": "assistant", "content": "7"}]}""");
        return ConversationFile.Read(_folder.File("set.jsonl"))[0];
    }
}
