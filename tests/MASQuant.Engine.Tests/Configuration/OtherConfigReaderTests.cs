using System.Text;
using MASQuant.Diagnostics;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Configuration;

public sealed class OtherConfigReaderTests
{
    [Fact]
    public void The_preprocessors_files_read_as_they_say()
    {
        using var omni = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var config = PreprocessorConfigReader.Read(omni);
        Assert.Equal((3136, 12845056, 16000, 400, 160, 300), (config.MinPixels, config.MaxPixels, config.SamplingRate, config.FourierSize, config.HopLength, config.ChunkLength));
        Assert.Equal([0.48145466f, 0.4578275f, 0.40821073f], config.ImageMean);
        Assert.Equal([0.26862954f, 0.26130258f, 0.27577711f], config.ImageStd);
    }

    [Theory]
    [InlineData("""{"min_pixels":100,"max_pixels":200}""", 100, 200)]
    [InlineData("""{"size":{"shortest_edge":100,"longest_edge":200}}""", 100, 200)]
    [InlineData("""{"size":{"min_pixels":100,"max_pixels":200}}""", 100, 200)]
    [InlineData("""{"size":{"shortest_edge":100,"longest_edge":200},"max_pixels":300}""", 100, 300)]
    [InlineData("""{}""", 3136, 1003520)]
    public void Image_limits_read_in_every_spelling(string json, int least, int most)
    {
        var config = Preprocessor(json);
        Assert.Equal((least, most), (config.MinPixels, config.MaxPixels));
    }

    [Theory]
    [InlineData("""{"min_pixels":300,"max_pixels":200}""")]
    [InlineData("""{"min_pixels":0}""")]
    [InlineData("""{"image_std":[0,1,1]}""")]
    [InlineData("""{"image_mean":[0.5,0.5]}""")]
    [InlineData("""{"hop_length":0}""")]
    public void Impossible_preprocessing_is_refused(string json)
        => Assert.Equal(DiagnosticCodes.ConfigOutOfRange, Assert.Throws<MASQuantException>(() => Preprocessor(json)).Code);

    [Theory]
    [InlineData("""{"eos_token_id":7}""", new[] { 7 })]
    [InlineData("""{"eos_token_id":[7,8]}""", new[] { 7, 8 })]
    [InlineData("""{"eos_token_id":null}""", new int[0])]
    [InlineData("""{}""", new int[0])]
    public void End_tokens_read_as_one_or_as_a_list(string json, int[] ids) => Assert.Equal(ids, Generation(json).EndTokenIds);

    [Fact]
    public void A_published_generation_file_reads()
    {
        // Qwen2.5-VL-3B-Instruct's.
        var config = Generation("""{"bos_token_id":151643,"pad_token_id":151643,"do_sample":true,"eos_token_id":[151645,151643],"repetition_penalty":1.05,"temperature":0.000001,"transformers_version":"4.49.0"}""");
        Assert.Equal((true, 0.000001, 1.0, 50, 1.05), (config.Sample, config.Temperature, config.TopP, config.TopK, config.RepetitionPenalty));
    }

    [Theory]
    [InlineData("""{"temperature":-1}""")]
    [InlineData("""{"top_p":1.5}""")]
    [InlineData("""{"eos_token_id":[-1]}""")]
    [InlineData("""{"repetition_penalty":0}""")]
    public void Impossible_sampling_is_refused(string json)
        => Assert.Equal(DiagnosticCodes.ConfigOutOfRange, Assert.Throws<MASQuantException>(() => Generation(json)).Code);

    [Fact]
    public void Without_a_generation_file_the_models_end_token_counts()
    {
        using var folder = new TemporaryDirectory();
        File.Copy(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"), folder.File("model.safetensors"));
        File.Copy(Path.Combine(RepositoryFiles.VlTiny, "config.json"), folder.File("config.json"));
        using var checkpoint = Checkpoint.Open(folder.Path);
        Assert.Equal([1200], GenerationConfigReader.Read(checkpoint).EndTokenIds);
    }

    private static PreprocessorConfig Preprocessor(string json) => PreprocessorConfigReader.Read(Encoding.UTF8.GetBytes(json), "preprocessor_config.json", new Qwen25VL().Preprocessor);

    private static GenerationConfig Generation(string json) => GenerationConfigReader.Read(Encoding.UTF8.GetBytes(json), "generation_config.json");
}
