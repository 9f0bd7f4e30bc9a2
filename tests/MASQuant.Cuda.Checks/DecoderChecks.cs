using MASQuant.Cuda.Device;
using MASQuant.Cuda.Models;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Checks;

/// <summary>A whole small decoder beside the processor's: a prompt at once and in chunks, and the greedy answer. W4A4 without an answer: what moves a code of 4 bits moves it far, and no choice is clear.</summary>
internal static class DecoderChecks
{
    private const int Steps = 4;

    // Seeds whose answers are clear, see below. More than 64 tokens: Hopper's kernels.
    private static readonly (string Name, QuantizationScheme? Scheme, int Tokens, int Seed)[] Cases =
    [
        ("W4A8", QuantizationScheme.W4A8, 11, 6), ("W4A8", QuantizationScheme.W4A8, 70, 3),
        ("W8A8", QuantizationScheme.W8A8, 11, 4), ("W8A8", QuantizationScheme.W8A8, 70, 8),
        ("W4A4", QuantizationScheme.W4A4, 11, 1), ("W4A4", QuantizationScheme.W4A4, 70, 1),
        ("W4A16", QuantizationScheme.W4A16, 11, 6), ("W4A16", QuantizationScheme.W4A16, 70, 8),
        ("BF16", null, 11, 4), ("BF16", null, 70, 3),
    ];

    public static IReadOnlyList<DeviceCheck> All { get; } =
        [.. Cases.Select(shape => new DeviceCheck($"decoder: {shape.Name}, {shape.Tokens} tokens", device => Check(device, shape.Scheme, shape.Tokens, shape.Seed)))];

    /// <summary>The decoder whose queries, keys and values, and where asked for the inputs of every layer, are rounded to BF16 as a device rounds them.</summary>
    public static Decoder Rounded(Decoder decoder, bool inputs) => decoder with
    {
        Blocks = [.. decoder.Blocks.Select(block => block.Description.Groups.Aggregate(
            block, (rounded, group) => rounded.With(group, new RoundedGroup(block[group], inputs, outputs: group == InputGroup.Qkv))))],
    };

    /// <summary>The norm of the difference.</summary>
    public static double Distance(Matrix a, Matrix b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Span.Length; i++)
        {
            sum += Math.Pow((double)a.Span[i] - b.Span[i], 2);
        }

        return Math.Sqrt(sum);
    }

    // How far roundings carry through layers is measured on the processor, with the same roundings in the same places. The device adds those of probabilities, of the head's
    // input and, in the low-rank branch, of T: of the same size, in fewer places, and independent, so that twice the processor's own deviation bounds it, with as much again for the draw.
    private static void Check(ICudaDevice device, QuantizationScheme? scheme, int tokens, int seed)
    {
        var model = new SmallDecoder(scheme, seed);
        var (prompt, processor) = (model.Prompt(tokens), model.OnProcessor());
        var rounded = Rounded(processor, inputs: scheme is not { QuantizesActivations: true });
        var exact = new DecoderSession(processor).Logits(prompt, ..);
        var deviation = Distance(new DecoderSession(rounded).Logits(prompt, ..), exact);
        var listening = new ListeningDevice(device, exact.Columns);
        using var decoder = model.On(listening);
        foreach (var chunk in (int[])[tokens, 7])
        {
            using var session = new DeviceSession(decoder, chunk);
            Require.Near(0, Distance(session.Logits(prompt, ..), exact), 4 * deviation, $"logits in chunks of {chunk}, as the norm of their difference");
        }

        if (scheme == QuantizationScheme.W4A4)
        {
            return;
        }

        // The processor's choices are clear, by 8 times what a logit deviates in the mean: a device that rounds elsewhere chooses the same.
        var answer = Answer(new DecoderSession(processor), prompt);
        var answered = model.Extend(prompt, answer[..^1]);
        var steps = new DecoderSession(processor).Logits(answered, ^Steps..);
        for (var step = 0; step < Steps; step++)
        {
            float[] ordered = [.. steps.Row(step).ToArray().OrderDescending()];
            Require.That(ordered[0] - ordered[1] > 8 * deviation / Math.Sqrt(exact.Span.Length), $"step {step} is no clear choice: {ordered[0]} or {ordered[1]}");
        }

        Require.EqualEach(answer, Answer(new DeviceSession(decoder, tokens), prompt), "the answer");
        var chosenFrom = new Matrix(Steps, steps.Columns, [.. listening.Logits.SelectMany(logits => logits)]);
        Require.Near(0, Distance(chosenFrom, steps), 4 * Distance(new DecoderSession(rounded).Logits(answered, ^Steps..), steps), "logits of the answer, as the norm of their difference");
    }

    private static int[] Answer(IDecoderSession session, PreparedPrompt prompt)
        => [.. TokenGenerator.Generate(session, 1, [() => prompt], new GenerationOptions { MaxTokens = Steps }, [], null, default).Select(sequence =>
        {
            sequence.ThrowIfFailed();
            return sequence.Token;
        })];
}
