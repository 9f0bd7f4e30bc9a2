using MASQuant.Engine.Chat;
using MASQuant.Engine.Execution;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>The VL path against the reference. VL goldens hold no text, so prompts are made of token ids and of the towers' outputs for the golden's own files.</summary>
public sealed class VLGoldenTests : IDisposable
{
    private readonly LoadedModel _model = LoadedModel.Load(RepositoryFiles.VlTiny);

    public static TheoryData<string> Cases => Golden.VL;

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_greedy_answer_is_the_reference_answer(string name)
    {
        var golden = Golden.Load(name);
        var options = new GenerationOptions { MaxTokens = golden.Integers("greedy").Length };

        Assert.Equal(golden.Integers("greedy"), _model.GenerateTokens(TinyDecoder.Prompt(golden), options));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Media_files_become_the_reference_embeddings(string name)
    {
        var golden = Golden.Load(name);
        var media = golden.Files.Select(MediaSource.File).ToArray();
        IReadOnlyList<ContentPart> parts = name switch
        {
            "vl/video" => [new VideoPart(media, 2 / golden.Json.GetProperty("second_per_grid").GetDouble())],
            _ => [.. media.Select(source => new ImagePart(source))],
        };
        var ids = GoldenMedia.Collapse(golden.Integers("input_ids"), _model.Config);

        var prompt = _model.Encoder.Prepare(new TokenizedPrompt(ids, parts, null));

        Assert.Equal(golden.Integers("input_ids"), prompt.InputIds);
        int[] positions = [.. prompt.PositionIds.Time, .. prompt.PositionIds.Height, .. prompt.PositionIds.Width];
        Assert.Equal(golden.Integers("position_ids"), positions);
        GoldenAssert.Near(golden, "inputs_embeds", prompt.InputEmbeddings);
    }

    public void Dispose() => _model.Dispose();
}
