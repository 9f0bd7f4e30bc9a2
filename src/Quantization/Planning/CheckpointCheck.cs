using MASQuant.Diagnostics;
using MASQuant.Engine.Chat;
using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Planning;

/// <summary>Refuses, by headers and configuration alone, a checkpoint whose artifact could not be opened: plans, runs and editors all ask here, before any work.</summary>
public static class CheckpointCheck
{
    /// <summary>Looks for all that an artifact takes along.</summary>
    /// <param name="source">The checkpoint.</param>
    /// <param name="config">What its <c>config.json</c> says.</param>
    /// <param name="options">Say what an artifact takes along beside the model.</param>
    /// <exception cref="MASQuantException">A tensor is missing or of another shape or type; a file is missing, malformed or asks for what is not supported.</exception>
    public static void Require(IModelSource source, ModelConfig config, QuantizationOptions options)
    {
        CheckpointShapes.Read(source, config.Decoder());
        var guesses = CodedParts.GuessHead(source, config, options) is { } head ? DescribedTensors.Of(source, head) : [];
        foreach (var tensor in DescribedTensors.Of(source, config).Concat(guesses))
        {
            tensor.Require(source);
        }

        GenerationConfigReader.Read(source);
        PreprocessorConfigReader.Read(source, config);
        ChatRenderer.RequireTokens(config, PromptEncoder.ReadTokenizer(source, config));
    }

    /// <summary>Refuses a checkpoint whose head or norms, which nothing reads before the artifact is opened, are not finite.</summary>
    /// <exception cref="MASQuantException">MASQ0109.</exception>
    public static void RequireFinite(IModelSource source, ModelConfig config)
    {
        var decoder = config.Decoder();
        source.RequireFinite(source.Find(decoder.Head));
        source.RequireFinite(source.Find(decoder.FinalNorm.Name + ".weight"));
    }

    /// <summary>Tells what is odd and stops nothing, MASQ0206 and MASQ0207; reads a head that is stored although the configuration ties it.</summary>
    public static void Warn(IModelSource source, ModelConfig config, Action<MASQuantException> warn)
    {
        if (ChatTemplate.WarningOf(source) is { } template)
        {
            warn(template);
        }

        var decoder = config.Decoder();
        var isTiedByFile = ModelConfigReader.Read(source.ReadFile(ModelConfigReader.FileName), source.Path, source.Family).Text.TieWordEmbeddings;
        if (isTiedByFile && !decoder.IsHeadTied && !source.AreEqual(decoder.Head, decoder.Embedding))
        {
            warn(new MASQuantException(DiagnosticCodes.HeadNotTied, source.Path,
                $"{ModelConfigReader.FileName} says that the head is the embedding, and '{decoder.Head}' differs from it. The stored head is used; set tie_word_embeddings to false if it is meant, or remove the tensor."));
        }
    }
}
