using MASQuant.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace MASQuant.Server;

/// <summary>What a request is refused with, in the words of OpenAI's errors.</summary>
/// <param name="status">Of HTTP.</param>
/// <param name="type">Its kind.</param>
/// <param name="message">What is wrong, and the remedy.</param>
/// <param name="code">MASQ####, or OpenAI's own word.</param>
/// <param name="parameter">The parameter that it concerns; null: none.</param>
internal sealed class ApiException(int status, string type, string message, string? code, string? parameter = null) : Exception(message)
{
    public const string InvalidRequest = "invalid_request_error";

    private const int MaxQuoted = 100;

    public int Status => status;

    public string Type => type;

    public string? Code => code;

    public string? Parameter => parameter;

    /// <summary>A parameter that is wrong, or that this server cannot honour.</summary>
    public static ApiException Refused(string parameter, string problem)
        => new(StatusCodes.Status400BadRequest, InvalidRequest, $"'{Short(parameter)}' {problem}", DiagnosticCodes.ServedRequestNotSupported, Short(parameter));

    /// <summary>A text of the request's, for a message.</summary>
    public static string Short(string text) => text.Length > MaxQuoted ? text[..MaxQuoted] + "…" : text;

    /// <summary>What any failure is to the one who asked; null: nothing that may be told.</summary>
    public static ApiException Of(Exception error) => error switch
    {
        ApiException own => own,
        MASQuantException { Code: DiagnosticCodes.TooManyWaiting or DiagnosticCodes.TooManyOfKey } many => new(StatusCodes.Status429TooManyRequests, "rate_limit_error", many.Description, many.Code),
        MASQuantException its when IsOwn(its) => new(StatusCodes.Status500InternalServerError, "server_error", "The server cannot answer; its log says why.", its.Code),
        MASQuantException its => new(StatusCodes.Status400BadRequest, InvalidRequest, its.Description, its.Code),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => new(StatusCodes.Status413PayloadTooLarge, InvalidRequest, "The request's body is larger than this server takes. Send fewer or smaller media.", DiagnosticCodes.ServedRequestNotSupported),
        BadHttpRequestException bad => new(bad.StatusCode, InvalidRequest, bad.Message, DiagnosticCodes.ServedRequestNotSupported),
        ObjectDisposedException or OperationCanceledException => new(StatusCodes.Status503ServiceUnavailable, "server_error", "The server is stopping.", null),
        _ => new(StatusCodes.Status500InternalServerError, "server_error", "The server cannot answer; its log says why.", null),
    };

    // Files, memory and devices of the machine: 01 and 06, 095 and 10; all else a request may have caused.
    private static bool IsOwn(MASQuantException error) => error.Code is ['M', 'A', 'S', 'Q', '0', '1' or '6', ..] or ['M', 'A', 'S', 'Q', '0', '9', '5', _] or ['M', 'A', 'S', 'Q', '1', ..];
}
