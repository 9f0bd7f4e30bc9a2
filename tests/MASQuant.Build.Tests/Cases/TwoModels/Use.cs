public static class Use
{
    public const int Both = TwoModels.Model.HiddenSize + TwoModels.OtherModel.HiddenSize;
}
