using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Quantization;
using MASQuant.Quantization.Planning;

namespace MASQuant.Tasks;

/// <summary>The manifest that quantizing a model would give, as far as its configuration and the headers of its weights tell: everything but bytes and SQNR. Editors show it before the first build.</summary>
internal static class ModelPlan
{
    /// <summary>Plans.</summary>
    /// <param name="model">The model.</param>
    /// <param name="warn">Receives what is wrong with the weights' headers; the configuration then has to do.</param>
    /// <exception cref="MASQuantException">The configuration cannot be read.</exception>
    public static Manifest Of(ModelItem model, Action<MASQuantException> warn)
    {
        var config = ModelConfigReader.ReadFolder(model.Folder);
        model.Options.CheckBlocks(config.Text.Layers);
        CheckHeaders(model.Folder, config, warn);
        var tokenizer = Path.Combine(model.Folder, "tokenizer.json");
        return ModelFacts.Planned(model.Job, config, File.Exists(tokenizer) ? File.ReadAllBytes(tokenizer) : throw Messages.TokenizerMissing(tokenizer));
    }

    // Weights that Git LFS has not fetched yet are nothing to complain of in an editor.
    private static void CheckHeaders(string folder, ModelConfig config, Action<MASQuantException> warn)
    {
        try
        {
            using var checkpoint = Checkpoint.Open(folder);
            CheckpointShapes.Read(checkpoint, config.Decoder());
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
