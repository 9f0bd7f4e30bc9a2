using MASQuant.Runtime;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MASQuant.Extensions.AI;

/// <summary>Whether the model of a host is open and its files are whole: <c>AddHealthChecks().AddCheck&lt;ModelHealthCheck&gt;("model")</c>. It opens a model that has not been asked for yet, and generates nothing.</summary>
/// <param name="services">Have the model.</param>
/// <param name="key">Its key; null: none.</param>
public sealed class ModelHealthCheck(IServiceProvider services, string? key = null) : IHealthCheck
{
    private static readonly Prompt Any = new Prompt().Text("?");

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Task.Run(() => Check(context), cancellationToken);
    }

    private HealthCheckResult Check(HealthCheckContext context)
    {
        try
        {
            var model = key is null ? services.GetRequiredService<MultimodalModel>() : services.GetRequiredKeyedService<MultimodalModel>(key);
            _ = model.GeneratePieces(Any); // Refuses a model that is closed, or whose files have become shorter; nothing runs before it is enumerated.
            return HealthCheckResult.Healthy($"{model.Name} is open on {model.DeviceName}.");
        }
        catch (Exception error)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, error.Message, error);
        }
    }
}
