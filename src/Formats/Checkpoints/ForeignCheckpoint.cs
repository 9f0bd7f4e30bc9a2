using MASQuant.Diagnostics;
using MASQuant.Formats.Configuration;
using MASQuant.Platform;

namespace MASQuant.Formats.Checkpoints;

/// <summary>Says what a folder holds in place of a checkpoint in the hub's layout, and what to do about it.</summary>
internal static class ForeignCheckpoint
{
    private const string AdapterFile = "adapter_config.json";

    // Inside of names: an adapter's tensors between those of the model.
    private static readonly string[] AdapterParts = [".lora_", ".base_layer."];

    private static readonly string[] AdapterWeights = ["adapter_model.safetensors", "adapter_model.bin"];

    private static readonly (string Prefix, string Tool, string Remedy)[] Tools =
    [
        ("base_model.model.", "of PEFT, whose adapters are not merged", "Merge them (merge_and_unload), save the model, and give that folder."),
        ("language_model.", "of MLX or of an inference server", "Take the original checkpoint."),
        ("blk.", "of llama.cpp (GGUF)", "Take the original checkpoint."),
        ("module.", "of a training wrapper (DeepSpeed, DistributedDataParallel)", "Save the model itself with save_pretrained, and give that folder."),
        ("_orig_mod.", "of torch.compile's wrapper", "Save the model itself with save_pretrained, and give that folder."),
        ("decoder.layers.", "of Megatron", "Convert the checkpoint to the hub's layout."),
    ];

    private static readonly (string Pattern, string Kind, string Remedy)[] Weights =
    [
        ("*.gguf", "weights of llama.cpp (GGUF)", "Take the original checkpoint."),
        ("*.bin", "weights in PyTorch's own format", "Load the model and save it with safe_serialization, which writes safetensors."),
        ("*.pt*", "weights in PyTorch's own format", "Load the model and save it with safe_serialization, which writes safetensors."),
        ("*.incomplete", "a download that has not ended", "Download it again: what is there is taken up."),
        ("*.safetensors", "safetensors files of other names", "Take all files of the checkpoint's repository, under their own names."),
    ];

    /// <summary>What to throw for a folder without weights in the hub's layout.</summary>
    public static MASQuantException Missing(string folder) => AdapterIn(folder) ?? new MASQuantException(DiagnosticCodes.CheckpointMissing, folder,
        Directory.Exists(folder) ? $"The folder holds neither {Checkpoint.SingleFileName} nor {CheckpointIndex.FileName}{Instead(folder)}"
        : File.Exists(folder) ? "This is a file. Give the folder of a checkpoint in the hub's layout."
        : "There is no such folder. Download the checkpoint and give its folder; a name on the hub is none.");

    /// <summary>What to throw for a folder with an adapter and no model; null for other folders.</summary>
    public static MASQuantException? AdapterIn(string folder) => AdapterName(folder) is not { } adapter ? null : new MASQuantException(DiagnosticCodes.AdapterAlone, folder,
        $"The folder holds {adapter}, no model. Merge it into the model first (PEFT: merge_and_unload, then save_pretrained), and give that folder.");

    /// <summary>Refuses an adapter's weights beside a model's: other tools put them on top.</summary>
    /// <exception cref="MASQuantException">MASQ0113.</exception>
    public static void RefuseAdapterBeside(string folder)
    {
        if (AdapterWeights.Any(file => File.Exists(Path.Combine(folder, file))) && AdapterName(folder) is { } adapter)
        {
            throw new MASQuantException(DiagnosticCodes.AdapterAlone, folder,
                $"The folder holds {adapter} beside a model, and whether it is merged into it cannot be told. Merge it (PEFT: merge_and_unload, then save_pretrained) into a folder of its own; if that is done, remove {AdapterFile} and the adapter's weights.");
        }
    }

    /// <summary>Refuses tensors of an adapter, and tensors none of which is a decoder's by its name, but another tool's.</summary>
    /// <exception cref="MASQuantException">MASQ0112.</exception>
    public static void Refuse(string folder, IEnumerable<string> storedNames, IEnumerable<string> canonicalNames)
    {
        if (storedNames.FirstOrDefault(name => AdapterParts.Any(part => name.Contains(part, StringComparison.Ordinal))) is { } adapter)
        {
            throw Named(folder, Tools[0].Tool, adapter, Tools[0].Remedy);
        }

        if (canonicalNames.Any(name => name.StartsWith("model.", StringComparison.Ordinal)))
        {
            return;
        }

        foreach (var (prefix, tool, remedy) in Tools)
        {
            if (storedNames.FirstOrDefault(name => name.StartsWith(prefix, StringComparison.Ordinal)) is { } found)
            {
                throw Named(folder, tool, found, remedy);
            }
        }
    }

    private static MASQuantException Named(string folder, string tool, string found, string remedy)
        => new(DiagnosticCodes.TensorNamesForeign, folder, $"The tensors have the names {tool}: '{found}'. {remedy}");

    private static string? AdapterName(string folder) => !Checkpoint.TryReadFile(folder, AdapterFile, out var json) ? null
        : ConfigSection.Read(json, Path.Combine(folder, AdapterFile), root => root.Text("base_model_name_or_path")) is { } name ? $"an adapter of '{name}'" : "an adapter";

    private static string Instead(string folder)
    {
        foreach (var (pattern, kind, remedy) in Weights)
        {
            if (FileSystem.Current.Files(folder, pattern).Select(file => file.Name).Order(StringComparer.Ordinal).FirstOrDefault() is { } file)
            {
                return $", but {kind}: '{file}'. {remedy}";
            }
        }

        return ". Give the folder of a checkpoint in the hub's layout.";
    }
}
