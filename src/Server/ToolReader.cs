using System.Text.Json;
using Microsoft.Extensions.AI;

namespace MASQuant.Server;

/// <summary>Reads the functions that a request offers.</summary>
internal static class ToolReader
{
    private static readonly JsonElement NoParameters = JsonSerializer.SerializeToElement(new { type = "object", properties = new { } });

    public static AITool Read(Field field)
    {
        var tool = field.Members("type", "function");
        RequireFunction(field.Required(tool, "type"));
        var function = field.Required(tool, "function");
        var members = function.Members("name", "description", "parameters", "strict");
        if (members.TryGetValue("strict", out var strict))
        {
            strict.Only(!strict.Flag(), "false: calls are the model's own, and their arguments are not held to a schema");
        }

        var name = function.Required(members, "name");
        return AIFunctionFactory.CreateDeclaration(
            name.Text() is { Length: > 0 } text ? text : throw name.Refuse("is empty."),
            members.TryGetValue("description", out var description) ? description.Text() : null,
            members.TryGetValue("parameters", out var parameters) ? parameters.Object() : NoParameters);
    }

    public static ChatToolMode Mode(Field field) => !field.IsText ? throw field.Refuse("cannot name a function: the model calls as it likes. Give auto or none.") : field.Text() switch
    {
        "auto" => ChatToolMode.Auto,
        "none" => ChatToolMode.None,
        _ => throw field.Refuse("must be auto or none: the model calls as it likes."),
    };

    public static void RequireFunction(Field type) => type.Only(type.Text() == "function", "function");
}
