using System.Text;
using MASQuant.Cli.Output;
using MASQuant.Diagnostics;
using MASQuant.Formats.Files;
using MASQuant.Platform;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Cli.Options;

/// <summary>A prompt's text or conversation: from the command line, a file or, as '-', standard input.</summary>
/// <param name="console">Has standard input.</param>
/// <param name="cancellationToken">Obeyed while a pipe is waited for.</param>
internal sealed class PromptText(CommandConsole console, CancellationToken cancellationToken)
{
    /// <summary>Stands for standard input.</summary>
    public const string StandardInput = "-";

    private const string InputName = "standard input";

    /// <summary>A question. What a program pipes ends with a line's end that is not meant.</summary>
    /// <exception cref="MASQuantException">MASQ0101: standard input has no text, or more than any prompt.</exception>
    public string Text(string given)
    {
        if (given != StandardInput)
        {
            return given;
        }

        var text = Read(console.Input);
        text = text.EndsWith('\n') ? text[..^(text.EndsWith("\r\n", StringComparison.Ordinal) ? 2 : 1)] : text;
        return text.Length > 0 ? text : throw NoText(InputName);
    }

    /// <summary>A conversation as a line of a calibration set has it. The answer that it may end with is not told to the model.</summary>
    /// <exception cref="MASQuantException">MASQ0101, MASQ0401 or MASQ0402.</exception>
    public Prompt Conversation(string path)
    {
        var isInput = path == StandardInput;
        var conversation = isInput ? ConversationFile.ReadOne(Read(console.Input), InputName, ".") : ReadFile(path);
        var messages = conversation.Messages[^1].Role == ChatRole.Assistant ? conversation.Messages.SkipLast(1) : conversation.Messages;
        return messages.Any() ? Prompt.Of([.. messages]) : throw new MASQuantException(DiagnosticCodes.ConversationInvalid, isInput ? InputName : path, "The conversation asks nothing. Give it a message of the user.");
    }

    private Conversation ReadFile(string path)
    {
        using var reader = BlockingCall.Run(() => FileBorder.Read(path, () => new StreamReader(FileSystem.Current.Open(path, FileMode.Open, FileAccess.Read, FileShare.Read))), cancellationToken);
        return ConversationFile.ReadOne(Read(reader, path), path, Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private string Read(TextReader reader, string name = InputName) => BlockingCall.Run(
        () => FileBorder.Read(name, () =>
        {
            var text = new StringBuilder();
            var buffer = new char[1 << 12];
            while (reader.Read(buffer) is > 0 and var count)
            {
                text.Append(buffer, 0, count);
                if (text.Length > ConversationFile.MaxLineLength)
                {
                    throw new MASQuantException(DiagnosticCodes.FileNotReadable, name, $"There are more than {ConversationFile.MaxLineLength} characters, longer than any prompt. Give fewer.");
                }
            }

            return text.Length > 0 ? text.ToString() : throw NoText(name);
        }),
        cancellationToken);

    private static MASQuantException NoText(string name) => new(DiagnosticCodes.FileNotReadable, name, "There is no text. Give the question, in UTF-8.");
}
