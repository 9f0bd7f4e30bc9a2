using MASQuant.Runtime;
using MASQuant.Tests;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>Models in a host: registered, validated when it starts, opened once, closed with it.</summary>
public class HostTests
{
    [Fact]
    public async Task A_path_is_enough()
    {
        MultimodalModel model;
        using (var logs = new Logs())
        {
            using var host = Host(services => services.AddMASQuant(RepositoryFiles.VlTiny), logs);
            await host.StartAsync();
            Assert.DoesNotContain(logs.Entries, entry => entry.Event == 1 && entry.Category == MASQuantTelemetry.Name); // nobody has asked yet
            var client = host.Services.GetRequiredService<IChatClient>();
            model = host.Services.GetRequiredService<MultimodalModel>();
            Assert.Same(model, client.GetService<MultimodalModel>());
            Assert.Equal(string.Concat(model.Generate(new Prompt().Text("Read."))), (await client.GetResponseAsync("Read.")).Text);
            Assert.Equal([1, 2, 3], logs.Entries.Where(entry => entry.Category == MASQuantTelemetry.Name).Select(entry => entry.Event));
            Assert.StartsWith($"Loaded VlTiny from {RepositoryFiles.VlTiny} on cpu in ", logs.Entries.First(entry => entry.Event == 1 && entry.Category == MASQuantTelemetry.Name).Text, StringComparison.Ordinal);
            await host.StopAsync();
        }

        Assert.Throws<ObjectDisposedException>(() => model.Generate(new Prompt().Text("Read.")));
    }

    [Fact]
    public async Task Models_have_keys_options_and_factories()
    {
        using var host = Host(services => services
            .AddKeyedMASQuant("small", options =>
            {
                options.ModelPath = RepositoryFiles.VlTiny;
                options.Model = new ModelOptions { Limits = new ModelLimits { PromptTokens = 12 } };
                options.Chat = new ModelChatOptions { ModelId = "vl" };
            })
            .AddKeyedMASQuant("large", options => options.Load = _ => MultimodalModel.Load(RepositoryFiles.OmniTiny))
            .AddMASQuant(options => options.Load = services => services.GetRequiredKeyedService<MultimodalModel>("large")));
        await host.StartAsync();
        string? NameOf(IChatClient client) => client.GetService<ChatClientMetadata>()!.DefaultModelId;
        Assert.Equal("vl", NameOf(host.Services.GetRequiredKeyedService<IChatClient>("small")));
        Assert.Equal("OmniTiny", NameOf(host.Services.GetRequiredKeyedService<IChatClient>("large")));
        Assert.Same(host.Services.GetRequiredKeyedService<MultimodalModel>("large"), host.Services.GetRequiredService<IChatClient>().GetService<MultimodalModel>());
        await Assert.ThrowsAsync<MASQuantException>(() => host.Services.GetRequiredKeyedService<IChatClient>("small").GetResponseAsync("A question of more than twelve tokens."));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Others_are_stacked_on_the_client_in_either_order(bool before)
    {
        using var host = Host(services =>
        {
            if (before)
            {
                Stack(services);
            }

            services.AddMASQuant(() => MultimodalModel.Load(RepositoryFiles.VlTiny));
            if (!before)
            {
                Stack(services);
            }
        });
        var client = host.Services.GetRequiredService<IChatClient>();
        Assert.IsType<FunctionInvokingChatClient>(client);
        Assert.Same(host.Services.GetRequiredService<MultimodalChatClient>(), client.GetService<MultimodalChatClient>());

        static void Stack(IServiceCollection services) => services.AddChatClient(services => services.GetRequiredService<MultimodalChatClient>()).UseFunctionInvocation();
    }

    [Theory]
    [InlineData("No model is given")]
    [InlineData("Two models are given")]
    [InlineData("is for the model of ModelPath")]
    [InlineData("absent.safetensors: MASQ0942: The model is not there")]
    public async Task What_is_wrong_with_a_model_is_told_when_the_host_starts(string problem)
    {
        foreach (var keyed in (bool[])[false, true])
        {
            void Configure(MASQuantOptions options)
            {
                options.ModelPath = problem.StartsWith("absent", StringComparison.Ordinal) ? "absent.safetensors" : problem.StartsWith("Two", StringComparison.Ordinal) ? RepositoryFiles.VlTiny : null;
                options.Load = problem.StartsWith("Two", StringComparison.Ordinal) || problem.StartsWith("is", StringComparison.Ordinal) ? _ => throw new InvalidOperationException() : null;
                options.Model = problem.StartsWith("is", StringComparison.Ordinal) ? new ModelOptions() : null;
            }

            using var host = Host(services => _ = keyed ? services.AddKeyedMASQuant("key", Configure) : services.AddMASQuant(Configure));
            var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
            Assert.Contains(problem, error.Message, StringComparison.Ordinal);
            Assert.Contains("MASQ0942", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_health_check_says_whether_the_model_is_open()
    {
        using var folder = new TemporaryDirectory();
        Directory.CreateDirectory(folder.File("broken"));
        using var host = Host(services => services
            .AddMASQuant(RepositoryFiles.VlTiny)
            .AddKeyedMASQuant("broken", options => options.ModelPath = folder.File("broken"))
            .AddHealthChecks().AddCheck<ModelHealthCheck>("model")
            .Add(new HealthCheckRegistration("broken", services => new ModelHealthCheck(services, "broken"), HealthStatus.Degraded, null)));
        await host.StartAsync();
        var checks = host.Services.GetRequiredService<HealthCheckService>();
        var report = await checks.CheckHealthAsync();
        Assert.Equal((HealthStatus.Healthy, "VlTiny is open on cpu."), (report.Entries["model"].Status, report.Entries["model"].Description));
        Assert.Equal(HealthStatus.Degraded, report.Entries["broken"].Status);
        Assert.IsType<MASQuantException>(report.Entries["broken"].Exception);
        host.Services.GetRequiredService<MultimodalModel>().Dispose();
        report = await checks.CheckHealthAsync();
        Assert.Equal(HealthStatus.Unhealthy, report.Entries["model"].Status);
        Assert.IsType<ObjectDisposedException>(report.Entries["model"].Exception);
    }

    private static IHost Host(Action<IServiceCollection> configure, Logs? logs = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        if (logs is not null)
        {
            builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(logs);
        }

        configure(builder.Services);
        return builder.Build();
    }
}
