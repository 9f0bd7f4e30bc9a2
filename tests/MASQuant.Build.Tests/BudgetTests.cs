namespace MASQuant.Build.Tests;

/// <summary>Budgets are checked in every build and never quantized for. The stand-in's model has 24.5 dB for text, 31 dB for vision.</summary>
[Trait("Lane", "build")]
public class BudgetTests
{
    [Fact]
    public void A_budget_changes_no_key_and_keeps_failing_until_it_is_met()
    {
        using var project = BuildCase.Open("OneModel");
        Assert.Equal(["Tiny"], project.Build("-p:MinSqnrVision=31").MustSucceed().Quantized);
        for (var build = 0; build < 2; build++)
        {
            var log = project.Build("-p:MinSqnrVision=40");
            Assert.Equal(1, log.ExitCode);
            Assert.Empty(log.Quantized);
            var (code, file, text) = Assert.Single(log.Errors);
            Assert.Equal(("MASQ0950", "OneModel.csproj"), (code, Path.GetFileName(file)));
            Assert.Contains("Vision has 31.0 dB in layer 0.mlp.down_proj, 9.0 dB less", text);
        }

        Assert.Empty(project.Build("-p:MinSqnrVision=").MustSucceed().Quantized);
    }

    [Fact]
    public void A_model_that_falls_short_at_once_fails_its_first_build()
    {
        using var project = BuildCase.Open("OneModel");
        var log = project.Build("-p:MinSqnrVision=30", "-p:MaxBytes=1");
        Assert.Equal(["Tiny"], log.Quantized);
        Assert.Equal(["MASQ0951"], log.Errors.Select(error => error.Code));
    }

    [Fact]
    public void A_kept_budget_is_not_checked_again_before_it_changes()
    {
        using var project = BuildCase.Open("OneModel");
        Assert.Equal(1, project.Build("-p:MinSqnrVision=31").MustSucceed().BudgetTasks);
        var again = project.Build("-p:MinSqnrVision=31").MustSucceed();
        Assert.Equal((0, 0, 0), (again.BudgetTasks, again.KeyTasks, again.Compiled)); // either task takes a process

        var changed = project.Build("-p:MinSqnrVision=30").MustSucceed();
        Assert.Equal((1, 0), (changed.BudgetTasks, changed.Quantized.Count));
    }

    [Fact]
    public void A_loss_needs_conversations()
    {
        using var project = BuildCase.Open("OneModel");
        var log = project.Build("-p:MaxEvaluationLoss=0.1");
        Assert.Equal(["MASQ0953"], log.Errors.Select(error => error.Code));
        Assert.Empty(log.Quantized);
    }
}
