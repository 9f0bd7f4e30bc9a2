using MASQuant.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

public class BadInputTests
{
    private const string Text = """{"messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi."}]}""";

    public static TheoryData<string, string, int> Lines() => new()
    {
        { DiagnosticCodes.ConversationInvalid, "{", 2 },
        { DiagnosticCodes.ConversationInvalid, "[]", 2 },
        { DiagnosticCodes.ConversationInvalid, """{"messages": []}""", 2 },
        { DiagnosticCodes.ConversationInvalid, """{"messages": [{"role": "robot", "content": "x"}]}""", 2 },
        { DiagnosticCodes.ConversationInvalid, """{"messages": [{"role": "user", "content": [{"type": "smell"}]}]}""", 2 },
        { DiagnosticCodes.ConversationInvalid, """{"messages": [{"role": "user", "content": "cut: \ud83d"}]}""", 2 },
        { DiagnosticCodes.ConversationInvalid, """{"messages": [{"role": "user", "content": "x", "\ude00": 1}], "\ud83d": 1}""", 2 },
        { DiagnosticCodes.ConversationInvalid, """{"messages": [{"role": "user", "content": [{"type": "video", "video": []}]}]}""", 2 },
        { DiagnosticCodes.ConversationInvalid, """{"messages": [{"role": "user", "content": [{"type": "video", "video": ["calibration.jsonl"], "fps": 1e-300}]}]}""", 2 },
        { DiagnosticCodes.ConversationInvalid, """{"messages": [{"role": "user", "content": [{"type": "video", "video": ["calibration.jsonl"], "use_audio_in_video": true}]}]}""", 2 },
        { DiagnosticCodes.ConversationInvalid, """{"messages": [{"role": "user", "content": [{"type": "video", "video": ["calibration.jsonl"], "audio": 7}]}]}""", 2 },
        { DiagnosticCodes.ConversationMediaMissing, """{"messages": [{"role": "user", "content": [{"type": "video", "video": ["calibration.jsonl"], "audio": "absent.wav"}]}]}""", 2 },
        { DiagnosticCodes.ConversationMediaMissing, """{"messages": [{"role": "user", "content": [{"type": "image", "image": "absent.png"}]}]}""", 2 },
        { DiagnosticCodes.ConversationMediaMissing, """{"messages": [{"role": "user", "content": [{"type": "image", "image": "/dev/zero"}]}]}""", 2 },
        { DiagnosticCodes.ConversationMediaMissing, """{"messages": [{"role": "user", "content": [{"type": "image", "image": "a\u0000b"}]}]}""", 2 },
        { DiagnosticCodes.ConversationMediaMissing, """{"messages": [{"role": "user", "content": [{"type": "image", "image": "../../../../../../../../../../etc/hostname"}]}]}""", 2 },
        { DiagnosticCodes.ConversationMediaMissing, """{"messages": [{"role": "user", "content": [{"type": "image", "image": "/etc/hostname"}]}]}""", 2 },
        { DiagnosticCodes.ConversationModalityUnsupported, """{"messages": [{"role": "user", "content": [{"type": "audio", "audio": "calibration.jsonl"}]}]}""", 2 },
        { DiagnosticCodes.ConversationModalityUnsupported, """{"messages": [{"role": "user", "content": [{"type": "video", "video": ["calibration.jsonl"], "audio": "calibration.jsonl"}]}]}""", 2 },
        { DiagnosticCodes.CalibrationModalityMissing, Text, 0 },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public void A_bad_calibration_line_is_named_and_nothing_is_written(string code, string line, int number)
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path);
        File.WriteAllLines(job.CalibrationFile, [Text, line]);
        var error = Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(job));
        Assert.Equal(code, error.Code);
        Assert.Equal(job.CalibrationFile, error.File);
        Assert.Equal(number, error.Line);
        Assert.False(Directory.Exists(job.OutputFolder));
    }

    [Fact]
    public void A_line_longer_than_the_models_positions_is_named_before_any_work()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path);
        File.AppendAllLines(job.CalibrationFile, ["", Text.Replace("Hello.", string.Concat(Enumerable.Repeat("seven four ", 20_000)), StringComparison.Ordinal)]);
        var error = Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(job));
        Assert.Equal((DiagnosticCodes.SequenceTooLong, job.CalibrationFile, File.ReadAllLines(job.CalibrationFile).Length), (error.Code, error.File, error.Line));
        Assert.Matches("has [0-9]{5} tokens; the model has 32768 positions", error.Message);
        Assert.False(Directory.Exists(job.OutputFolder));
    }

    [Fact]
    public void A_missing_calibration_file_is_named()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path) with { CalibrationFile = folder.File("none.jsonl") };
        Assert.Equal(DiagnosticCodes.ConversationsMissing, Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(job)).Code);
    }

    [Fact]
    public void A_corrupt_image_is_named()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path);
        var image = Directory.GetFiles(Path.Combine(folder.Path, "media"))[0];
        File.WriteAllBytes(image, File.ReadAllBytes(image)[..100]);
        var error = Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(job));
        Assert.Equal(DiagnosticCodes.ImageCorrupt, error.Code);
        Assert.Equal(image, error.File);
        Assert.False(Directory.Exists(job.OutputFolder));
    }

    [Fact]
    public void A_shape_that_cannot_be_packed_is_refused_before_any_work()
    {
        using var folder = new TemporaryDirectory();
        var model = Directory.CreateDirectory(folder.File("model")).FullName;
        foreach (var file in Directory.GetFiles(RepositoryFiles.VlTiny, "*.json"))
        {
            File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        }

        File.Copy(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"), Path.Combine(model, "model.safetensors"));
        var config = Path.Combine(model, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"intermediate_size\": 256", "\"intermediate_size\": 252", StringComparison.Ordinal));
        var error = Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(TinyRun.Job(folder.Path) with { ModelFolder = model }));
        Assert.Equal(DiagnosticCodes.ShapeNotPackable, error.Code);
        Assert.Contains("252", error.Message, StringComparison.Ordinal);
    }
}
