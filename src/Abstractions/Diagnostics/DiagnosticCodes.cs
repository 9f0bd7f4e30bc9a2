namespace MASQuant.Diagnostics;

/// <summary>Every diagnostic code. Codes are grouped by hundreds: 01 files, 02 configuration, 03 media, 04 calibration, 05 quantization, 06 artifact, 07 build, 08 command line, 09 generation and device.</summary>
public static partial class DiagnosticCodes
{
}
