namespace MASQuant.Platform;

/// <summary>Time, as all of this code reads it but for the threads that spin: tests put a clock in its place that jumps.</summary>
internal static class Clock
{
    private static readonly AsyncLocal<TimeProvider?> Replaced = new();

    /// <summary>The clock of whoever runs.</summary>
    public static TimeProvider Current => Replaced.Value ?? TimeProvider.System;

    /// <summary>The date, which people and other machines may set back.</summary>
    public static DateTime UtcNow => Current.GetUtcNow().UtcDateTime;

    /// <summary>Puts another in its place, for this thread and what it starts from here on; null puts the system's back.</summary>
    public static void Use(TimeProvider? other) => Replaced.Value = other;
}
