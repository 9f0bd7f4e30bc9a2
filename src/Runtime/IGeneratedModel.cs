namespace MASQuant.Runtime;

/// <summary>A class that was generated for a model: <c>OmniTiny</c>. What takes a model takes it by this.</summary>
public interface IGeneratedModel : IDisposable
{
    /// <summary>The model behind the class; disposing the class closes it.</summary>
    MultimodalModel MultimodalModel { get; }
}
