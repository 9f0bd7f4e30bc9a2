using System.CommandLine;
using MASQuant.Cli.Output;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant completion</c>: the script by which a shell completes words. It asks the command itself, so it knows whatever version is installed.</summary>
internal static class CompletionCommand
{
    // Words of file names are quoted by the shell, and a folder's name is gone on with.
    private const string Script = """
        # masquant: completion for bash, and for zsh by its bashcompinit.
        [ -n "$ZSH_VERSION" ] && autoload -U +X compinit bashcompinit && { whence compdef > /dev/null || compinit; } && bashcompinit
        _masquant()
        {
            local line="${COMP_LINE:0:$COMP_POINT}" word
            line="${line#*"${COMP_WORDS[0]}"}"
            COMPREPLY=()
            while IFS= read -r word; do
                COMPREPLY+=("$word")
            done < <("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2> /dev/null)
            if [ -n "${COMPREPLY[*]}" ] && [ -e "${COMPREPLY[@]:0:1}" ]; then
                compopt -o filenames 2> /dev/null
            fi
        }
        complete -o default -F _masquant masquant
        """;

    public static Command Create(CommandConsole console)
    {
        var command = new CliCommand("completion", "Writes the script by which bash and zsh complete commands, options, their values and files.", "",
            "source <(masquant completion)");
        command.SetAction(_ =>
        {
            console.Output.WriteLine(Script.ReplaceLineEndings("\n"));
            return ExitCode.Done;
        });
        return command;
    }
}
