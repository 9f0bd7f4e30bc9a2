using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Tests.Models;

/// <summary>The head that guesses ahead in FP64, as its definition has it: all rows are computed anew for every guess. Reads a checkpoint's tensors by their names.</summary>
internal sealed class ReferenceGuessHead(Checkpoint checkpoint)
{
    private const int Width = 128, Heads = 4, KeyHeads = 2, Size = 64, Rotated = 16;
    private const double Epsilon = 1e-6, Theta = 1e7;
    private static readonly int[] Sections = [3, 3, 2];

    /// <summary>The guesses behind a sequence, by how much the likeliest logit of each leads, and the logits of the last.</summary>
    /// <param name="hidden">What the decoder has left of every token, normed.</param>
    /// <param name="embeddings">Of the token behind each.</param>
    /// <param name="positions">Of each token: time, height, width.</param>
    /// <param name="count">How many guesses.</param>
    public ((int Token, double Lead)[] Guesses, double[] Logits) Guess(IEnumerable<float[]> hidden, IEnumerable<float[]> embeddings, IEnumerable<int[]> positions, int count)
    {
        var (table, rows, places) = (Matrix("model.embed_tokens.weight", 1280, Width), new List<double[]>(), positions.ToList());
        rows.AddRange(hidden.Zip(embeddings, (left, follows) => Joined([.. left.Select(value => (double)value)], [.. follows.Select(value => (double)value)])));
        var guesses = new List<(int, double)>();
        while (true)
        {
            var last = Norm(Block(rows, places), "mtp.norm");
            var logits = table.Select(row => Dot(row, last)).ToArray();
            var token = Array.IndexOf(logits, logits.Max());
            guesses.Add((token, logits.Max() - logits.Where((_, id) => id != token).Max()));
            if (guesses.Count == count)
            {
                return ([.. guesses], logits);
            }

            rows.Add(Joined(last, table[token]));
            places.Add([.. Enumerable.Repeat(places[^1].Max() + 1, 3)]);
        }
    }

    private double[] Joined(double[] left, double[] follows) => Product("mtp.fc", Width, [.. Norm(follows, "mtp.pre_fc_norm_embedding"), .. Norm(left, "mtp.pre_fc_norm_hidden")]);

    // The last row's output.
    private double[] Block(List<double[]> rows, List<int[]> positions)
    {
        const string Prefix = "mtp.layers.0.";
        double[][] normed = [.. rows.Select(row => Norm(row, Prefix + "input_layernorm"))];
        double[][] keys = [.. normed.Select((row, t) => RotatedHeads(Product(Prefix + "self_attn.k_proj", KeyHeads * Size, row), Prefix + "self_attn.k_norm", positions[t]))];
        double[][] values = [.. normed.Select(row => Product(Prefix + "self_attn.v_proj", KeyHeads * Size, row))];
        var both = Product(Prefix + "self_attn.q_proj", 2 * Heads * Size, normed[^1]);
        double[] Part(int part) => [.. Enumerable.Range(0, Heads).SelectMany(head => both.AsSpan(((2 * head) + part) * Size, Size).ToArray())];
        var (queries, gates) = (RotatedHeads(Part(0), Prefix + "self_attn.q_norm", positions[^1]), Part(1));
        var mixed = new double[Heads * Size];
        for (var head = 0; head < Heads; head++)
        {
            var place = head / (Heads / KeyHeads) * Size;
            var query = queries[(head * Size)..((head + 1) * Size)];
            double[] scores = [.. keys.Select(key => Dot(query, key[place..(place + Size)]) / Math.Sqrt(Size))];
            double[] weights = [.. scores.Select(score => Math.Exp(score - scores.Max()))];
            for (var i = 0; i < Size; i++)
            {
                mixed[(head * Size) + i] = values.Select((value, t) => value[place + i] * weights[t]).Sum() / weights.Sum() / (1 + Math.Exp(-gates[(head * Size) + i]));
            }
        }

        double[] stream = [.. rows[^1].Zip(Product(Prefix + "self_attn.o_proj", Width, mixed), (a, b) => a + b)];
        var inner = Norm(stream, Prefix + "post_attention_layernorm");
        double[] gated = [.. Product(Prefix + "mlp.gate_proj", 256, inner).Zip(Product(Prefix + "mlp.up_proj", 256, inner), (gate, up) => gate / (1 + Math.Exp(-gate)) * up)];
        return [.. stream.Zip(Product(Prefix + "mlp.down_proj", Width, gated), (a, b) => a + b)];
    }

    // Norms every head and rotates its first values: pairs (i, i + 8), whose axes take turns.
    private double[] RotatedHeads(double[] row, string norm, int[] position)
    {
        double[] all = [.. row.Chunk(Size).SelectMany(head => Norm(head, norm))];
        for (var head = 0; head < all.Length; head += Size)
        {
            for (var i = 0; i < Rotated / 2; i++)
            {
                var axis = i / 3 < Sections[i % 3] ? i % 3 : 0;
                var (sine, cosine) = Math.SinCos(position[axis] * Math.Pow(Theta, -2.0 * i / Rotated));
                var (a, b) = (all[head + i], all[head + i + (Rotated / 2)]);
                (all[head + i], all[head + i + (Rotated / 2)]) = ((a * cosine) - (b * sine), (b * cosine) + (a * sine));
            }
        }

        return all;
    }

    private double[] Norm(double[] row, string name)
    {
        var scale = 1 / Math.Sqrt(row.Select(value => value * value).Average() + Epsilon);
        return [.. row.Zip(checkpoint.ReadFloats(name + ".weight", row.Length), (value, weight) => value * scale * (1 + (double)weight))];
    }

    private double[] Product(string name, int outputs, double[] row) => [.. Matrix(name + ".weight", outputs, row.Length).Select(weights => Dot(weights, row))];

    private double[][] Matrix(string name, int rows, int columns)
    {
        var matrix = checkpoint.ReadMatrix(name, rows, columns);
        return [.. Enumerable.Range(0, rows).Select(row => Array.ConvertAll(matrix.Row(row).ToArray(), value => (double)value))];
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
