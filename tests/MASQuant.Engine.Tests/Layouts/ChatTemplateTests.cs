using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Formats.Checkpoints;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layouts;

/// <summary>A checkpoint's chat template is known, or it is told of.</summary>
public sealed class ChatTemplateTests : IDisposable
{
    // One that Qwen2-VL and Qwen2.5-VL are known to equal; <c>Only</c> is what Qwen3-VL's has in front: no system message of its own.
    private const string Known = """
        {%- if ONLY messages[0].role != 'system' -%}{{ '<|im_start|>system
        You are a helpful assistant.<|im_end|>
        ' }}{%- endif -%}
        {%- for m in messages -%}{{ '<|im_start|>' + m.role + '
        ' }}{%- if m.content is string -%}{{ m.content }}{%- else -%}{%- for c in m.content -%}{%- if c.type == 'image' -%}{{ '<|vision_start|><|image_pad|><|vision_end|>' }}{%- elif c.type == 'video' -%}{{ '<|vision_start|><|video_pad|><|vision_end|>' }}{%- elif c.type == 'text' -%}{{ c.text }}{%- endif -%}{%- endfor -%}{%- endif -%}{{ '<|im_end|>
        ' }}{%- endfor -%}
        {%- if add_generation_prompt -%}{{ '<|im_start|>assistant
        ' }}{%- endif -%}
        """;

    private static readonly string OfVL = Known.Replace("\r\n", "\n", StringComparison.Ordinal).Replace("ONLY", "", StringComparison.Ordinal);
    private static readonly string OfLater = Known.Replace("\r\n", "\n", StringComparison.Ordinal).Replace("ONLY", "false and", StringComparison.Ordinal);

    private readonly TinyCopy _model = new(RepositoryFiles.VlTiny);

    public void Dispose() => _model.Dispose();

    // FIPS 180-2's first vector.
    [Theory]
    [InlineData("abc")]
    [InlineData("\uFEFFabc")]
    [InlineData("abc\n")]
    [InlineData("abc\r\n")]
    public void A_hash_is_of_the_text_without_mark_and_last_line_end(string template)
        => Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", ChatTemplate.Hash(template));

    [Fact]
    public void A_hash_is_of_the_text_alone()
    {
        Assert.Equal(ChatTemplate.Hash("a\nb"), ChatTemplate.Hash("a\r\nb"));
        Assert.Equal(4, new[] { "a\nb", "a\u2028b", "a b", "a\nb\n\n" }.Select(ChatTemplate.Hash).Distinct().Count());
    }

    [Fact]
    public void A_model_without_a_template_is_told_nothing_of()
    {
        Assert.Null(Warning());
        File.WriteAllText(_model.File("tokenizer_config.json"), """{"chat_template": null}""");
        Assert.Null(Warning());
    }

    [Theory]
    [InlineData("chat_template.jinja")]
    [InlineData("chat_template.json")]
    [InlineData("processor_config.json")]
    [InlineData("tokenizer_config.json")]
    public void A_template_is_known_wherever_it_stands(string file)
    {
        Write(file, OfVL);
        Assert.Null(Warning());
        Write(file, OfVL.Replace("helpful", "careful", StringComparison.Ordinal));
        AssertWarned(file);
        Write(file, OfLater); // of another family
        AssertWarned(file);
    }

    [Fact]
    public void The_file_that_counts_is_looked_at()
    {
        Write("chat_template.jinja", OfVL.Replace("\n", "\r\n", StringComparison.Ordinal));
        Write("chat_template.json", "other");
        Write("tokenizer_config.json", "other");
        Assert.Null(Warning());
        _model.Delete("chat_template.jinja");
        AssertWarned("chat_template.json");
        Write("chat_template.json", OfVL);
        Assert.Null(Warning());
        _model.Delete("chat_template.json");
        AssertWarned("tokenizer_config.json");
        Write("processor_config.json", OfVL);
        Assert.Null(Warning());
    }

    [Theory]
    [InlineData("""{"chat_template": 7}""")]
    [InlineData("""{"chat_template": [{"name": "default", "template": "x"}]}""")]
    [InlineData("""{"chat_template": "\ud83d"}""")]
    [InlineData("{")]
    [InlineData("")]
    public void What_is_no_template_is_told_of(string json)
    {
        File.WriteAllText(_model.File("chat_template.json"), json);
        AssertWarned("chat_template.json");
    }

    [Fact]
    public void The_other_family_knows_its_own()
    {
        using var folder = new TemporaryDirectory();
        var path = SmallCheckpoint.Write(folder.File("model"));
        File.WriteAllText(Path.Combine(path, "chat_template.jinja"), OfLater);
        using var source = Checkpoint.Open(path);
        Assert.Null(ChatTemplate.WarningOf(source));
        File.WriteAllText(Path.Combine(path, "chat_template.jinja"), OfVL);
        Assert.NotNull(ChatTemplate.WarningOf(source));
    }

    [SkippableTheory]
    [InlineData(FamilyFixtures.Qwen2VL)]
    [InlineData(FamilyFixtures.Qwen3VL)]
    public void Fixtures_have_known_ones(string family)
    {
        using var source = Checkpoint.Open(FamilyFixtures.Model(family));
        Assert.True(source.TryReadFile("chat_template.json", out _));
        Assert.Null(ChatTemplate.WarningOf(source));
    }

    [Fact]
    public void Every_hash_of_a_family_is_one()
        => Assert.All(ModelFamilies.Known.All, family => Assert.All(family.Chat.Templates, hash => Assert.Matches("^[0-9a-f]{64}$", hash)));

    // It is not run: the answer stays.
    [Fact]
    public void A_loaded_model_tells_and_answers()
    {
        Write("chat_template.jinja", "{{ raise_exception('no') }}");
        using var changed = LoadedModel.Load(_model.Path);
        using var model = LoadedModel.Load(RepositoryFiles.VlTiny);
        Assert.Null(model.ChatTemplateWarning);
        Assert.Equal(DiagnosticCodes.ChatTemplateUnknown, changed.ChatTemplateWarning?.Code);
        Assert.Equal(model.Prepare(new Prompt().Text("Hello.")).InputIds, changed.Prepare(new Prompt().Text("Hello.")).InputIds);
    }

    private void Write(string file, string template) => File.WriteAllText(_model.File(file), file.EndsWith(".jinja", StringComparison.Ordinal) ? template : JsonSerializer.Serialize(new { chat_template = template }));

    private MASQuantException? Warning()
    {
        using var source = Checkpoint.Open(_model.Path);
        return ChatTemplate.WarningOf(source);
    }

    private void AssertWarned(string file)
    {
        var warning = Warning();
        Assert.Equal((DiagnosticCodes.ChatTemplateUnknown, _model.File(file)), (warning?.Code, warning?.File));
        Assert.Contains("written as Qwen2.5-VL's format", warning!.Description, StringComparison.Ordinal);
    }
}
