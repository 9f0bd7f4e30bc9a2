namespace MASQuant.Engine.Execution;

/// <summary>Opens models on one kind of device.</summary>
public interface IExecutionProvider
{
    /// <summary>Takes hold of a device, before a model is read.</summary>
    /// <param name="ordinal">The device's number, from 0.</param>
    /// <returns>Makes the execution of a model on it; disposed without having made one, it gives the device back.</returns>
    /// <exception cref="MASQuantException">The device is not usable.</exception>
    IOpenDevice Open(int ordinal);
}
