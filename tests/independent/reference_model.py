"""A checkpoint's decoder and an artifact's, in FP64: docs/artifact-format.md and the published Qwen2.5 decoder, nothing of the product."""
import json
import math

import numpy as np

MODALITIES = ["Text", "Vision", "Audio"]
GROUPS = {
    "qkv": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    "o": ["self_attn.o_proj"],
    "gate_up": ["mlp.gate_proj", "mlp.up_proj"],
    "down": ["mlp.down_proj"],
}
LARGEST_CODE = {"W8A8": 127, "W4A8": 127, "W4A6": 31, "W4A4": 7, "W4A16": None}


class Tensors:
    """The tensors of safetensors files by the names of the format, widened to FP64; U8 and I32 as they are."""

    def __init__(self, paths):
        self.places, self.metadata, self.widened = {}, {}, {}
        for path in paths:
            data = np.memmap(path, np.uint8, "r")
            length = int(data[:8].view("<u8")[0])
            header = json.loads(bytes(data[8:8 + length]))
            self.metadata.update(header.pop("__metadata__", {}))
            for name, entry in header.items():
                begin, end = entry["data_offsets"]
                self.places[canonical(name)] = (entry["dtype"], entry["shape"], 8 + length + begin, data[8 + length + begin:8 + length + end])

    def __contains__(self, name):
        return name in self.places

    def __getitem__(self, name):
        if name not in self.widened:
            self.widened[name] = self.widen(*self.places[name])
        return self.widened[name]

    @staticmethod
    def widen(dtype, shape, _, raw):
        raw = np.array(raw)
        if dtype == "BF16":
            return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32).astype(np.float64).reshape(shape)
        values = raw.view({"F32": "<f4", "F16": "<f2", "U8": "u1", "I32": "<i4"}[dtype]).reshape(shape)
        return values.astype(np.float64) if dtype in ("F32", "F16") else values

    def file(self, name):
        return json.loads(bytes(self["files/" + name]))


def canonical(name):
    for prefix, short in (("thinker.", ""), ("model.language_model.", "model."), ("model.visual.", "visual.")):
        if name.startswith(prefix):
            return short + name[len(prefix):]
    return name


# The decoder.

def norm(x, gain, epsilon):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * gain


def rotary(config, positions):
    """cos and sin [T, d/2]: frequency i turns with time, height or width, as `mrope_section` divides the frequencies."""
    half = config["hidden_size"] // config["num_attention_heads"] // 2
    frequencies = config["rope_theta"] ** (-np.arange(half) / half)
    angles = positions[np.repeat([0, 1, 2], config["rope_scaling"]["mrope_section"]), :].T * frequencies
    return np.cos(angles)[:, None], np.sin(angles)[:, None]


