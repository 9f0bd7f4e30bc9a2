public static class Use
{
    public const int Width = A.Tiny.HiddenSize;
}
