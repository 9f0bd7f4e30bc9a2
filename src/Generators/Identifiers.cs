using System.Collections.Generic;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis.CSharp;

namespace MASQuant.Generators;

/// <summary>Makes C# names of any text.</summary>
internal static class Identifiers
{
    /// <summary><c>down_proj</c> → <c>DownProj</c>; never empty, never a digit first.</summary>
    public static string Pascal(string text)
    {
        var name = new StringBuilder();
        var upper = true;
        foreach (var letter in text)
        {
            if (!char.IsLetterOrDigit(letter))
            {
                upper = true;
                continue;
            }

            name.Append(upper ? char.ToUpperInvariant(letter) : letter);
            upper = false;
        }

        return Valid(name.ToString());
    }

    /// <summary>A name with every character that C# forbids replaced by <c>_</c>, without the <c>@</c> that a keyword needs.</summary>
    public static string Valid(string text)
    {
        var name = new string([.. text.Select(letter => SyntaxFacts.IsIdentifierPartCharacter(letter) ? letter : '_')]);
        return name.Length == 0 || !SyntaxFacts.IsIdentifierStartCharacter(name[0]) ? "_" + name : name;
    }

    /// <summary>As written in source: keywords get their <c>@</c>.</summary>
    public static string Escape(string name)
        => SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None || SyntaxFacts.GetContextualKeywordKind(name) != SyntaxKind.None ? "@" + name : name;

    /// <summary>A dotted namespace with every part escaped.</summary>
    public static string Namespace(string text) => string.Join(".", text.Split('.').Select(part => Escape(Valid(part))));

    /// <summary><paramref name="name"/>, or with as many underscores as make it new to <paramref name="taken"/>, which it joins.</summary>
    public static string Unique(string name, ISet<string> taken)
    {
        while (!taken.Add(name))
        {
            name += "_";
        }

        return name;
    }
}
