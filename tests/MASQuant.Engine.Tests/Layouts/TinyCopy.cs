using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layouts;

/// <summary>A sample model in a folder of its own, to be changed.</summary>
internal sealed class TinyCopy : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public TinyCopy(string model)
    {
        foreach (var file in Directory.GetFiles(model))
        {
            System.IO.File.Copy(file, File(System.IO.Path.GetFileName(file)));
        }
    }

    public string Path => _folder.Path;

    public string File(string name) => _folder.File(name);

    public TinyCopy Edit(string file, Action<JsonObject> edit)
    {
        var json = System.IO.File.Exists(File(file)) ? JsonNode.Parse(System.IO.File.ReadAllText(File(file)))!.AsObject() : [];
        edit(json);
        System.IO.File.WriteAllText(File(file), json.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        return this;
    }

    public TinyCopy Write(string file, string json) => Edit(file, members =>
    {
        members.Clear();
        foreach (var (name, value) in JsonNode.Parse(json)!.AsObject())
        {
            members[name] = value?.DeepClone();
        }
    });

    public TinyCopy Delete(params ReadOnlySpan<string> files)
    {
        foreach (var file in files)
        {
            System.IO.File.Delete(File(file));
        }

        return this;
    }

    /// <summary>Writes the weights again, in one file: renamed, left out where the name is null, and with others added.</summary>
    public TinyCopy Rename(Func<string, string?> name, params IReadOnlyList<TensorPayload> added)
    {
        var files = Directory.GetFiles(Path, "*.safetensors");
        var sources = files.Select(SafetensorsFile.Open).ToList();
        SafetensorsWriter.Write(File("all"), [.. sources.SelectMany(source => source.Tensors.Where(tensor => name(tensor.Name) is not null).Select(tensor => TensorPayload.From(source, tensor, name(tensor.Name)))), .. added]);
        sources.ForEach(source => source.Dispose());
        Delete([.. files.Select(file => System.IO.Path.GetFileName(file)), "model.safetensors.index.json"]);
        System.IO.File.Move(File("all"), File("model.safetensors"));
        return this;
    }

    public Checkpoint Open() => Checkpoint.Open(Path);

    public ModelConfig Config()
    {
        using var checkpoint = Open();
        return ModelConfigReader.Read(checkpoint);
    }

    public PreprocessorConfig Preprocessor()
    {
        using var checkpoint = Open();
        return PreprocessorConfigReader.Read(checkpoint, ModelConfigReader.Read(checkpoint));
    }

    public void Dispose() => _folder.Dispose();
}
