using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Configuration;

/// <summary>Whatever a JSON file of a checkpoint holds, it is read, or refused with a code and the file's name.</summary>
public sealed class BrokenJsonTests : IDisposable
{
    // Half a surrogate pair, numbers beyond every type, another kind, a long text; as a name it is the first.
    private static readonly string[] Values = ["\"\\ud83d\"", "\"\\udc00x\"", "1e999", "-99999999999999999999", "1e-320", "[[1]]", "{\"\\ud83d\": 1}", "null", "\"\"", "\"\\u0000\""];

    private readonly TemporaryDirectory _folder = new();

    public static TheoryData<string> Files => ["config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors.index.json"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_member_is_read_or_refused(string name)
    {
        foreach (var file in Directory.GetFiles(RepositoryFiles.OmniTiny))
        {
            File.Copy(file, _folder.File(Path.GetFileName(file)));
        }

        Open();
        var text = File.ReadAllText(_folder.File(name));
        var refused = 0;
        var paths = JsonMembers.Paths(text).ToArray();
        Assert.NotEmpty(paths);
        foreach (var path in paths)
        {
            foreach (var value in Values)
            {
                File.WriteAllText(_folder.File(name), JsonMembers.WithValue(text, path, value));
                refused += Refused(name, path, value);
            }

            File.WriteAllText(_folder.File(name), JsonMembers.WithName(text, path, "\"\\ud83d\""));
            refused += Refused(name, path, "a name");
        }

        // Of members that count, most values are wrong.
        Assert.InRange(refused, paths.Length, int.MaxValue);
    }

    private int Refused(string name, string[] path, string value)
    {
        var error = Record.Exception(Open);
        if (error is not null)
        {
            Assert.True(error is MASQuantException { File: not null }, $"{name}: {string.Join('.', path)} = {value}: {error}");
        }

        return error is null ? 0 : 1;
    }

    private void Open()
    {
        using var checkpoint = Checkpoint.Open(_folder.Path);
        var config = ModelConfigReader.Read(checkpoint);
        _ = GenerationConfigReader.Read(checkpoint);
        _ = (config.Decoder(), config.VisionTower(), config.AudioTower());
        _ = new PromptCounter(checkpoint, config);
    }
}
