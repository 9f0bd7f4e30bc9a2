using FsCheck;
using FsCheck.Fluent;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Models;

namespace MASQuant.Engine.Tests.Generation;

/// <summary>A token sees those before it and no other: what follows a prefix changes no bit of the prefix's logits, wherever the sequence is cut into pieces.</summary>
public class CausalMaskTests
{
    [Fact]
    public void What_follows_changes_nothing_before()
    {
        using var file = TinyDecoder.OpenVL();
        var decoder = TinyDecoder.Read(file, TinyConfigs.VL.Text);
        var ids = Gen.Choose(0, 1199).ArrayOf().Where(all => all.Length > 0);
        var cases = ids.Zip(ids).Zip(Gen.Choose(1, 20));
        Prop.ForAll(cases.ToArbitrary(), test =>
        {
            var ((before, after), chunk) = test;
            return Logits(decoder, before, chunk).AsSpan().SequenceEqual(Logits(decoder, [.. before, .. after], chunk + 3).AsSpan(0, before.Length * decoder.Config.VocabularySize));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60).WithReplay(17, 23));
    }

    private static float[] Logits(Decoder decoder, int[] ids, int chunk)
    {
        var embeddings = new Matrix(ids.Length, decoder.Config.HiddenSize);
        decoder.Embedding.Lookup(ids, embeddings);
        var prompt = new PreparedPrompt
        {
            InputIds = ids,
            PositionIds = PositionIds.Text(0, ids.Length),
            InputEmbeddings = embeddings,
            Modalities = ModalityMap.Text(ids.Length),
            AnswerRange = ids.Length..ids.Length,
        };
        return new DecoderSession(decoder, chunk).Logits(prompt, ..).Span.ToArray();
    }
}
