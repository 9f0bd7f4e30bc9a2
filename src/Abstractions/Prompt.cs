namespace MASQuant;

/// <summary>
/// Builds a conversation for a model, piece by piece in the order in which it is to be read:
/// <code>new Prompt().Image("digits.png").Audio("speech.wav").Text("Does the speech match the image?")</code>
/// Every method adds to this prompt and returns it.
/// </summary>
public sealed class Prompt
{
    private readonly List<(ChatRole Role, List<ContentPart> Content)> _turns = [];
    private int? _minPixels;
    private int? _maxPixels;
    private double? _maxFramesPerSecond;
    private int? _maxFrames;

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
    public Prompt Assistant(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        _turns.Add((ChatRole.Assistant, [new TextPart(text)]));
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

    /// <summary>Sets the most and the fewest pixels that images and frames of videos are resized to, for those added from here on; null: the model's (<see cref="ModelOptions.MaxPixels"/>).</summary>
    /// <param name="max">At least 1; fewer are faster, and show less.</param>
    /// <param name="min">At least 1.</param>
    public Prompt Pixels(int? max = null, int? min = null)
    {
        (_maxPixels, _minPixels) = (MediaLimit.Require(max, nameof(max)), MediaLimit.Require(min, nameof(min)));
        return this;
    }

    /// <summary>Sets the most frames of videos that are looked at, for those added from here on; null: the model's (<see cref="ModelOptions.MaxFrames"/>).</summary>
    /// <param name="max">At least 1; fewer are faster, and show less.</param>
    /// <param name="maxPerSecond">Of each second; positive and finite (<see cref="ModelOptions.MaxFramesPerSecond"/>).</param>
    public Prompt Frames(int? max = null, double? maxPerSecond = null)
    {
        (_maxFrames, _maxFramesPerSecond) = (MediaLimit.Require(max, nameof(max)), MediaLimit.Require(maxPerSecond, nameof(maxPerSecond)));
        return this;
    }

    /// <summary>Adds a PNG or JPEG file to the user's turn; it is read when the model needs it.</summary>
    public Prompt Image(string path) => Add(Picture(MediaSource.File(path)));

    /// <summary>Adds the bytes of a PNG or JPEG file to the user's turn; they are not copied.</summary>
    public Prompt Image(byte[] bytes) => Add(Picture(Bytes(bytes, "image")));

    /// <summary>Adds a PNG or JPEG file, read from <paramref name="stream"/> to its end, to the user's turn.</summary>
    public Prompt Image(Stream stream) => Image(ReadAll(stream));

    /// <summary>Adds a WAV file to the user's turn; it is read when the model needs it.</summary>
    public Prompt Audio(string path) => Add(new AudioPart(MediaSource.File(path)));

    /// <summary>Adds the bytes of a WAV file to the user's turn; they are not copied.</summary>
    public Prompt Audio(byte[] bytes) => Add(new AudioPart(Bytes(bytes, "audio")));

    /// <summary>Adds a WAV file, read from <paramref name="stream"/> to its end, to the user's turn.</summary>
    public Prompt Audio(Stream stream) => Audio(ReadAll(stream));

    /// <summary>Adds a video to the user's turn: PNG or JPEG files, one a frame, in the order of time.</summary>
    /// <param name="framePaths">At least one file.</param>
    /// <param name="framesPerSecond">How many of the frames make a second; positive and finite.</param>
    /// <param name="soundPath">The video's own sound, a WAV file that begins with the first frame; null: a silent video (<see cref="VideoPart.Sound"/>).</param>
    public Prompt Video(IEnumerable<string> framePaths, double framesPerSecond = 2, string? soundPath = null)
    {
        ArgumentNullException.ThrowIfNull(framePaths);
        if (!double.IsFinite(framesPerSecond) || framesPerSecond <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(framesPerSecond), framesPerSecond, "Frames per second must be positive and finite.");
        }

        MediaSource[] frames = [.. framePaths.Select(MediaSource.File)];
        if (frames.Length == 0)
        {
            throw new ArgumentException("A video needs at least one frame.", nameof(framePaths));
        }

        return Add(new VideoPart(frames, framesPerSecond)
        {
            Sound = soundPath is null ? null : MediaSource.File(soundPath),
            MinPixels = _minPixels,
            MaxPixels = _maxPixels,
            MaxFrames = _maxFrames,
            MaxFramesPerSecond = _maxFramesPerSecond,
        });
    }

    private ImagePart Picture(MediaSource source) => new(source) { MinPixels = _minPixels, MaxPixels = _maxPixels };

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

    // Messages call media in memory "image 1", "audio 2": by their place among the media of the prompt.
    private MediaSource Bytes(byte[] bytes, string kind)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        var number = 1 + _turns.Sum(turn => turn.Content.Count(part => part is ImagePart or AudioPart or VideoPart));
        return MediaSource.Memory(bytes, string.Create(global::System.Globalization.CultureInfo.InvariantCulture, $"{kind} {number}"));
    }

    private static byte[] ReadAll(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
