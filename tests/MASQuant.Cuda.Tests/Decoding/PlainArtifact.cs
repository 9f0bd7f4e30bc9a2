using MASQuant.Engine.Gemm;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Decoding;

/// <summary>A checkpoint with every linear layer rounded to nearest, and small patches: an artifact made in a second whose answers make sense.</summary>
internal static class PlainArtifact
{
    public const int Rank = 6;

    public static string Write(TemporaryDirectory folder, string checkpointFolder, QuantizationScheme scheme, bool rotated = false, bool codesParts = false)
    {
        using var checkpoint = Checkpoint.Open(checkpointFolder);
        var model = ModelConfigReader.Read(checkpoint);
        var layers = Enumerable.Range(0, model.Text.Layers).Select(layer => Quantize(checkpoint, model.Decoder(), layer, scheme, rotated)).ToArray();
        var files = layers.Select(layer => folder.File($"layer-{layer.Index}")).ToArray();
        foreach (var (layer, file) in layers.Zip(files))
        {
            LayerFile.Write(file, layer);
        }

        return folder.File(ArtifactWriter.Write(folder.Path, Describe(model, layers, scheme), checkpoint, files, tensor => codesParts && tensor.Shape.Count == 2 && !tensor.Name.Contains("patch_embed", StringComparison.Ordinal) ? Code(checkpoint, tensor) : null).Artifact);
    }

    /// <summary>A matrix at 8 bits: rotated, filled up, and every value at its row's nearest code.</summary>
    private static TensorPayload[] Code(Checkpoint checkpoint, TensorInfo tensor)
    {
        var (rows, columns) = (tensor.Shape[0], tensor.Shape[1]);
        var (values, filled) = (checkpoint.ReadMatrix(tensor.Name, rows, columns), new Matrix(CodedMatrix.PaddedOutputs(rows), CodedMatrix.PaddedInputs(columns)));
        var block = BlockHadamard.LargestBlock(filled.Columns);
        var (codes, scales) = (new sbyte[filled.Rows * filled.Columns], new float[filled.Rows]);
        for (var n = 0; n < rows; n++)
        {
            values.Row(n).CopyTo(filled.Row(n));
            BlockHadamard.Apply(filled.Row(n), block);
            scales[n] = filled.Row(n).ToArray().Max(MathF.Abs) / 127;
            for (var k = 0; k < filled.Columns; k++)
            {
                codes[(n * filled.Columns) + k] = (sbyte)MathF.Round(filled[n, k] / scales[n]);
            }
        }

        return
        [
            TensorPayload.OfBytes(CodedMatrix.Codes(tensor.Name), DataType.U8, CodePacking.Pack(codes, filled.Rows, filled.Columns, 8), CodedMatrix.CodesShape(rows, columns)),
            TensorPayload.OfFloats(CodedMatrix.Scales(tensor.Name), scales, scales.Length),
            TensorPayload.OfBytes(CodedMatrix.Rotation(tensor.Name), DataType.U8, new[] { (byte)int.Log2(block) }, 1),
        ];
    }

    private static QuantizedLayer Quantize(Checkpoint checkpoint, DecoderDescription decoder, int layer, QuantizationScheme scheme, bool rotated) => new()
    {
        Index = layer,
        Linears = BlockWeights.Of(checkpoint, decoder, layer).Linears.ToDictionary(linear => linear.Linear.Name, linear => Quantize(linear, scheme, rotated)),
        Inputs = decoder.Blocks[layer].Linears.DistinctBy(linear => linear.Group).ToDictionary(
            linear => linear.Group,
            linear => new InputTransform([[], [.. Enumerable.Range(0, linear.Inputs).Select(k => 0.75f + (k % 3 * 0.25f))], []], rotated ? BlockHadamard.LargestBlock(linear.Inputs) : 0)),
    };

    private static QuantizedWeight Quantize(LinearWeight linear, QuantizationScheme scheme, bool rotated)
    {
        var (weight, random) = (linear.ReadMatrix(), new Random(linear.Tensor.Length));
        weight = rotated ? BlockHadamard.Rotate(weight, BlockHadamard.LargestBlock(weight.Columns)) : weight;
        var (codes, scales) = (new sbyte[weight.Rows * weight.Columns], new float[weight.Rows]);
        for (var n = 0; n < weight.Rows; n++)
        {
            scales[n] = weight.Row(n).ToArray().Max(MathF.Abs) / scheme.WeightMax;
            for (var k = 0; k < weight.Columns; k++)
            {
                codes[(n * weight.Columns) + k] = (sbyte)MathF.Round(weight[n, k] / scales[n]);
            }
        }

        LowRankFactors Patch() => new(Small(weight.Columns, Rank), Small(Rank, weight.Rows));
        Matrix Small(int rows, int columns)
        {
            var values = Enumerable.Range(0, rows * columns).Select(_ => (random.NextSingle() - 0.5f) * 0.1f).ToArray();
            BFloat16.Round(values);
            return new Matrix(rows, columns, values);
        }

        return new QuantizedWeight
        {
            Scheme = scheme,
            Outputs = weight.Rows,
            Inputs = weight.Columns,
            Codes = CodePacking.Pack(codes, weight.Rows, weight.Columns, scheme.WeightBits),
            Scales = scales,
            Bias = linear.Bias,
            Patches = [null, Patch(), null],
        };
    }

    private static Manifest Describe(ModelConfig model, QuantizedLayer[] layers, QuantizationScheme scheme) => new()
    {
        ToolVersion = "0.1.0",
        Name = "Plain",
        Source = "checkpoint",
        Quantized = true,
        Artifact = "",
        Model = new ManifestModel
        {
            Family = model.Family.Name,
            Modalities = [.. model.Modalities.Select(modality => modality.ToString())],
            HiddenSize = model.Text.HiddenSize,
            IntermediateSize = model.Text.IntermediateSize,
            AttentionHeads = model.Text.AttentionHeads,
            KeyValueHeads = model.Text.KeyValueHeads,
            VocabularySize = model.Text.VocabularySize,
            MaxPositions = model.Text.MaxPositions,
        },
        Tokenizer = new ManifestTokenizer { Tokens = 1, Sha256 = "00" },
        Scheme = scheme.ToString(),
        Options = new Dictionary<string, string>(),
        Calibration = new ManifestCalibration { File = "none", Sha256 = "00", Samples = 0, Tokens = new Dictionary<string, long>() },
        Layers = [.. layers.Select(layer => new ManifestLayer
        {
            Index = layer.Index,
            Linears = [.. model.Decoder().Blocks[layer.Index].Linears.Select(linear => new ManifestLinear
            {
                Name = linear.Name,
                Group = linear.Group.ToString(),
                Outputs = linear.Outputs,
                Inputs = linear.Inputs,
                Bias = !layer.Linears[linear.Name].Bias.IsEmpty,
                Scheme = scheme.ToString(),
                Ranks = new Dictionary<string, int> { ["Vision"] = Rank },
                Sqnr = new Dictionary<string, ManifestSqnr>(),
            })],
        })],
    };
}
