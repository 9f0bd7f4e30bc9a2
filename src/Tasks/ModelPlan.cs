using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;

namespace MASQuant.Tasks;

/// <summary>The manifest that quantizing a model would give, as far as its configuration and the headers of its weights tell: everything but bytes and SQNR. Editors show it before the first build.</summary>
internal static class ModelPlan
{
    private const string TokenizerFile = "tokenizer.json";

    /// <summary>Plans.</summary>
    /// <param name="model">The model.</param>
    /// <param name="warn">Receives what is wrong with the weights' headers, where the configuration has to do, and an unknown chat template.</param>
    /// <exception cref="MASQuantException">The configuration cannot be read.</exception>
    public static Manifest Of(ModelItem model, Action<MASQuantException> warn)
    {
        var config = ModelConfigReader.ReadFolder(model.Folder);
        model.Options.CheckBlocks(config.Text.Layers);
        CheckHeaders(model.Folder, model.Options, warn);
        return ModelFacts.Planned(model.Job, config, Checkpoint.TryReadFile(model.Folder, TokenizerFile, out var tokenizer) ? tokenizer : throw Messages.TokenizerMissing(Path.Combine(model.Folder, TokenizerFile)));
    }

    // Weights that Git LFS has not fetched yet are nothing to complain of in an editor.
    private static void CheckHeaders(string folder, QuantizationOptions options, Action<MASQuantException> warn)
    {
        try
        {
            using var checkpoint = Checkpoint.Open(folder);
            CheckpointCheck.Require(checkpoint, ModelConfigReader.Read(checkpoint), options);
            if (ChatTemplate.WarningOf(checkpoint) is { } template)
            {
                warn(template);
            }
        }
        catch (MASQuantException problem)
        {
            if (problem.Code != DiagnosticCodes.LfsPointer)
            {
                warn(problem);
            }
        }
    }
}
