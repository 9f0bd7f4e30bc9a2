using System.Collections;
using System.Text.Json;
using MASQuant.Tasks;
using MASQuant.Tests;
using Microsoft.Build.Utilities;

namespace MASQuant.Build.Tests;

/// <summary>What authors of checkpoints write reaches a build's loggers written out.</summary>
public sealed class HostileTextTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Members_of_configurations_steer_no_logger()
    {
        File.WriteAllText(_folder.File("config.json"), JsonSerializer.Serialize(new Dictionary<string, string> { ["model_type"] = HostileText.Value }));
        File.WriteAllText(_folder.File("tokenizer.json"), "{}");
        File.WriteAllText(_folder.File("calibration.jsonl"), """{"messages": [{"role": "user", "content": "x"}]}""");
        var engine = new RecordingEngine();
        var item = new TaskItem(_folder.Path, new Hashtable { ["Name"] = "Tiny", ["Calibration"] = "calibration.jsonl" });
        new ComputeModelKeys { BuildEngine = engine, Models = [item], Project = _folder.File("App.csproj"), Store = _folder.File("store"), DesignTime = true }.Execute();
        Assert.Contains(engine.Texts, text => text.Contains("\\u001b[2J", StringComparison.Ordinal));
        Assert.All(engine.Texts, text => Assert.Empty(HostileText.SteeringParts(text)));
    }

    [Fact]
    public void Files_causes_and_progress_steer_no_logger()
    {
        var engine = new RecordingEngine();
        var task = new ComputeModelKeys { BuildEngine = engine };
        task.Log.LogError(new MASQuantException("MASQ0101", HostileText.FileName, HostileText.Value, new IOException(HostileText.Value)));
        task.Log.LogWarning(new MASQuantException("MASQ0101", HostileText.FileName, HostileText.Value));
        var log = new DeliveryLog(task, new BuildLines(task, "0"));
        log.Detail(HostileText.Value);
        engine.LogMessageEvent(ModelEvents.Create(ModelEvents.Progress, "Tiny", HostileText.Value));
        Assert.Equal(7, engine.Texts.Count);
        Assert.All(engine.Texts, text => Assert.Empty(HostileText.SteeringParts(text)));
    }
}
