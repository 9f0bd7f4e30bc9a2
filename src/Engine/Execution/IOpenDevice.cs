namespace MASQuant.Engine.Execution;

/// <summary>A device that is taken and has no model yet.</summary>
public interface IOpenDevice : IDisposable
{
    /// <summary>Reads a model onto the device, which the execution then owns.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, misshapen or not finite, or the device has too little memory.</exception>
    IModelExecution Run(ModelContent content);
}