def turn(x, cos, sin):
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def attention(config, q, k, v, cos, sin):
    tokens, heads, keys = len(q), config["num_attention_heads"], config["num_key_value_heads"]
    q, k, v = (y.reshape(tokens, count, -1) for y, count in ((q, heads), (k, keys), (v, keys)))
    q, k = turn(q, cos, sin), turn(k, cos, sin)
    k, v = (np.repeat(y, heads // keys, axis=1) for y in (k, v))
    scores = np.einsum("thd,shd->hts", q, k) / math.sqrt(q.shape[-1])
    scores = np.where(np.tri(tokens, dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.einsum("hts,shd->thd", weights / weights.sum(axis=-1, keepdims=True), v).reshape(tokens, -1)


def decoder(config, tensors, linear, row):
    """Logits [T, V]; `linear(layer, group, x)` gives the outputs of a group."""
    x = row["embeddings"]
    cos, sin = rotary(config, row["positions"])
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        z = norm(x, tensors[prefix + "input_layernorm.weight"], config["rms_norm_eps"])
        x = x + linear(layer, "o", attention(config, *linear(layer, "qkv", z), cos, sin))[0]
        z = norm(x, tensors[prefix + "post_attention_layernorm.weight"], config["rms_norm_eps"])
        gate, up = linear(layer, "gate_up", z)
        x = x + linear(layer, "down", gate / (1 + np.exp(-gate)) * up)[0]
    x = norm(x, tensors["model.norm.weight"], config["rms_norm_eps"])
    return head(tensors, "model.embed_tokens" if config.get("tie_word_embeddings") else "lm_head", x)


# The tables of the vocabulary: the checkpoint's, or at 8 bits.

def head(tensors, name, x):
    if name + ".codes" not in tensors:
        return x @ tensors[name + ".weight"].T
    return rounded(turned(tensors, name, x), LARGEST_CODE["W8A8"], 1) @ eight_bits(tensors, name).T


def rows_of(tensors, name, ids):
    if name + ".codes" not in tensors:
        return tensors[name + ".weight"][ids]
    values = turned(tensors, name, eight_bits(tensors, name)[ids]).astype(np.float32).view(np.uint32)  # H is its own inverse.
    return ((values + 0x7FFF + (values >> 16 & 1) & 0xFFFF0000).astype(np.uint32)).view(np.float32).astype(np.float64)


def eight_bits(tensors, name):
    """What the codes stand for, W·H; neither extent of these models is filled up."""
    stored = tensors[name + ".codes"]
    return stored.view(np.int8).transpose(0, 2, 1, 3).reshape(len(stored) * 16, -1) * tensors[name + ".scales"][:, None]


def turned(tensors, name, x):
    if name + ".rotation" not in tensors:
        return x
    block = hadamard(int(tensors[name + ".rotation"][0]))
    return (x.reshape(len(x), -1, len(block)) @ block).reshape(x.shape)


# The layers.

def exact_layers(tensors, seen):
    """The checkpoint's; outputs go to seen[layer, name]."""
    def linear(layer, group, x):
        outputs = []
        for name in GROUPS[group]:
            prefix = f"model.layers.{layer}.{name}."
            y = x @ tensors[prefix + "weight"].T + (tensors[prefix + "bias"] if prefix + "bias" in tensors else 0)
            seen[layer, name] = y
            outputs.append(y)
        return outputs
    return linear


def quantized_layers(tensors, weights, modalities, seen):
    """The artifact's; outputs without and with the patch go to seen[layer, name]."""
    def linear(layer, group, x):
        prefix = f"model.layers.{layer}.{group}."
        z = smoothed(tensors, prefix, x, modalities)
        clips = (tensors[prefix + "clips"] if prefix + "clips" in tensors else np.ones(len(MODALITIES)))[modalities][:, None]
        outputs = []
        for name in GROUPS[group]:
            prefix = f"model.layers.{layer}.{name}."
            scheme, weight = weights[layer, name]
            y = rounded(z, LARGEST_CODE[scheme], clips) @ weight.T + (tensors[prefix + "bias"] if prefix + "bias" in tensors else 0)
            patched = y + patches(tensors, prefix, z, modalities)
            seen[layer, name] = (y, patched)
            outputs.append(patched)
        return outputs
    return linear


def smoothed(tensors, prefix, x, modalities):
    z = np.array(x)
    for m, modality in enumerate(MODALITIES):
        name = prefix + "inverse_smoothing." + modality.lower()
        if name in tensors:
            z[modalities == m] *= tensors[name]
    if prefix + "rotation" in tensors:
        block = hadamard(int(tensors[prefix + "rotation"][0]))
        z = (z.reshape(len(z), -1, len(block)) @ block).reshape(z.shape)
    return z


def hadamard(log):
    h = np.ones((1, 1))
    for _ in range(log):
        h = np.block([[h, h], [h, -h]])
    return h / math.sqrt(len(h))


def rounded(z, largest, clips):
    """Q_a: one scale a token, codes round half to even."""
    if largest is None:
        return z
    top = np.abs(z).max(axis=-1, keepdims=True) * clips
    factor = np.divide(largest, top, out=np.zeros_like(top), where=top > 0)
    return np.clip(np.rint(z * factor), -largest, largest) * (top / largest)


def patches(tensors, prefix, z, modalities):
    y = 0
    for m, modality in enumerate(MODALITIES):
        if prefix + "L1." + modality.lower() in tensors:
            y = y + (modalities == m)[:, None] * (z @ tensors[prefix + "L1." + modality.lower()] @ tensors[prefix + "L2." + modality.lower()])
    return y


def stored_weight(tensors, linear, prefix):
    """Ŵ [N, K]."""
    n, k, scheme = linear["outputs"], linear["inputs"], linear["scheme"]
    stored = tensors[prefix + "codes"]
    scales = tensors[prefix + "scales"]
    if scheme.startswith("W8"):
        return stored.view(np.int8).transpose(0, 2, 1, 3).reshape(n, k) * scales[:, None]
    nibbles = np.stack([stored & 15, stored >> 4], axis=3)  # [N/16, K/8, 16, half of the 8 inputs, 4]
    codes = nibbles.transpose(0, 2, 1, 3, 4).reshape(n, k).astype(np.float64)
    if scheme == "W4A16":
        groups = codes.reshape(n, k // 128, 128) - tensors[prefix + "zero_points"][:, :, None]
        return (groups * scales[:, :, None]).reshape(n, k)
    codes -= 8
    if prefix + "group_scales" in tensors:
        second = tensors[prefix + "group_scales"].transpose(0, 2, 1).reshape(n, k // 128)
        codes = (codes.reshape(n, k // 128, 128) * second[:, :, None]).reshape(n, k)
    return codes * scales[:, None]
