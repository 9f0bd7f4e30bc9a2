using MASQuant.Diagnostics;
using MASQuant.Engine.Tests.Layouts;
using MASQuant.Formats.Configuration;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Configuration;

public sealed class PreprocessorConfigReaderTests
{
    private const string Own = "preprocessor_config.json";
    private const string Videos = "video_preprocessor_config.json";
    private const string Common = "processor_config.json";

    [Fact]
    public void The_preprocessors_files_read_as_they_say()
    {
        using var omni = new TinyCopy(RepositoryFiles.OmniTiny);
        var config = omni.Preprocessor();
        Assert.Equal((3136, 12845056, 16000, 400, 160, 300), (config.MinPixels, config.MaxPixels, config.SamplingRate, config.FourierSize, config.HopLength, config.ChunkLength));
        Assert.Equal([0.48145466f, 0.4578275f, 0.40821073f], config.ImageMean);
        Assert.Equal([0.26862954f, 0.26130258f, 0.27577711f], config.ImageStd);
    }

    [Theory]
    [InlineData("""{"min_pixels":100,"max_pixels":200}""", 100, 200)]
    [InlineData("""{"size":{"shortest_edge":100,"longest_edge":200}}""", 100, 200)]
    [InlineData("""{"size":{"min_pixels":100,"max_pixels":200}}""", 100, 200)]
    [InlineData("""{"size":{"shortest_edge":100,"longest_edge":200},"max_pixels":300}""", 100, 300)]
    [InlineData("""{"size":{"shortest_edge":100,"longest_edge":200},"min_pixels":null,"max_pixels":null}""", 100, 200)]
    [InlineData("""{}""", 3136, 1003520)]
    public void Image_limits_read_in_every_spelling(string json, int least, int most)
    {
        var config = Vl(Own, json);
        Assert.Equal((least, most), (config.MinPixels, config.MaxPixels));
        Assert.Null(config.VideoPixels);
    }

    /// <summary>do_rescale and do_normalize leave out their step, as transformers does.</summary>
    [Fact]
    public void Steps_that_are_switched_off_are_left_out()
    {
        var config = Vl(Own, """{"do_rescale":false,"do_normalize":false,"rescale_factor":0.5,"image_mean":[9,9,9]}""");
        Assert.Equal(1, config.RescaleFactor);
        Assert.Equal([0, 0, 0], config.ImageMean);
        Assert.Equal([1, 1, 1], config.ImageStd);
        Assert.Equal(0.5, Vl(Own, """{"rescale_factor":0.5}""").RescaleFactor);
        Assert.Equal(1 / 255d, Vl(Own, """{"rescale_factor":0.00392156862745098}""").RescaleFactor);
    }

    [Fact]
    public void The_common_file_counts_more_than_the_others()
    {
        using var model = new TinyCopy(RepositoryFiles.OmniTiny);
        model.Write(Own, """{"min_pixels":1,"max_pixels":2,"hop_length":100}""").Write(Videos, """{"size":{"shortest_edge":3,"longest_edge":4}}""");
        Assert.Equal((1, 2, 100, new PixelLimits(3, 4)), Limits(model));
        model.Write(Common, """{"image_processor":{"size":{"shortest_edge":5,"longest_edge":6}}}""");
        Assert.Equal((5, 6, 100, new PixelLimits(3, 4)), Limits(model));
        model.Write(Common, """{"feature_extractor":{"hop_length":80},"image_processor":{"min_pixels":5,"max_pixels":6},"video_processor":{"min_pixels":7,"max_pixels":8}}""");
        Assert.Equal((5, 6, 80, new PixelLimits(7, 8)), Limits(model));
        model.Delete(Own, Videos);
        Assert.Equal((5, 6, 80, new PixelLimits(7, 8)), Limits(model));
        model.Write(Common, """{"processor_class":"Qwen2_5OmniProcessor"}""");
        Assert.Equal(DiagnosticCodes.ModelFileMissing, Assert.Throws<MASQuantException>(model.Preprocessor).Code);

        static (int, int, int, PixelLimits?) Limits(TinyCopy model) => model.Preprocessor() is var config ? (config.MinPixels, config.MaxPixels, config.HopLength, config.VideoPixels) : default;
    }

    /// <summary>A video processor that says nothing of sizes leaves Omni's videos the limits of its class, whatever images have.</summary>
    [Theory]
    [InlineData("{}", 128 * 28 * 28, 768 * 28 * 28)]
    [InlineData("""{"max_pixels":200704}""", 128 * 28 * 28, 200704)]
    public void Limits_of_videos_that_are_not_given_are_not_those_of_images(string json, int least, int most)
    {
        using var model = new TinyCopy(RepositoryFiles.OmniTiny);
        model.Write(Own, """{"min_pixels":3136,"max_pixels":12845056}""").Write(Videos, json);
        Assert.Equal(new PixelLimits(least, most), model.Preprocessor().VideoPixels);
    }

