using Microsoft.Extensions.AI;

namespace MASQuant.Server;

/// <summary>Reads whether the model is to think: <c>reasoning_effort</c>, or <c>chat_template_kwargs.enable_thinking</c> as servers of open models have it.</summary>
internal static class ThoughtReader
{
    /// <summary>How hard it thinks is the model's: every effort but <c>none</c> lets it.</summary>
    public static ReasoningOptions Effort(Field field, ReasoningOptions? other)
    {
        var effort = field.Text();
        return effort is "none" or "minimal" or "low" or "medium" or "high" or "xhigh" ? Of(field, effort != "none", other) : throw field.Refuse("must be none, minimal, low, medium, high or xhigh.");
    }

    /// <summary>What a template is told.</summary>
    public static ReasoningOptions? Template(Field field, ReasoningOptions? other)
        => field.Members("enable_thinking").TryGetValue("enable_thinking", out var thinks) ? Of(thinks, thinks.Flag(), other) : other;

    private static ReasoningOptions Of(Field field, bool thinks, ReasoningOptions? other)
    {
        var effort = thinks ? ReasoningEffort.Medium : ReasoningEffort.None;
        return other is null || other.Effort == effort ? new ReasoningOptions { Effort = effort } : throw field.Refuse("says another thing than the other member that has the model think or not.");
    }
}
