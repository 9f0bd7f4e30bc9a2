public static class Use
{
    public const int Width = TwoFrameworks.Tiny.HiddenSize;
}
