using MASQuant.Engine.Execution;

namespace MASQuant.Cli.Tests.Faults;

/// <summary>A model is loaded and asked under failures, with an image out of a file: prefill and decode.</summary>
/// <param name="model">The artifact, or a checkpoint's folder.</param>
/// <param name="image">The image.</param>
/// <param name="loaded">Whether the model is loaded before anything fails, and used on.</param>
internal sealed class AnswerFaults(string model, string image, bool loaded) : IFaultRun
{
    private readonly LoadedModel? _kept = loaded ? LoadedModel.Load(model) : null;
    private readonly string _right = Ask(model, image);

    public IEnumerable<string> Run(IFault fault)
    {
        var open = OpenFiles.Below(model, image).Length;
        var answer = fault.During(Answer);
        if (answer != _right && !answer.StartsWith("MASQ", StringComparison.Ordinal))
        {
            yield return answer;
        }

        if (OpenFiles.Below(model, image).Length != open)
        {
            yield return $"{string.Join(", ", OpenFiles.Below(model, image))} are left open";
        }

        if (Answer() is var next && next != _right)
        {
            yield return $"the next answer is {next}";
        }
    }

    public void Dispose() => _kept?.Dispose();

    private string Answer()
    {
        try
        {
            return _kept is null ? Ask(model, image) : Ask(_kept, image);
        }
        catch (MASQuantException e)
        {
            return e.Code;
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }

    private static string Ask(string model, string image)
    {
        using var opened = LoadedModel.Load(model);
        return Ask(opened, image);
    }

    // Long enough for the keys and values to grow while decoding.
    private static string Ask(LoadedModel model, string image)
        => "Answer: " + string.Concat(model.Generate(new Prompt().Image(image).Text("Read the digits."), new GenerationOptions { MaxTokens = 40, StopTokens = [] }));
}
