using System.Text;
using MASQuant.Delivery.Caching;

namespace MASQuant.Quantization.Tests.Caching;

public class ActionResultTests
{
    private static readonly string Key = new('a', 64);
    private static readonly string Hash = new('b', 64);
    private static readonly ActionResult Result = new(Key, [new CachedFile("T.json", Hash, 300), new CachedFile("T.bin", new string('c', 64), 5)]);

    private static readonly EntryNames Names = new([], "T.json", "T.bin");

    // By hand from remote_execution.proto: output_files = 2 {path = 1, digest = 2 {hash = 1, size_bytes = 2}}, execution_metadata = 9 {worker = 1}.
    private static readonly byte[] Message =
    [
        0x12, 71 + 2 + 2 + 66 + 3, 0x0A, 71, .. Encoding.ASCII.GetBytes(Key + "/T.json"), 0x12, 66 + 3, 0x0A, 64, .. Encoding.ASCII.GetBytes(Hash), 0x10, 0xAC, 0x02,
        0x12, 70 + 2 + 2 + 66 + 2, 0x0A, 70, .. Encoding.ASCII.GetBytes(Key + "/T.bin"), 0x12, 66 + 2, 0x0A, 64, .. Encoding.ASCII.GetBytes(new string('c', 64)), 0x10, 0x05,
        0x4A, 10, 0x0A, 8, .. "masquant"u8,
    ];

    [Fact]
    public void It_is_Bazels_message()
    {
        // A length of 128 and more takes two bytes.
        byte[] expected = [Message[0], (byte)(Message[1] | 0x80), 0x01, .. Message[2..146], Message[146], (byte)(Message[147] | 0x80), 0x01, .. Message[148..]];
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(Result.Serialize()));
    }

    [Fact]
    public void A_server_may_add_to_it()
    {
        // exit_code = 4, and a field of each other kind that is yet unknown.
        byte[] more = [0x20, 0x07, .. Result.Serialize(), 0xF9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 0xFD, 0x01, 1, 2, 3, 4];
        var read = ActionResult.Parse(more, Key, Names);
        Assert.Equal(Result.Files, read!.Files);
    }

    [Fact]
    public void The_answer_to_another_key_is_none() => Assert.Null(ActionResult.Parse(Result.Serialize(), new string('d', 64), Names));

    [Theory]
    [InlineData(true, "T.json", "T.bin")]
    [InlineData(true, "T.bin", "T.facts", "T.json")]
    [InlineData(false, "T.json")]
    [InlineData(false, "T.bin", "T.facts")]
    [InlineData(false, "T.json", "T.bin", "T.other")]
    [InlineData(false, "T.json", "T.bin", "../T.facts")]
    [InlineData(false, "T.json", "T.bin", "T.bin")]
    public void An_entry_has_the_files_that_it_may_have(bool valid, params string[] files)
    {
        var message = new ActionResult(Key, [.. files.Select(file => new CachedFile(file, Hash, 1))]).Serialize();
        Assert.Equal(valid, ActionResult.Parse(message, Key, Names with { Optional = ["T.facts", "T.times"] }) is not null);
    }

    [Theory]
    [InlineData("../../../../etc/passwd", 64)]
    [InlineData("bbbb", 64)]
    [InlineData("", 64)]
    public void A_hash_that_is_none_never_becomes_a_path(string hash, long bytes)
        => Assert.Null(ActionResult.TryParse(new ActionResult(Key, [new CachedFile("T.json", hash, bytes)]).Serialize(), Key));

    [Fact]
    public void A_negative_size_is_refused() => Assert.Null(ActionResult.TryParse(new ActionResult(Key, [new CachedFile("T.json", Hash, -1)]).Serialize(), Key));

    [Fact]
    public void Damage_is_noticed_wherever_it_is()
    {
        var whole = Result.Serialize();
        var withoutWorker = whole.Length - 12;
        for (var length = 0; length < withoutWorker; length++)
        {
            Assert.Null(ActionResult.Parse(whole.AsMemory(0, length), Key, Names));
        }

        // Random bytes may by chance mean the same, but they never do harm.
        var random = new Random(1);
        for (var i = 0; i < 10_000; i++)
        {
            var copy = whole.ToArray();
            copy[random.Next(copy.Length)] = (byte)random.Next(256);
            _ = ActionResult.Parse(copy, Key, Names);
        }
    }
}
