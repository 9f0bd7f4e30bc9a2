using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Quantization.Planning;

/// <summary>A tensor that a description calls for.</summary>
/// <param name="Name">The canonical name.</param>
/// <param name="Rows">The first extent.</param>
/// <param name="Columns">The product of the others; 0 for a vector.</param>
internal readonly record struct DescribedTensor(string Name, int Rows, int Columns)
{
    /// <exception cref="MASQuantException">MASQ0107 missing, MASQ0108 another shape or type.</exception>
    public void Require(ITensorSource source)
    {
        var tensor = Columns > 0 ? source.FindMatrix(Name, Rows, Columns) : source.Find(Name);
        if (Columns == 0 && !tensor.Shape.SequenceEqual([Rows]))
        {
            throw TensorReading.ShapeMismatch(source, tensor, Rows);
        }

        source.RequireReadable(tensor);
    }
}

/// <summary>The tensors that are read when a model is opened, but for the decoder's linear layers.</summary>
internal static class DescribedTensors
{
    public static IEnumerable<DescribedTensor> Of(ITensorSource source, ModelConfig config)
        => [.. Decoder(source, config.Decoder()), .. Vision(source, config.VisionTower()), .. config.AudioTower() is { } audio ? Audio(source, audio) : []];

    private static IEnumerable<DescribedTensor> Decoder(ITensorSource source, DecoderDescription decoder)
    {
        var (rows, columns) = (decoder.Config.VocabularySize, decoder.Config.HiddenSize);
        return [new(decoder.Embedding, rows, columns), new(decoder.Head, rows, columns), .. Norm("", decoder.FinalNorm), .. decoder.Blocks.SelectMany(block => Block(source, block))];
    }

    /// <summary>Those of a head that guesses ahead.</summary>
    public static IEnumerable<DescribedTensor> Of(ITensorSource source, GuessHeadDescription head)
        => [.. Norm("", head.EmbeddingNorm), .. Norm("", head.HiddenNorm), .. Norm("", head.FinalNorm), .. Projection(source, GuessHeadDescription.Prefix, head.Join), .. Block(source, head.Block)];

    private static IEnumerable<DescribedTensor> Vision(ITensorSource source, VisionTowerDescription tower)
        => [.. Linear(source, "", tower.PatchEmbedding), .. Positions(tower), .. tower.Blocks.Concat(tower.Mergers).SelectMany(block => Block(source, block))];

    private static IEnumerable<DescribedTensor> Positions(VisionTowerDescription tower)
        => tower.Positions is { } table ? [new(table.Name, table.Side * table.Side, tower.Config.HiddenSize)] : [];

    private static IEnumerable<DescribedTensor> Audio(ITensorSource source, AudioTowerDescription tower)
        => [.. Linear(source, "", tower.FirstConvolution), .. Linear(source, "", tower.SecondConvolution), .. tower.Blocks.Append(tower.Exit).SelectMany(block => Block(source, block))];

    private static IEnumerable<DescribedTensor> Block(ITensorSource source, BlockDescription block)
        => [.. block.Norms.SelectMany(norm => Norm(block.Prefix, norm)), .. block.Parameters.Select(parameter => new DescribedTensor(block.Prefix + parameter.Name, parameter.Rows, parameter.Columns)), .. block.Projections.SelectMany(step => Projection(source, block.Prefix, step))];

    private static IEnumerable<DescribedTensor> Projection(ITensorSource source, string prefix, ProjectStep step) => step.IsStoredAsOne(source, prefix)
        ? Linear(source, prefix, step.Linears[0] with { Name = step.FusedName!, Outputs = step.Linears.Sum(linear => linear.Outputs) })
        : step.Linears.SelectMany(linear => Linear(source, prefix, linear));

    private static IEnumerable<DescribedTensor> Linear(ITensorSource source, string prefix, LinearDescription linear)
    {
        yield return new(prefix + linear.Name + ".weight", linear.Outputs, linear.Inputs);
        if (source.HasBias(linear, prefix))
        {
            yield return new(prefix + linear.Name + ".bias", linear.Outputs, 0);
        }
    }

    private static IEnumerable<DescribedTensor> Norm(string prefix, NormDescription norm)
        => norm.Kind == NormKind.Layer ? [new(prefix + norm.Name + ".weight", norm.Size, 0), new(prefix + norm.Name + ".bias", norm.Size, 0)] : [new(prefix + norm.Name + ".weight", norm.Size, 0)];
}
