public static class Nothing
{
}