    [Theory]
    [InlineData("""{"min_pixels":300,"max_pixels":200}""", "min_pixels")]
    [InlineData("""{"min_pixels":0}""", "min_pixels")]
    [InlineData("""{"image_std":[0,1,1]}""", "image_std")]
    [InlineData("""{"image_mean":[0.5,0.5]}""", "image_mean")]
    [InlineData("""{"size":{"height":448,"width":448}}""", "size")]
    [InlineData("""{"resample":2}""", "resample")]
    [InlineData("""{"do_resize":false}""", "do_resize")]
    [InlineData("""{"do_convert_rgb":false}""", "do_convert_rgb")]
    [InlineData("""{"do_center_crop":true}""", "do_center_crop")]
    [InlineData("""{"do_pad":true}""", "do_pad")]
    [InlineData("""{"patch_size":16}""", "patch_size")]
    [InlineData("""{"merge_size":4}""", "merge_size")]
    [InlineData("""{"temporal_patch_size":1}""", "temporal_patch_size")]
    [InlineData("""{"data_format":"channels_last"}""", "data_format")]
    [InlineData("""{"input_data_format":"channels_last"}""", "input_data_format")]
    public void What_cannot_be_done_to_images_is_refused_by_name(string json, string member) => AssertRefused(member, () => Vl(Own, json));

    [Fact]
    public void Half_a_size_is_refused()
        => Assert.Contains("'size.longest_edge' is missing", Assert.Throws<MASQuantException>(() => Vl(Own, """{"size":{"shortest_edge":100}}""")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"image_mean":[0,0,0]}""", "image_mean")]
    [InlineData("""{"image_std":[1,1,1]}""", "image_std")]
    [InlineData("""{"do_rescale":false}""", "rescale_factor")]
    [InlineData("""{"do_normalize":false}""", "image_mean")]
    [InlineData("""{"max_video_tokens":1000}""", "max_video_tokens")]
    [InlineData("""{"patch_size":16}""", "patch_size")]
    [InlineData("""{"size":{"height":448,"width":448}}""", "size")]
    public void What_cannot_be_done_to_videos_is_refused_by_name(string json, string member) => AssertRefused(member, () => Vl(Videos, json));

    [Theory]
    [InlineData("""{"hop_length":0}""", "hop_length")]
    [InlineData("""{"hop_length":24}""", "hop_length")] // of windows of 400
    [InlineData("""{"n_fft":65521}""", "n_fft")] // the largest prime of 16 bits
    [InlineData("""{"n_fft":16381}""", "n_fft")] // a prime
    [InlineData("""{"n_fft":407}""", "n_fft")] // 11 · 37
    [InlineData("""{"n_fft":16416}""", "n_fft")] // 2⁵ · 3³ · 19
    [InlineData("""{"sampling_rate":8000}""", "sampling_rate")]
    [InlineData("""{"sampling_rate":48000}""", "sampling_rate")]
    [InlineData("""{"feature_size":80}""", "feature_size")]
    [InlineData("""{"dither":0.1}""", "dither")]
    [InlineData("""{"padding_value":1}""", "padding_value")]
    [InlineData("""{"padding_side":"left"}""", "padding_side")]
    [InlineData("""{"n_samples":480000}""", "n_samples")]
    [InlineData("""{"nb_max_frames":3000}""", "nb_max_frames")]
    [InlineData("""{"do_normalize":true}""", "do_normalize")]
    public void What_cannot_be_done_to_sound_is_refused_by_name(string json, string member) => AssertRefused(member, () =>
    {
        using var model = new TinyCopy(RepositoryFiles.OmniTiny);
        model.Write(Common, $$"""{"image_processor":{},"feature_extractor":{{json}}}""").Preprocessor();
    });

    private static void AssertRefused(string member, Action read)
    {
        var refusal = Assert.Throws<MASQuantException>(read);
        Assert.Equal(DiagnosticCodes.ConfigOutOfRange, refusal.Code);
        Assert.Contains($"{member}' ", refusal.Message, StringComparison.Ordinal);
    }

    private static PreprocessorConfig Vl(string file, string json)
    {
        using var model = new TinyCopy(RepositoryFiles.VlTiny);
        return model.Write(file, json).Preprocessor();
    }
}
