using System.Text;
using MASQuant.Engine.Models;
using MASQuant.Evaluation.Reports;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Allocation;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Parts;
using MASQuant.Quantization.Run;
using MASQuant.Tests;

namespace MASQuant.Fuzz.Readers;

/// <summary>Files beside artifacts, in work folders and in parts, and the conversations that runs read.</summary>
/// <param name="scratch">Holds them.</param>
internal sealed class RunReaders(Scratch scratch)
{
    private static readonly byte[] Manifest = File.ReadAllBytes(Path.Combine(CorpusFiles.Root, "Corpus", "manifest", "two-layers.json"));
    private static readonly ModelConfig Omni = ModelConfigReader.ReadFolder(RepositoryFiles.OmniTiny);
    private static readonly MediaCounter Counter = new(Omni, PreprocessorConfigReader.Read(new FileSource(("preprocessor_config.json", "{}"u8.ToArray())), Omni), new ImageBudget { Limits = MediumReaders.Limits });

    /// <summary>What a work folder says of a block: for the manifest and for reports, its seal and its times.</summary>
    public void Block(byte[] json)
    {
        var files = new BlockFiles(scratch.Path);
        foreach (var file in (string[])[files.Facts(0), files.Details(0), files.Seal(0), files.Times(0)])
        {
            File.WriteAllBytes(file, json);
        }

        _ = files.TryReadFacts(0);
        _ = files.ReadTimes(0);
        new BlockSeals(files).IsWhole(0, CancellationToken.None);
    }

    /// <summary>Facts and times beside a manifest, and the report of them.</summary>
    public void Facts(byte[] json)
    {
        var manifest = scratch.Once("report.masquant.json", Manifest);
        scratch.File("report.masquant.facts.json", json);
        scratch.File("report.masquant.times.json", json);
        if (ReportModel.Read(manifest) is { } model && (model.Facts is not null || model.Times is not null))
        {
            QuantizationReport.Render(model);
        }
    }

    /// <summary>The ranks of a run that was interrupted, behind their hash.</summary>
    public static void Ranks(byte[] text)
    {
        if (LayerRanks.TryParse(Encoding.UTF8.GetString(text), out var ranks, out _) && (!LayerRanks.TryParse(ranks.ToString(), out var again, out _) || !again.Equals(ranks)))
        {
            throw new InvalidOperationException($"'{ranks}' is read as other ranks than it was written from.");
        }
    }

    /// <summary>Measurements of a search that are kept, and what is counted with them.</summary>
    public static void Noise(byte[] json)
    {
        if (ModelNoise.TryParse(json) is { } noise)
        {
            foreach (var group in noise.Groups)
            {
                _ = noise.Cost(group, Modality.Vision) + group.Remainder(Modality.Vision, _ => 4) + group.ParsedScheme.WeightBits;
            }
        }
    }

    /// <summary>What a part says of itself.</summary>
    public void Part(byte[] json)
    {
        scratch.Once("model.json", NoLayers);
        scratch.File("part.json", json);
        var part = PartFolder.Open(scratch.Path);
        _ = part.FindDamage(CancellationToken.None);
        _ = part.Times;
    }

    /// <summary>Conversations, and what counts their media.</summary>
    public void Conversations(byte[] lines)
    {
        scratch.Once("a.png", Image);
        foreach (var conversation in ConversationFile.Read(scratch.File("a.jsonl", lines)))
        {
            _ = CalibrationSet.Hash(conversation);
            foreach (var part in VideoFrames.Take(conversation.Messages, Omni, new ImageBudget { MaxFrames = 4, Limits = MediumReaders.Limits }).SelectMany(message => message.Content).Where(part => part is ImagePart or VideoPart))
            {
                Counter.Count(part);
            }
        }
    }

    private static byte[] NoLayers { get; } = ManifestFile.Serialize(ManifestFile.Parse(Manifest, "") with { Layers = [] });

    private static byte[] Image { get; } = File.ReadAllBytes(Directory.GetFiles(Path.Combine(CorpusFiles.Root, "Corpus", "png"))[0]);
}
