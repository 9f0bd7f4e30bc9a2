namespace MASQuant.Engine.Gemm;

/// <summary>The extents of Y[M, N] = X[M, K] · W[N, K]ᵀ.</summary>
/// <param name="M">Tokens.</param>
/// <param name="N">Outputs.</param>
/// <param name="K">Inputs.</param>
public readonly record struct GemmProblem(int M, int N, int K);
