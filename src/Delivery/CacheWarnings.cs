using MASQuant.Diagnostics;

namespace MASQuant.Delivery;

/// <summary>What is said of caches that fail. None of it stops a delivery.</summary>
internal static class CacheWarnings
{
    public static MASQuantException NotUsable(string? project, string folder, Exception exception) => new(DiagnosticCodes.CacheNotUsable, project,
        $"The shared cache '{folder}' cannot be used: {exception.Message.TrimEnd('.')}. Work goes on without it. Check the folder's permissions and free space, or name another one with MASQuantCacheDirectory.", exception);

    public static MASQuantException EntryDamaged(string? project, string model, string folder) => new(DiagnosticCodes.CacheEntryDamaged, project,
        $"{model} was damaged in the shared cache '{folder}'; it is removed and made again. 'masquant cache verify' checks the rest.");

    public static MASQuantException RemoteFailed(string? project, string address, Exception exception) => new(DiagnosticCodes.RemoteCacheFailed, project,
        $"The remote cache {address} does not serve: {exception.Message.TrimEnd('.')}. Work goes on without it. Check the server, or clear MASQuantRemoteCache.", exception);
}
