namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>A colour and a mark, so that neither is needed to tell series apart. Modalities look the same in every chart.</summary>
/// <param name="Class">The style sheet's class.</param>
/// <param name="Mark">The shape of a point.</param>
public sealed record ChartStyle(string Class, ChartMark Mark)
{
    private static readonly ChartStyle[] Others =
    [
        new("c1", ChartMark.Circle), new("c2", ChartMark.Square), new("c3", ChartMark.Triangle), new("c4", ChartMark.Diamond),
        new("c5", ChartMark.Circle), new("c6", ChartMark.Square),
    ];

    /// <summary>What is only there to compare with.</summary>
    public static ChartStyle Neutral { get; } = new("neutral", ChartMark.Circle);

    /// <summary>A modality's, by its name.</summary>
    public static ChartStyle Of(string modality) => modality switch
    {
        nameof(Modality.Text) => new("text", ChartMark.Circle),
        nameof(Modality.Vision) => new("vision", ChartMark.Square),
        nameof(Modality.Audio) => new("audio", ChartMark.Triangle),
        _ => Neutral,
    };

    /// <summary>That of the i-th of things that are no modalities: tasks, methods.</summary>
    public static ChartStyle Of(int i) => Others[i % Others.Length];
}

/// <summary>The shape of a point.</summary>
public enum ChartMark
{
    /// <summary>●</summary>
    Circle,

    /// <summary>■</summary>
    Square,

    /// <summary>▲</summary>
    Triangle,

    /// <summary>◆</summary>
    Diamond,
}
