using MASQuant.Diagnostics;
using MASQuant.Formats.Configuration;
using MASQuant.Platform;

namespace MASQuant.Formats.Checkpoints;

/// <summary>Says what a folder holds in place of a checkpoint in the hub's layout, and what to do about it.</summary>
internal static class ForeignCheckpoint
{
    private const string AdapterFile = "adapter_config.json";

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
        ("*.safetensors", "safetensors files of other names", "Take all files of the checkpoint's repository, under their own names."),
    ];

    /// <summary>What to throw for a folder without weights in the hub's layout.</summary>
    public static MASQuantException Missing(string folder) => AdapterIn(folder) ?? new MASQuantException(DiagnosticCodes.CheckpointMissing, folder,
        $"The folder holds neither {Checkpoint.SingleFileName} nor {CheckpointIndex.FileName}{Instead(folder)}");

    /// <summary>What to throw for a folder with an adapter and no model; null for other folders.</summary>
    public static MASQuantException? AdapterIn(string folder)
    {
        if (!Checkpoint.TryReadFile(folder, AdapterFile, out var json))
        {
            return null;
        }

        var of = ConfigSection.Read(json, Path.Combine(folder, AdapterFile), root => root.Text("base_model_name_or_path")) is { } name ? $" of '{name}'" : "";
        return new MASQuantException(DiagnosticCodes.AdapterAlone, folder, $"The folder holds an adapter{of}, no model. Merge it into the model first (PEFT: merge_and_unload, then save_pretrained), and give that folder.");
    }

    /// <summary>Refuses tensors none of which is a decoder's by its name, but another tool's.</summary>
    /// <exception cref="MASQuantException">MASQ0112.</exception>
    public static void Refuse(string folder, IEnumerable<string> storedNames, IEnumerable<string> canonicalNames)
    {
        if (canonicalNames.Any(name => name.StartsWith("model.", StringComparison.Ordinal)))
        {
            return;
        }

        foreach (var (prefix, tool, remedy) in Tools)
        {
            if (storedNames.FirstOrDefault(name => name.StartsWith(prefix, StringComparison.Ordinal)) is { } found)
            {
                throw new MASQuantException(DiagnosticCodes.TensorNamesForeign, folder, $"The tensors have the names {tool}: '{found}'. {remedy}");
            }
        }
    }

    private static string Instead(string folder)
    {
        if (Directory.Exists(folder))
        {
            foreach (var (pattern, kind, remedy) in Weights)
            {
                if (FileSystem.Current.Files(folder, pattern).Select(file => file.Name).Order(StringComparer.Ordinal).FirstOrDefault() is { } file)
                {
                    return $", but {kind}: '{file}'. {remedy}";
                }
            }
        }

        return ". Give the folder of a checkpoint in the hub's layout.";
    }
}
