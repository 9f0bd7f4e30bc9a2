namespace MASQuant.Tests;

/// <summary>How a <see cref="CacheServer"/> answers.</summary>
public enum ServerManner
{
    Good,
    Silent,
    Trickles,
    StallsInContent,
    Drips,
    Fails,
    RedirectsToFile,
    RedirectsToHost,
    Truncates,
    Swaps,
    SwapsResults,
    SendsTooMuch,
    AnnouncesTooMuch,
    LacksContent,
    RefusesUploads,
    StallsUploads,
    Garbage,
}
