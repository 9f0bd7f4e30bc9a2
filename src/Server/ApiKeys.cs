using System.Security.Cryptography;
using System.Text;

namespace MASQuant.Server;

/// <summary>The keys of a server, as hashes: how long a comparison takes says nothing of them.</summary>
internal sealed class ApiKeys(IReadOnlyList<string> keys)
{
    private const string Scheme = "Bearer ";

    private readonly byte[][] _hashes = [.. keys.Select(Hash)];

    /// <summary>Whether anybody is asked for a key.</summary>
    public bool AreSet => _hashes.Length > 0;

    /// <summary>Which key a header gives; -1: none of them. All are compared, whichever it is.</summary>
    public int IndexOf(string? header)
    {
        var found = -1;
        if (header?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true)
        {
            var given = Hash(header[Scheme.Length..]);
            for (var i = 0; i < _hashes.Length; i++)
            {
                found = CryptographicOperations.FixedTimeEquals(_hashes[i], given) ? i : found;
            }
        }

        return found;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
