public static class Use
{
    public const int Width = B.Tiny.HiddenSize;
}
