using MASQuant.Configuration;
using MASQuant.Safetensors;

namespace MASQuant.Models;

/// <summary>Reads a decoder as its source holds it: in full precision from a checkpoint, quantized from an artifact.</summary>
internal static class DecoderReader
{
    public static Decoder Read(IModelSource source, TextConfig config, TokenEmbedding embedding, ModelOptions options)
    {
        return Decoder.Read(source, config, layer => BlockWeights.Of(source, config, layer).ToDense(config), embedding);
    }
}
