extern alias tasks;

namespace MASQuant.Tasks;

/// <summary>The real task, under the assembly that stands in.</summary>
public sealed class CheckBudgets : tasks::MASQuant.Tasks.CheckBudgets;
