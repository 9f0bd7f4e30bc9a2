using System.Diagnostics;
using MASQuant.Runtime;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace MASQuant.Extensions.AI;

/// <summary>Registers models with a host.</summary>
public static class MASQuantServiceCollectionExtensions
{
    /// <summary>Registers a model as <see cref="MultimodalModel"/>, <see cref="MultimodalChatClient"/> and, unless there is one, <see cref="IChatClient"/>. It is opened when it is first asked for, once, and closed with the host.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="load">Opens the model: <c>() => MultimodalModel.Load(path, options)</c>.</param>
    public static IServiceCollection AddMASQuant(this IServiceCollection services, Func<MultimodalModel> load)
    {
        ArgumentNullException.ThrowIfNull(load);
        return services.AddMASQuant(options => options.Load = _ => load());
    }

    /// <inheritdoc cref="AddMASQuant(IServiceCollection, Func{MultimodalModel})"/>
    /// <param name="services">The host's.</param>
    /// <param name="load">Opens the model of a class that was generated: <c>() => OmniTiny.Load()</c>, or <c>() => OmniTiny.Load(options)</c>.</param>
    public static IServiceCollection AddMASQuant(this IServiceCollection services, Func<IGeneratedModel> load)
    {
        ArgumentNullException.ThrowIfNull(load);
        return services.AddMASQuant(options => options.Load = _ => load().MultimodalModel);
    }

    /// <inheritdoc cref="AddMASQuant(IServiceCollection, Func{MultimodalModel})"/>
    /// <param name="services">The host's.</param>
    /// <param name="modelPath">An artifact's file or a checkpoint's folder.</param>
    public static IServiceCollection AddMASQuant(this IServiceCollection services, string modelPath) => services.AddMASQuant(options => options.ModelPath = modelPath);

    /// <inheritdoc cref="AddMASQuant(IServiceCollection, Func{MultimodalModel})"/>
    /// <param name="services">The host's.</param>
    /// <param name="configure">Says which model; looked at when the host starts (MASQ0942).</param>
    public static IServiceCollection AddMASQuant(this IServiceCollection services, Action<MASQuantOptions> configure)
    {
        AddOptions(services, Options.DefaultName, configure);
        services.TryAddSingleton(provider => Open(provider, Options.DefaultName));
        services.TryAddSingleton(provider => Client(provider, provider.GetRequiredService<MultimodalModel>(), Options.DefaultName));
        services.TryAddSingleton<IChatClient>(provider => provider.GetRequiredService<MultimodalChatClient>());
        return services;
    }

    /// <summary>As <see cref="AddMASQuant(IServiceCollection, Action{MASQuantOptions})"/> by a key, for hosts of several models.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="key">The services' key, and the options' name.</param>
    /// <param name="configure">Says which model; looked at when the host starts (MASQ0942).</param>
    public static IServiceCollection AddKeyedMASQuant(this IServiceCollection services, string key, Action<MASQuantOptions> configure)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        AddOptions(services, key, configure);
        services.TryAddKeyedSingleton(key, (provider, _) => Open(provider, key));
        services.TryAddKeyedSingleton(key, (provider, _) => Client(provider, provider.GetRequiredKeyedService<MultimodalModel>(key), key));
        services.TryAddKeyedSingleton<IChatClient>(key, (provider, _) => provider.GetRequiredKeyedService<MultimodalChatClient>(key));
        return services;
    }

    private static void AddOptions(IServiceCollection services, string name, Action<MASQuantOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<MASQuantOptions>(name).Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MASQuantOptions>, OptionsValidation>());
    }

    private static MultimodalModel Open(IServiceProvider services, string name)
    {
        var options = OptionsOf(services, name);
        var start = Stopwatch.GetTimestamp();
        var model = options.Load is { } load ? load(services) : MultimodalModel.Load(options.ModelPath!, options.Model);
        var logger = Loggers(services).CreateLogger(MASQuantTelemetry.Name);
        logger.Loaded(model.Name, options.ModelPath ?? model.Artifact?.Path ?? "memory", model.DeviceName, Stopwatch.GetElapsedTime(start).TotalSeconds);
        if (model.ProcessorWarning is { } warning)
        {
            logger.Hampered(model.Name, warning.Message);
        }

        return model;
    }

    private static MultimodalChatClient Client(IServiceProvider services, MultimodalModel model, string name) => new(model, OptionsOf(services, name).Chat, Loggers(services));

    private static MASQuantOptions OptionsOf(IServiceProvider services, string name) => services.GetRequiredService<IOptionsMonitor<MASQuantOptions>>().Get(name);

    private static ILoggerFactory Loggers(IServiceProvider services) => services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
}
