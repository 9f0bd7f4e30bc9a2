using MASQuant.Diagnostics;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Evaluation.Scores;

/// <summary>Conversations whose last message is the expected answer.</summary>
public static class EvaluationSet
{
    /// <summary>Refuses conversations that a model cannot take, or that end without an answer.</summary>
    /// <param name="file">The file's name, for messages.</param>
    /// <param name="conversations">What it holds.</param>
    /// <param name="config">The model's facts.</param>
    /// <exception cref="MASQuantException">MASQ0403 a modality that the model lacks; MASQ0805 no expected answer.</exception>
    public static void Check(string file, IReadOnlyList<Conversation> conversations, ModelConfig config)
    {
        CalibrationSet.CheckModalities(file, conversations, config);
        foreach (var conversation in conversations)
        {
            if (conversation.Messages is not [_, .., { Role: ChatRole.Assistant } answer] || !answer.Content.Any(part => part is TextPart { Text.Length: > 0 }))
            {
                throw new MASQuantException(DiagnosticCodes.ExpectedAnswerMissing, file,
                    "The conversation does not end with an answer of the assistant. Add it as the last message.")
                { Line = conversation.Line };
            }
        }
    }
}
