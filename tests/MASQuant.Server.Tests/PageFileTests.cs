using System.Text.RegularExpressions;

namespace MASQuant.Server.Tests;

/// <summary>The page's files, without a browser.</summary>
public partial class PageFileTests(OmniServer omni) : IClassFixture<OmniServer>
{
    private readonly Served _served = omni.Served;

    /// <summary>All that the page names is served, held to the same policy, and names no other site.</summary>
    [Fact]
    public async Task It_is_whole_and_its_own()
    {
        var (paths, done) = (new Queue<string>([""]), new HashSet<string>());
        while (paths.TryDequeue(out var path))
        {
            if (!done.Add(path))
            {
                continue;
            }

            using var response = await _served.Http.GetAsync("/" + path);
            response.EnsureSuccessStatusCode();
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';", Assert.Single(response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
            var text = await response.Content.ReadAsStringAsync();
            Assert.DoesNotMatch("//[a-z0-9]", text); // an address of another site; comments have a space
            foreach (Match named in Named().Matches(text))
            {
                paths.Enqueue(named.Groups[1].Value);
            }
        }

        Assert.Equal(["", "media.js", "page.css", "page.js", "wire.js"], done.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("""["'](?:\./)?([a-z]+\.(?:css|js))["']""")]
    private static partial Regex Named();
}
