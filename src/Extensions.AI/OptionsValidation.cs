using MASQuant.Diagnostics;
using Microsoft.Extensions.Options;

namespace MASQuant.Extensions.AI;

/// <summary>Refuses, when the host starts, options without a model, with two, or with one that is not there.</summary>
internal sealed class OptionsValidation : IValidateOptions<MASQuantOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, MASQuantOptions options)
    {
        var problem = options switch
        {
            { ModelPath: null, Load: null } => "No model is given. Set MASQuantOptions.ModelPath or Load.",
            { ModelPath: not null, Load: not null } => "Two models are given. Set one of MASQuantOptions.ModelPath and Load.",
            { Load: not null, Model: not null } => "MASQuantOptions.Model is for the model of ModelPath. Give it to what Load opens.",
            { Load: not null } => null,
            { ModelPath: var path } => File.Exists(path) || Directory.Exists(path) ? null : "The model is not there: neither a file nor a folder has this path. Build the application again, or correct MASQuantOptions.ModelPath.",
        };
        return problem is null ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(new MASQuantException(DiagnosticCodes.HostOptionsInvalid, options.ModelPath, problem).Message);
    }
}
