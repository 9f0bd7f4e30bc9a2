public static class Use
{
    public const int Size = Hooks.Tiny.HiddenSize;
}
