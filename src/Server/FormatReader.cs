using Microsoft.Extensions.AI;

namespace MASQuant.Server;

/// <summary>Reads <c>response_format</c>.</summary>
internal static class FormatReader
{
    public static ChatResponseFormat Read(Field field)
    {
        var members = field.Members("type", "json_schema");
        var type = field.Required(members, "type");
        return type.Text() switch
        {
            "text" => ChatResponseFormat.Text,
            "json_object" => ChatResponseFormat.Json,
            "json_schema" => Schema(field.Required(members, "json_schema")),
            _ => throw type.Refuse("must be text, json_object or json_schema."),
        };
    }

    // Strict or not, answers are held to the schema.
    private static ChatResponseFormatJson Schema(Field field)
    {
        var members = field.Members("name", "description", "schema", "strict");
        return ChatResponseFormat.ForJsonSchema(field.Required(members, "schema").Object(), field.Required(members, "name").Text());
    }
}
