namespace MASQuant.Evaluation.Tuning;

/// <summary>Hears how the measurements of a tuning go.</summary>
public interface ITuningProgress
{
    /// <summary>An earlier run has done a step.</summary>
    void Reuse(string step);

    /// <summary>A step begins.</summary>
    void Begin(string step);

    /// <summary>So large a share of the measurements is done.</summary>
    void Measured(double fraction);

    /// <summary>The step ends.</summary>
    void Finish();
}
