using System.Runtime.InteropServices;
using System.Text;
using MASQuant.Engine.Models;
using MASQuant.Engine.Text;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Tests;

namespace MASQuant.Fuzz.Readers;

/// <summary>The JSON files of a checkpoint.</summary>
internal static class ConfigurationReaders
{
    private const string TokenizerName = "tokenizer.json";
    private const string Sentence = "<|im_start|>user\nWhat does 12.5 % of été’s  e\u0301 😀 mean?<|im_end|>\n";

    private static readonly byte[] OmniConfig = File.ReadAllBytes(Path.Combine(RepositoryFiles.OmniTiny, ModelConfigReader.FileName));
    private static readonly ModelConfig Omni = ModelConfigReader.Read(OmniConfig, ModelConfigReader.FileName);

    private static readonly Tokenizer OmniTokenizer = Tokenizer.Load(File.ReadAllBytes(Path.Combine(RepositoryFiles.OmniTiny, TokenizerName)), TokenizerName, Omni.ControlTokens);

    /// <summary><c>config.json</c>, and what is described by it.</summary>
    public static void Config(byte[] json)
    {
        var config = ModelConfigReader.Read(json, ModelConfigReader.FileName);
        config.Decoder();
        config.VisionTower();
        config.AudioTower();
        _ = config.ControlTokens;
        GenerationConfigReader.Read(new FileSource((ModelConfigReader.FileName, json)));
    }

    /// <summary><c>preprocessor_config.json</c>, and what media are prepared by.</summary>
    public static void Preprocessor(byte[] json) => Prepare(("preprocessor_config.json", json));

    /// <summary>The file of all processors.</summary>
    public static void Processor(byte[] json) => Prepare(("processor_config.json", json));

    /// <summary>A video processor's file beside that of images.</summary>
    public static void VideoProcessor(byte[] json) => Prepare(("preprocessor_config.json", "{}"u8.ToArray()), ("video_preprocessor_config.json", json));

    /// <summary><c>generation_config.json</c>.</summary>
    public static void Generation(byte[] json) => GenerationConfigReader.Read(json, GenerationConfigReader.FileName);

    /// <summary><c>model.safetensors.index.json</c>.</summary>
    public static void Index(byte[] json) => CheckpointIndex.Parse(json, CheckpointIndex.FileName);

    /// <summary>A chat template, in each file that may hold it.</summary>
    public static void Template(byte[] content)
    {
        foreach (var name in (string[])["chat_template.jinja", "chat_template.json", "tokenizer_config.json"])
        {
            ChatTemplate.WarningOf(new FileSource((ModelConfigReader.FileName, OmniConfig), (name, content)));
        }
    }

    /// <summary><c>tokenizer.json</c>, and a text through it there and back.</summary>
    public static void Vocabulary(byte[] json)
    {
        var tokenizer = Tokenizer.Load(json, TokenizerName, Omni.ControlTokens);
        var ids = tokenizer.Encode(Sentence);
        tokenizer.Decode(ids);
        tokenizer.EncodeSegments([TextSegment.Plain(Sentence), TextSegment.Token(3), TextSegment.Plain(Sentence)]);
        if (tokenizer.FewestTokens(Sentence) > ids.Count)
        {
            throw new InvalidOperationException($"{ids.Count} tokens are fewer than the {tokenizer.FewestTokens(Sentence)} that were promised.");
        }
    }

    /// <summary>A prompt's text, as UTF-8 and as UTF-16 with halves of pairs: it comes back in its normal form.</summary>
    public static void Text(byte[] bytes)
    {
        foreach (var text in (string[])[Encoding.UTF8.GetString(bytes), new string(MemoryMarshal.Cast<byte, char>(bytes))])
        {
            var ids = OmniTokenizer.EncodeSegments([TextSegment.Plain(text)]);
            if (OmniTokenizer.FewestTokens(text) > ids.Count || (!text.Contains('<', StringComparison.Ordinal) && OmniTokenizer.Decode(ids) != Nfc.Normalize(text)))
            {
                throw new InvalidOperationException("The text does not come back, or has fewer tokens than were promised.");
            }
        }
    }

    private static void Prepare(params (string, byte[])[] files)
    {
        var source = new FileSource([(ModelConfigReader.FileName, OmniConfig), .. files]);
        var counter = new MediaCounter(Omni, PreprocessorConfigReader.Read(source, Omni), new ImageBudget { Limits = MediumReaders.Limits });
        counter.Images.Grid(640, 480, counter.Images.ImageLimits);
        counter.Images.VideoGrid(4, 640, 480, counter.Images.VideoLimits);
        counter.Spectrogram!.CountFrames(16_000);
    }
}
