using MASQuant.Engine.Text;

namespace MASQuant.Engine.Constraints;

/// <summary>The grammars of a model's answers, the last few kept. Threads may share it.</summary>
/// <param name="tokenizer">The model's.</param>
internal sealed class AnswerFormats(Tokenizer tokenizer)
{
    private const int Most = 16;
    private readonly Lazy<TokenTable> _tokens = new(() => new TokenTable(tokenizer));
    private readonly LinkedList<(AnswerFormat Format, TokenGrammar Grammar)> _recent = [];

    /// <summary>The grammar of a format; null for none.</summary>
    /// <exception cref="MASQuantException">MASQ0903: its schema asks for what cannot be promised.</exception>
    public TokenGrammar? Of(AnswerFormat? format)
    {
        if (format is null)
        {
            return null;
        }

        lock (_recent)
        {
            for (var node = _recent.First; node is not null; node = node.Next)
            {
                if (node.Value.Format == format)
                {
                    _recent.Remove(node);
                    _recent.AddFirst(node);
                    return node.Value.Grammar;
                }
            }

            var expression = format.Schema is { } schema ? JsonSchemaReader.Read(schema) : JsonExpressions.AnyObject;
            _recent.AddFirst((format, new TokenGrammar(expression, _tokens.Value)));
            if (_recent.Count > Most)
            {
                _recent.RemoveLast();
            }

            return _recent.First!.Value.Grammar;
        }
    }
}
