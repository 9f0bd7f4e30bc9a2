using MASQuant.Engine.Execution;
using MASQuant.Formats.Checkpoints;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layouts;

/// <summary>What transformers 4.57.6 and 5.24.0 save of the sample models answers as the samples do.</summary>
public sealed class SavedCheckpointTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public static TheoryData<string> Names => SavedCheckpoint.Names;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_saved_model_answers_bit_for_bit_as_the_original(string name)
    {
        SavedCheckpoint.Write(name, _folder.Path);
        using var original = LoadedModel.Load(SavedCheckpoint.Original(name));
        using var saved = LoadedModel.Load(_folder.Path);
        var prompt = new Prompt().Image(RepositoryFiles.Data("media/calib-ocr-025.png")).Text("Read the digits.");
        if (SavedCheckpoint.Hears(name))
        {
            prompt.Audio(RepositoryFiles.Data("media/calib-asr-000.wav"));
        }

        var (expected, actual) = (original.Prepare(prompt), saved.Prepare(prompt));
        Assert.Equal(expected.InputIds, actual.InputIds);
        Assert.Equal(expected.InputEmbeddings.Span.ToArray(), actual.InputEmbeddings.Span.ToArray());
        Assert.Equal(original.Logits(expected).Span.ToArray(), saved.Logits(actual).Span.ToArray());
        Assert.Equal(original.GenerateTokens(expected, Short).ToArray(), saved.GenerateTokens(actual, Short).ToArray());
    }

    /// <summary>The limits that these versions write for videos, other than those of images: <c>size</c> of video_preprocessor_config.json, or of video_processor.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void A_saved_models_videos_have_limits_of_their_own(string name)
    {
        SavedCheckpoint.Write(name, _folder.Path);
        using var checkpoint = Checkpoint.Open(_folder.Path);
        var config = PreprocessorConfigReader.Read(checkpoint, ModelConfigReader.Read(checkpoint));
        Assert.Equal(new(100352, 602112), config.VideoPixels);
        Assert.NotEqual(602112, config.MaxPixels);
    }

    private static GenerationOptions Short => new() { MaxTokens = 12 };
}
