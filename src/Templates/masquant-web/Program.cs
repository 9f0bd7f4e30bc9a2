using MASQuant.Extensions.AI;
using Microsoft.Extensions.AI;
using MultimodalWeb;

// curl --data-binary @data/digits.png -H "Content-Type: image/png" "http://localhost:5000/ask?question=Read%20the%20digits."
var builder = WebApplication.CreateBuilder(args);
builder.Services.AddMASQuant(() => Assistant.Load());
var app = builder.Build();

app.MapPost("/ask", async (string question, HttpRequest request, IChatClient model, CancellationToken aborted) => TypedResults.ServerSentEvents(model.GetStreamingResponseAsync(
    [new(ChatRole.User, [await DataContent.LoadFromAsync(request.Body, request.ContentType, aborted), new TextContent(question)])], cancellationToken: aborted).Select(update => update.Text)));

app.Run();
