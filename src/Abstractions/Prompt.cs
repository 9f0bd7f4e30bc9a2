namespace MASQuant;

/// <summary>
/// Builds a conversation for a model, piece by piece in the order in which it is to be read:
/// <code>new Prompt().Image("digits.png").Audio("speech.wav").Text("Does the speech match the image?")</code>
/// Every method adds to this prompt and returns it.
/// </summary>
public sealed partial class Prompt
{
    private readonly List<(ChatRole Role, List<ContentPart> Content)> _turns = [];

    /// <summary>The conversation so far, a copy.</summary>
    public IReadOnlyList<ChatMessage> Messages => [.. _turns.Select(turn => new ChatMessage(turn.Role, [.. turn.Content]))];

    /// <summary>A conversation that is there already.</summary>
    internal static Prompt Of(IEnumerable<ChatMessage> messages)
    {
        var prompt = new Prompt();
        prompt._turns.AddRange(messages.Select(message => (message.Role, message.Content.ToList())));
        return prompt;
    }

    /// <summary>Sets the instructions that come first; without them the family's own, if it has any, are used.</summary>
    /// <exception cref="InvalidOperationException">Something precedes it.</exception>
    public Prompt System(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (_turns.Count > 0)
        {
            throw new InvalidOperationException("The system message comes first: call System before anything else, and once.");
        }

        _turns.Add((ChatRole.System, [new TextPart(text)]));
        return this;
    }

    /// <summary>Offers functions that the model may call, behind the instructions of <see cref="System"/> or the family's own.</summary>
    /// <param name="signatures">A JSON object for each, in one line, as chat templates write it (<see cref="ToolsPart"/>).</param>
    /// <exception cref="InvalidOperationException">A turn precedes it.</exception>
    public Prompt Tools(IEnumerable<string> signatures)
    {
        ArgumentNullException.ThrowIfNull(signatures);
        var part = new ToolsPart([.. signatures]);
        switch (_turns)
        {
            case []:
                _turns.Add((ChatRole.System, [part]));
                return this;
            case [(ChatRole.System, var content)]:
                content.Add(part);
                return this;
            default:
                throw new InvalidOperationException("Functions come first: call Tools behind System, and before anything else.");
        }
    }

    /// <summary>Begins a new turn of the user. Needed only after another turn of the user: after the assistant's, content begins one by itself.</summary>
    public Prompt User()
    {
        _turns.Add((ChatRole.User, []));
        return this;
    }

    /// <summary>Adds an answer that the model gave before; what follows is the user's again.</summary>
    /// <param name="text">The answer.</param>
    /// <param name="thought">What it thought before (<see cref="ThoughtPart"/>); null: nothing.</param>
    public Prompt Assistant(string text, string? thought = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        _turns.Add((ChatRole.Assistant, [.. thought is null ? (ContentPart[])[] : [new ThoughtPart(thought)], new TextPart(text)]));
        return this;
    }

    /// <summary>Adds a call of a function to the answer that the model gave before.</summary>
    /// <param name="name">The function's name.</param>
    /// <param name="arguments">A JSON object in one line.</param>
    public Prompt ToolCall(string name, string arguments)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(arguments);
        if (_turns is not [.., (ChatRole.Assistant, _)])
        {
            _turns.Add((ChatRole.Assistant, []));
        }

        _turns[^1].Content.Add(new ToolCallPart(name, arguments));
        return this;
    }

    /// <summary>Adds what a call gave; results of one answer's calls follow each other in their order. What comes behind them begins a turn of its own. Special tokens spelled out in it stay text.</summary>
    public Prompt ToolResult(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Add(new ToolResultPart(text));
    }

    /// <summary>Adds text to the user's turn. Special tokens spelled out in it stay text.</summary>
    public Prompt Text(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Add(new TextPart(text));
    }

    private Prompt Add(ContentPart part)
    {
        // A turn of results has nothing else, so its last part tells.
        if (_turns is not [.., (ChatRole.User, var content)] || (content is [.., var last] && last is ToolResultPart != part is ToolResultPart))
        {
            User();
        }

        _turns[^1].Content.Add(part);
        return this;
    }
}
