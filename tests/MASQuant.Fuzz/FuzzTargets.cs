using MASQuant.Fuzz.Mutation;
using MASQuant.Fuzz.Readers;

namespace MASQuant.Fuzz;

/// <summary>Every reader of bytes that others wrote. A new one gets a line here, a few inputs in <c>Corpus/NAME</c>, and nothing else.</summary>
internal sealed class FuzzTargets : IDisposable
{
    private const long Megabyte = 1 << 20;

    private readonly Scratch _scratch = new();

    public FuzzTargets()
    {
        var artifacts = new ArtifactReaders(_scratch);
        var runs = new RunReaders(_scratch);
        var stores = new StoreReaders(_scratch);
        All =
        [
            new("png", MediumReaders.Image, PngMutation.Mutate, Medium) { Repair = PngMutation.Repair },
            new("jpeg", MediumReaders.Image, ByteMutation.Mutate, Medium),
            new("ppm", MediumReaders.Image, ByteMutation.Mutate, Medium),
            new("webp", MediumReaders.Image, ByteMutation.Mutate, Medium),
            new("gif", MediumReaders.Image, ByteMutation.Mutate, Medium),
            new("bmp", MediumReaders.Image, ByteMutation.Mutate, Medium),
            new("wav", MediumReaders.Sound, ByteMutation.Mutate, Medium),
            new("mp3", MediumReaders.Sound, ByteMutation.Mutate, Medium),
            new("safetensors", artifacts.Safetensors, SafetensorsMutation.Mutate, Text),
            new("checkpoint", artifacts.Checkpoint, SafetensorsMutation.Mutate, Text),
            new("index", ConfigurationReaders.Index, JsonMutation.Mutate, Text),
            new("config", ConfigurationReaders.Config, JsonMutation.Mutate, Text),
            new("preprocessor", ConfigurationReaders.Preprocessor, JsonMutation.Mutate, Text),
            new("processor", ConfigurationReaders.Processor, JsonMutation.Mutate, Text),
            new("video-processor", ConfigurationReaders.VideoProcessor, JsonMutation.Mutate, Text),
            new("generation", ConfigurationReaders.Generation, JsonMutation.Mutate, Text),
            new("chat-template", ConfigurationReaders.Template, JsonMutation.Mutate, Text),
            new("tokenizer", ConfigurationReaders.Vocabulary, JsonMutation.Mutate, Text),
            new("text", ConfigurationReaders.Text, ByteMutation.Mutate, Text),
            new("artifact", artifacts.Artifact, SafetensorsMutation.Mutate, Text),
            new("block", artifacts.Block, SafetensorsMutation.Mutate, Text),
            new("manifest", artifacts.Manifest, JsonMutation.Mutate, Text),
            new("generator", ArtifactReaders.GeneratedClass, JsonMutation.Mutate, Text),
            new("conversations", runs.Conversations, LineMutation.MutateJson, Text),
            new("block-facts", runs.Block, JsonMutation.Mutate, Text),
            new("report-facts", runs.Facts, JsonMutation.Mutate, Text),
            new("ranks", RunReaders.Ranks, LineMutation.Mutate, Text),
            new("noise", RunReaders.Noise, JsonMutation.Mutate, Text),
            new("part", runs.Part, JsonMutation.Mutate, Text),
            new("action-result", stores.ActionResult, ByteMutation.Mutate, Text),
            new("notes", stores.Notes, LineMutation.Mutate, Text),
            new("prepared", stores.Prepared, LineMutation.Mutate, Text),
        ];
    }

    /// <summary>The targets.</summary>
    public IReadOnlyList<FuzzTarget> All { get; }

    /// <summary>The target of a name.</summary>
    public FuzzTarget this[string name] => All.FirstOrDefault(target => target.Name == name) ?? throw new ArgumentException($"'{name}' is none of {string.Join(", ", All.Select(target => target.Name))}.");

    /// <inheritdoc/>
    public void Dispose() => _scratch.Dispose();

    // What the limits allow for a medium, and a page of tables.
    private static long Medium(int length) => MediumReaders.Limits.MediumBytes + Megabyte;

    // Objects of a text, and tables of fixed sizes.
    private static long Text(int length) => (16 * Megabyte) + (256L * length);
}
