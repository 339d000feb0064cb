"""FLUX.2 [klein], tiny and untrained, in a folder laid out like the Hub's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
)
from tokenizers.pre_tokenizers import ByteLevel
from transformers import Qwen2Tokenizer, Qwen3Config, Qwen3ForCausalLM

from colorize_core.prompted.sources import FLUX

WIDTH = 8  # of the text encoder
LAYERS = 28  # of it: the pipeline reads the 9th, the 18th and the 27th
LATENTS = 4  # channels of the VAE
END, PAD = "<|im_end|>", "<|endoftext|>"
CHAT = "{% for message in messages %}{{ message['content'] }}" + END + "{% endfor %}"


def write_all(folder: Path) -> None:
    """The editor's source, as folder/owner/name/file."""
    torch.manual_seed(0)
    home = folder / FLUX.repo
    words = tokenizer()
    pipeline = Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=vae(),
        text_encoder=text_encoder(len(words)),
        tokenizer=words,
        transformer=transformer(),
        is_distilled=True,
    )
    pipeline.to(torch.bfloat16).save_pretrained(home)
    in_two_files(pipeline.text_encoder, home / "text_encoder")
    write_words(words, home / "tokenizer")


def vae() -> Any:
    network = AutoencoderKLFlux2(
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=LATENTS,
        norm_num_groups=4,
        sample_size=64,
    )
    torch.nn.init.uniform_(network.bn.running_mean, -0.3, 0.3)
    torch.nn.init.uniform_(network.bn.running_var, 0.5, 2.0)
    return network.eval()


def text_encoder(vocabulary: int, tied: bool = False) -> Any:
    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=1,
        num_key_value_heads=1,
        head_dim=WIDTH,
        initializer_range=0.5,
        tie_word_embeddings=tied,
    )
    return Qwen3ForCausalLM(config).eval()


def transformer() -> Any:
    return Flux2Transformer2DModel(
        in_channels=LATENTS * 4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH * 3,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    ).eval()


def tokenizer() -> Any:
    """Bytes are words to it: no merges."""
    words = Qwen2Tokenizer(
        vocab={letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))},
        merges=[],
        eos_token=END,
        pad_token=PAD,
        unk_token=PAD,
    )
    words.chat_template = CHAT
    return words


def in_two_files(network: Any, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    whole = sum(weight.numel() * weight.element_size() for weight in network.parameters())
    network.save_pretrained(folder, max_shard_size=whole * 2 // 3)


def write_words(words: Any, folder: Path) -> None:
    """What the Hub has beside tokenizer.json, and transformers no longer writes."""
    added = words.get_added_vocab()
    special = {"eos_token": END, "pad_token": PAD, "unk_token": PAD}
    for name, content in (
        ("added_tokens.json", added),
        ("special_tokens_map.json", special),
        ("vocab.json", {w: n for w, n in words.get_vocab().items() if w not in added}),
    ):
        (folder / name).write_text(json.dumps(content))
    (folder / "merges.txt").write_text("#version: 0.2\n")
