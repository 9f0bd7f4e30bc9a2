"""Checks an artifact without the product's code: all of it follows docs/artifact-format.md and the published Qwen2.5 decoder. Python and NumPy, FP64.

    python3 check_artifact.py CHECKPOINT ARTIFACT FIGURES GOLDENS

FIGURES is what `masquant evaluate CHECKPOINT ARTIFACT DATA --no-generate --json-file FIGURES` wrote. DATA are conversations of the folder GOLDENS, with the golden's name as the task and its greedy text as the
answer; the artifact was calibrated on the same conversations. Ids, positions and embeddings come from the goldens, so that neither tokenizer nor towers are needed. Ends with 1 where a figure differs.

Tolerances. The product computes in FP32. Full precision errs little: a sum of K = 768 products by about sqrt(K) 2^-24 = 2e-6 of its size, some ten such steps in each of six blocks, 1e-4 in all at the very
worst; LOGITS is twice that. Behind a rounding to codes an error does not stay little: a value near the middle of two codes gets the other one, that moves every later value by far more than FP32's error,
and many more codes with it. So each side's figures are one draw out of the same distribution. It is sampled here: DRAWS runs, each from embeddings that are moved by NOISE of their size, which is what towers and
blocks in FP32 leave (the logits above show it). The product is one more draw, sqrt(1 + 1/DRAWS) = 1.06 standard deviations from their mean in the long run. SIGMAS of them are allowed, of the figure or of its
kin together (all figures of the block; all tasks; all modalities), whichever is larger: in eight draws of one figure no code may have changed. Where nothing is rounded to codes (W4A16) this comes to 0.001 dB and 0.5 %
at most. Logarithms of divergences are compared, since their deviations go with their size.
"""
import glob
import json
import math
import os
import sys

import numpy as np

from reference_model import MODALITIES, Tensors, decoder, exact_layers, quantized_layers, rows_of, stored_weight

LOGITS = 2e-4
NOISE = 2.0 ** -20
DRAWS = 8
SIGMAS = 6
DECIMALS = 5e-5  # The manifest rounds decibels to four places.


def read_row(golden, ids_of, tensors):
    """A golden's prompt, its greedy answer, the token that ends a turn, and the line feed after it."""
    prompt, greedy, end = golden["input_ids"], golden["greedy"], ids_of["end"]
    answer = [*greedy, *([] if greedy[-1] == end else [end])]
    ids = np.array([*prompt, *answer, prompt[-1]])  # Prompts end with the line feed behind "assistant".
    positions = golden["position_ids"]
    after = positions.max() + 1 + np.arange(len(ids) - len(prompt))
    return {
        "modalities": np.where(np.isin(ids, ids_of["vision"]), 1, np.where(np.isin(ids, ids_of["audio"]), 2, 0)),
        "prompt": len(prompt),
        "answer": slice(len(prompt) - 1, len(prompt) - 1 + len(answer)),  # The distribution for a token stands at the token before it.
        "positions": np.concatenate([positions, np.tile(after, (3, 1))], axis=1),
        "ids": ids,
        "embeddings": np.concatenate([golden["inputs_embeds"], rows_of(tensors, "model.embed_tokens", ids[len(prompt):])]),
    }


def log_probabilities(logits):
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def divergence(reference, candidate):
    """KL(reference || candidate) after every token but the last, in nats."""
    p, q = log_probabilities(reference[:-1]), log_probabilities(candidate[:-1])
    return (np.exp(p) * (p - q)).sum(axis=-1)


class Verdict:
    def __init__(self):
        self.failed = 0

    def require(self, what, holds):
        self.failed += not holds
        print(("ok     " if holds else "FAILED ") + what)

    def near(self, what, names, product, draws, kin):
        """Requires every product figure near its draws [DRAWS, figures]; figures of one `kin` share their deviation."""
        own = draws.std(axis=0, ddof=1)
        shared = np.array([math.sqrt(np.mean(own[kin == k] ** 2)) for k in kin])
        tolerance = SIGMAS * np.maximum(own, shared) + DECIMALS
        difference = np.abs(product - draws.mean(axis=0))
        for i in np.flatnonzero(difference > tolerance)[:5]:
            print(f"       {names[i]}: {product[i]:.5f}, here {draws[:, i].mean():.5f} +- {tolerance[i]:.5f}")
        self.require(f"{what}: {len(names)} figures, difference at most {difference.max():.5f}, {np.max(difference / tolerance):.2f} of its tolerance; tolerances {tolerance.min():.5f} to {tolerance.max():.5f}",
                     bool(np.all(difference <= tolerance)))


def check_container(verdict, checkpoint, artifact, linears):
    places = sorted(artifact.places.items(), key=lambda place: place[1][2])
    alignments = [math.gcd(64, len(raw)) for _, (_, _, _, raw) in places]
    verdict.require("format and version", artifact.metadata == {"format": "masquant", "format_version": "4"})
    verdict.require("tensors lie by alignment, then name, aligned", places[0][1][2] % 64 == 0
                    and [(-a, name) for a, (name, _) in zip(alignments, places)] == sorted((-a, name) for a, (name, _) in zip(alignments, places))
                    and all(place[1][2] % a == 0 for a, place in zip(alignments, places)))
    replaced = tuple(f"model.layers.{layer}.{linear['name']}." for layer, linear in linears)
    kept = [name for name in checkpoint.places if not name.startswith(replaced) and name.removesuffix(".weight") + ".codes" not in artifact]
    verdict.require(f"{len(kept)} other tensors are the checkpoint's", all(
        checkpoint.places[name][:2] == artifact.places[name][:2] and np.array_equal(checkpoint.places[name][3], artifact.places[name][3]) for name in kept))


