using System.Globalization;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Evaluation.Scores;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Bench;

/// <summary>What keys and values in BF16 cost: the divergence of next-token distributions from those over FP32's, along answers that FP32's largest logits choose, by how long the answer is.</summary>
internal static class KeyValueCost
{
    private const int Conversations = 40;

    // Where lengths are cut.
    private static readonly int[] Lengths = [16, 64, 256, 768];

    /// <summary>Prints a Markdown table.</summary>
    /// <param name="model">A checkpoint's folder or an artifact.</param>
    /// <param name="data">Conversations, each ending with the expected answer, of which a part is used.</param>
    public static int Run(string model, string data)
    {
        using var loaded = LoadedModel.Load(model);
        var all = ConversationFile.Read(data);
        var divergences = Lengths.Select(_ => new TokenDivergence()).ToArray();
        for (var i = 0; i < Conversations; i++)
        {
            var conversation = all[(int)((long)all.Count * i / Conversations)];
            Follow(loaded, conversation, divergences);
        }

        var config = loaded.Config.Text;
        var bytes = 2L * config.Layers * config.KeyValueHeads * config.HeadSize;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Conversations} answers; a token takes {bytes * sizeof(float)} bytes in FP32, {bytes * sizeof(ushort)} in BF16.\n"));
        Console.WriteLine("| tokens of the answer | KL, nats per token | same first choice |\n|---|---:|---:|");
        foreach (var (i, divergence) in divergences.Index())
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {(i == 0 ? 1 : Lengths[i - 1] + 1)} … {Lengths[i]} | {divergence.KullbackLeibler / divergence.Tokens:E2} | {(double)divergence.Agreements / divergence.Tokens:P2} |"));
        }

        return 0;
    }

    private static void Follow(LoadedModel model, Conversation conversation, TokenDivergence[] divergences)
    {
        var prompt = model.Prepare([.. conversation.Messages.SkipLast(1)]);
        var (exact, rounded) = (new DecoderSession(model.Decoder), new DecoderSession(model.Decoder, keyValues: KeyValueFormat.BFloat16));
        ReadOnlySpan<float> p = exact.Prefill(prompt), q = rounded.Prefill(prompt);
        for (var length = 0; length < Lengths[^1]; length++)
        {
            var next = Largest(p);
            divergences[Array.FindIndex(Lengths, bound => length < bound)].Add(p, q, next);
            p = exact.Step(next);
            q = rounded.Step(next);
        }
    }

    private static int Largest(ReadOnlySpan<float> logits)
    {
        var largest = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            largest = logits[i] > logits[largest] ? i : largest;
        }

        return largest;
    }
}
