namespace MASQuant.Evaluation.Scores;

/// <summary>Hears how an evaluation goes; what it is told to report is the number of conversations that are done.</summary>
public interface IEvaluationLog : IProgress<int>
{
    /// <summary>So many conversations begin.</summary>
    void Begin(int conversations);

    /// <summary>Something that speaks against the figures and does not stop the evaluation.</summary>
    void Warn(MASQuantException problem);
}
