namespace MASQuant.Quantization.Smoothing;

/// <summary>An input group that gradients pass through.</summary>
internal interface ISimulatedGroup
{
    /// <summary>Y_i [T, N_i] of X [T, K].</summary>
    Matrix[] Forward(Matrix x, ModalityMap modalities);

    /// <summary>∂loss/∂X, given ∂loss/∂Y_i of the last <see cref="Forward"/>.</summary>
    Matrix Backward(IReadOnlyList<Matrix> outputGradients);
}
