using MASQuant.Engine.Text;

namespace MASQuant.Engine.Constraints;

/// <summary>The grammars of a model's answers, the last few kept. Threads may share it.</summary>
/// <param name="tokenizer">The model's.</param>
/// <param name="thoughtEnd">What ends its thoughts; null: it has none.</param>
internal sealed class AnswerFormats(Tokenizer tokenizer, string? thoughtEnd = null)
{
    private const int Most = 16;
    private readonly Lazy<TokenTable> _tokens = new(() => new TokenTable(tokenizer));
    private readonly Lazy<TokenGrammar> _thought = new(() => new TokenGrammar(ThoughtExpression.Of(thoughtEnd!), new TokenTable(tokenizer, thoughtEnd!)));
    private readonly LinkedList<(AnswerFormat Format, TokenGrammar Grammar)> _recent = [];

    /// <summary>What answers are held to; null for nothing. What is thought before them ends as its format says, and is else free.</summary>
    /// <param name="format">The format; null: any text.</param>
    /// <param name="thinks">Whether the model, which has thoughts then, thinks before.</param>
    /// <exception cref="MASQuantException">MASQ0903: its schema asks for what cannot be promised.</exception>
    public TokenGrammar? Of(AnswerFormat? format, bool thinks = false) => format is null ? null : thinks ? Grammar(format).Behind(_thought.Value) : Grammar(format);

    private TokenGrammar Grammar(AnswerFormat format)
    {
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
