public static class Use
{
    public const int Width = C.Tiny.HiddenSize;
}
