using MASQuant.Runtime;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MASQuant.Extensions.AI;

/// <summary>Models as chat clients.</summary>
public static class MultimodalModelExtensions
{
    /// <summary>A chat client that answers by the model of a generated class, as <see cref="AsChatClient(MultimodalModel, ModelChatOptions?, ILoggerFactory?)"/> for its <see cref="IGeneratedModel.MultimodalModel"/>, which takes options.</summary>
    /// <param name="model">Stays the caller's: disposing the client leaves it open.</param>
    public static IChatClient AsChatClient(this IGeneratedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.MultimodalModel.AsChatClient();
    }

    /// <summary>A chat client that answers by this model: with streams, pictures, sound and several turns. Requests may come from any number of threads.</summary>
    /// <param name="model">Stays the caller's: disposing the client leaves it open.</param>
    /// <param name="options">What the client is called, and what it may read.</param>
    /// <param name="loggerFactory">Where requests and their ends are logged; null: nowhere.</param>
    /// <returns>A client; what it cannot honour in a request it refuses by name, with a <see cref="MASQuantException"/>.</returns>
    public static IChatClient AsChatClient(this MultimodalModel model, ModelChatOptions? options = null, ILoggerFactory? loggerFactory = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new MultimodalChatClient(model, options ?? new ModelChatOptions(), loggerFactory ?? NullLoggerFactory.Instance);
    }
}
