using System.Collections.Frozen;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace MASQuant.Server;

/// <summary>A page at <c>/</c> to talk to the model with: the files of <c>Page/</c>, which hold no secret and ask nobody but this server.</summary>
internal static class ModelPage
{
    // No script, style or address but the server's own; attached media are data URLs, and no other site may frame it.
    private const string ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; media-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly FrozenDictionary<string, (string File, string Type)> Files = new Dictionary<string, (string, string)>
    {
        ["/"] = ("index.html", "text/html; charset=utf-8"),
        ["/page.css"] = ("page.css", "text/css; charset=utf-8"),
        ["/page.js"] = ("page.js", "text/javascript; charset=utf-8"),
        ["/media.js"] = ("media.js", "text/javascript; charset=utf-8"),
        ["/wire.js"] = ("wire.js", "text/javascript; charset=utf-8"),
    }.ToFrozenDictionary();

    /// <summary>Whether a path is one of its files, which need no key to be read.</summary>
    public static bool Has(PathString path) => Files.ContainsKey(path.Value ?? "");

    /// <summary>Maps its files.</summary>
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        foreach (var (path, (file, type)) in Files)
        {
            var bytes = Read(file);
            endpoints.MapGet(path, context => WriteAsync(context, bytes, type));
        }
    }

    private static async Task WriteAsync(HttpContext context, byte[] bytes, string type)
    {
        var headers = context.Response.Headers;
        headers.ContentType = type;
        headers.ContentLength = bytes.Length;
        headers.CacheControl = "no-cache";
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Permissions-Policy"] = "camera=(self), microphone=(self)";
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
    }

    private static byte[] Read(string file)
    {
        using var stream = typeof(ModelPage).Assembly.GetManifestResourceStream($"Page/{file}")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
