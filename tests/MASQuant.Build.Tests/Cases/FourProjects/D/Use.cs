public static class Use
{
    public const int Width = D.Tiny.HiddenSize;
}
