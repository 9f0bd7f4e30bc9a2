using System.Diagnostics;
using System.Runtime.InteropServices;
using MASQuant.Cli.Commands;
using MASQuant.Tests;
using Microsoft.Extensions.AI;

namespace MASQuant.Server.Tests;

/// <summary><c>masquant serve</c>, a process of its own.</summary>
public class ServeCommandTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    // Where its build has put it, with all that it needs; Debug and Release lie beside each other.
    private static readonly string Command = Path.Combine(AppContext.BaseDirectory.Replace(Path.Combine("tests", "MASQuant.Server.Tests"), Path.Combine("src", "Cli"), StringComparison.Ordinal), "MASQuant.Cli.dll");

    [SkippableFact]
    public async Task SIGTERM_ends_it_and_the_answers_in_progress()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no signals.");
        using var folder = new TemporaryDirectory();
        await File.WriteAllTextAsync(folder.File("keys"), "key-of-file\n\n");
        using var process = Start(["serve", RepositoryFiles.OmniTiny, "--port", "0", "--stop-seconds", "0.5", "--key-file", folder.File("keys")], "key-one, key-two");
        try
        {
            var address = new Uri((await process.StandardOutput.ReadLineAsync().WaitAsync(Limit))!);
            Assert.True(address.IsLoopback);
            foreach (var key in (string[])["key-of-file", "key-two"])
            {
                using var client = Served.OpenAI(address, key).GetChatClient("OmniTiny").AsIChatClient();
                Assert.NotEmpty((await client.GetResponseAsync("Quote a verse.")).Text);
            }

            using var http = new HttpClient { BaseAddress = address };
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(Served.LongAnswer, System.Text.Encoding.UTF8, "application/json"), Headers = { Authorization = new("Bearer", "key-one") } };
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            response.EnsureSuccessStatusCode();
            Assert.Equal(0, Kill(process.Id, 15));
            await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsStringAsync().WaitAsync(Limit)); // cut off
            await process.WaitForExitAsync().WaitAsync(Limit);
            var messages = await process.StandardError.ReadToEndAsync();
            Assert.True(process.ExitCode == 0, messages);
            Assert.Equal("OmniTiny answers on cpu, with 3 keys.\nStopping.\n", messages);
            Assert.Empty(await process.StandardOutput.ReadToEndAsync());
        }
        finally
        {
            process.Kill();
        }
    }

    [Fact]
    public async Task Other_machines_are_not_let_in_unasked_and_an_empty_key_file_is_told()
    {
        using var folder = new TemporaryDirectory();
        await File.WriteAllTextAsync(folder.File("keys"), "\n");
        foreach (var (words, code) in new (string[], string)[] { (["--host", "0.0.0.0"], "MASQ0945"), (["--key-file", folder.File("keys")], "MASQ0944") })
        {
            using var process = Start(["serve", "nowhere", .. words], "");
            var messages = await process.StandardError.ReadToEndAsync().WaitAsync(Limit);
            await process.WaitForExitAsync().WaitAsync(Limit);
            Assert.Equal(1, process.ExitCode);
            Assert.Contains(code, messages, StringComparison.Ordinal);
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);

    private static Process Start(string[] args, string keys)
        => Process.Start(new ProcessStartInfo("dotnet", [Command, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true, Environment = { [ServeCommand.KeysVariable] = keys } })!;
}
