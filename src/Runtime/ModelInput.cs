using MASQuant.Engine.Models;

namespace MASQuant.Runtime;

/// <summary>What a model's decoder reads of a prompt: its T tokens, their modalities and their embeddings, with what towers have made of images, frames and sound in place.</summary>
/// <remarks>Immutable, and threads may share it, as long as nobody writes into its embeddings. It holds no file and none of the model's memory.</remarks>
public sealed class ModelInput
{
    internal ModelInput(MultimodalModel model, PreparedPrompt prompt) => (Model, Prompt) = (model, prompt);

    /// <summary>The ids of the T tokens, placeholders of media expanded.</summary>
    public ReadOnlySpan<int> TokenIds => Prompt.InputIds;

    /// <summary>The modality of each token: what a <see cref="QuantizedLinear"/> of the model asks for.</summary>
    public ModalityMap Modalities => Prompt.Modalities;

    /// <summary>[T, H]; not to be written into.</summary>
    public Matrix Embeddings => Prompt.InputEmbeddings;

    /// <summary>The model that has made it, and the only one that reads it.</summary>
    internal MultimodalModel Model { get; }

    internal PreparedPrompt Prompt { get; }

    /// <summary>The same tokens with other embeddings: of a tower of one's own at a medium's tokens, or moved ones. What a vision tower leaves for the first blocks stays.</summary>
    /// <param name="embeddings">[T, H]; not copied.</param>
    /// <exception cref="ArgumentException">It has another shape.</exception>
    public ModelInput WithEmbeddings(Matrix embeddings)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        return (embeddings.Rows, embeddings.Columns) == (Embeddings.Rows, Embeddings.Columns)
            ? new ModelInput(Model, Prompt with { InputEmbeddings = embeddings })
            : throw new ArgumentException($"The embeddings are [{embeddings.Rows}, {embeddings.Columns}]; the prompt needs [{Embeddings.Rows}, {Embeddings.Columns}].", nameof(embeddings));
    }
}