def run(verdict, config, exact, quantized, weights, rows):
    """Per row, draw and token: KL; per draw, layer and modality: energies of the signal, of the noise without and with the patch."""
    random = np.random.default_rng(1)
    energies = {key: np.zeros((DRAWS, 3, 3)) for key in weights}
    divergences, worst = {}, 0
    for task, (row, golden) in rows.items():
        reference, candidate = {}, {}
        full = decoder(config, exact, exact_layers(exact, reference), row)
        worst = max(worst, np.abs(full[:row["prompt"]] - golden["logits"]).max() / np.abs(golden["logits"]).max())
        divergences[task] = []
        text = (row["modalities"] == 0)[:, None]
        own = np.where(text, rows_of(quantized, "model.embed_tokens", row["ids"]), row["embeddings"]) if "model.embed_tokens.codes" in quantized else None
        for draw in range(DRAWS):
            noise = 1 + NOISE * random.standard_normal(row["embeddings"].shape)
            logits = decoder(config, quantized, quantized_layers(quantized, weights, row["modalities"], candidate), dict(row, embeddings=row["embeddings"] * noise))
            if own is not None:  # Layers were measured behind the checkpoint's embeddings, answers are given behind the model's own.
                logits = decoder(config, quantized, quantized_layers(quantized, weights, row["modalities"], {}), dict(row, embeddings=own * noise))
            divergences[task].append(divergence(full, logits))
            for key, (before, after) in candidate.items():
                squares = np.stack([(y ** 2).sum(axis=1) for y in (reference[key], reference[key] - before, reference[key] - after)], axis=1)
                for m in range(3):
                    energies[key][draw, m] += squares[row["modalities"] == m].sum(axis=0)
    verdict.require(f"logits in full precision: {worst:.1e} of the largest from the goldens', at most {LOGITS:.0e}", worst <= LOGITS)
    return energies, {task: np.array(kl) for task, kl in divergences.items()}


def compare_sqnr(verdict, linears, energies):
    names, product, draws, kin = [], [], [], []
    for layer, linear in linears:
        for m, modality in enumerate(MODALITIES):
            for place, moment in enumerate(["before", "after"]):
                signal, noise = energies[layer, linear["name"]][:, m, 0], energies[layer, linear["name"]][:, m, 1 + place]
                names.append(f"block {layer} {linear['name']} {modality} {moment}")
                product.append(linear["sqnr"][modality][moment])
                draws.append(10 * np.log10(signal / noise))
                kin.append(layer)
    verdict.near("SQNR in dB", names, np.array(product), np.array(draws).T, np.array(kin))


def compare_divergence(verdict, figures, rows, divergences):
    def of(figure):
        return math.log(figure["kullbackLeibler"]["value"])

    answers = {task: kl[:, rows[task][0]["answer"]] for task, kl in divergences.items()}
    verdict.require("tokens of answers", all(task["tokens"] == answers[task["task"]].shape[1] for task in figures["tasks"]))
    verdict.near("log of KL on answers, by task", list(answers), np.array([of(task) for task in figures["tasks"]]),
                 np.log(np.stack([kl.mean(axis=1) for kl in answers.values()], axis=1)), np.zeros(len(answers)))
    everything = np.concatenate(list(divergences.values()), axis=1)
    modalities = np.concatenate([row["modalities"][:-1] for row, _ in rows.values()])
    verdict.near("log of KL on whole conversations, by modality", MODALITIES, np.array([of(modality) for modality in figures["modalities"]]),
                 np.log(np.stack([everything[:, modalities == m].mean(axis=1) for m in range(3)], axis=1)), np.zeros(3))


def main(checkpoint, artifact, figures, goldens):
    exact, quantized, verdict = Tensors(sorted(glob.glob(os.path.join(checkpoint, "*.safetensors")))), Tensors([artifact]), Verdict()
    with open(figures, encoding="utf-8") as file:
        figures = json.load(file)["models"][1]
    manifest, whole = quantized.file("masquant.json"), quantized.file("config.json")["thinker_config"]
    config = whole["text_config"]
    ids_of = {"vision": [whole["image_token_index"], whole["video_token_index"]], "audio": [whole["audio_token_index"]],
              "end": quantized.file("added_tokens.json")["<|im_end|>"]}
    linears = [(layer["index"], linear) for layer in manifest["layers"] for linear in layer["linears"]]
    check_container(verdict, exact, quantized, linears)
    weights = {(layer, linear["name"]): (linear["scheme"], stored_weight(quantized, linear, f"model.layers.{layer}.{linear['name']}.")) for layer, linear in linears}
    rows = {}
    for task in figures["tasks"]:
        golden = Tensors([os.path.join(goldens, task["task"] + ".safetensors")])
        rows[task["task"]] = (read_row(golden, ids_of, exact), golden)
    counts = {modality: sum(int((row["modalities"] == m).sum()) for row, _ in rows.values()) for m, modality in enumerate(MODALITIES)}
    verdict.require(f"tokens by modality: {counts}", counts == manifest["calibration"]["tokens"])
    energies, divergences = run(verdict, config, exact, quantized, weights, rows)
    compare_sqnr(verdict, linears, energies)
    compare_divergence(verdict, figures, rows, divergences)
    return 1 if verdict.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 5 else __doc__)
