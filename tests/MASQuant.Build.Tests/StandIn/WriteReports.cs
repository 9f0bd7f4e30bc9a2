extern alias tasks;

namespace MASQuant.Tasks;

/// <summary>The real task, under the assembly that stands in.</summary>
public sealed class WriteReports : tasks::MASQuant.Tasks.WriteReports;
