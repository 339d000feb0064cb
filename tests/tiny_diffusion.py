"""Stable Diffusion with a ControlNet and LCM-LoRA, tiny and untrained, in folders laid out like
the Hub's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from safetensors.torch import save_file
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
)

from colorize_core.prompted import conditions
from colorize_core.prompted.sources import BASE, CONTROLNETS, FAST, HED

WIDTH = 16  # of what the text encoder gives
BLOCKS = {
    "block_out_channels": (8, 8, 16),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "cross_attention_dim": WIDTH,
    "attention_head_dim": 2,
    "norm_num_groups": 4,
}


def write_all(folder: Path) -> None:
    """Every source of colorize_core.prompted, as folder/owner/name/file."""
    torch.manual_seed(0)
    write_base(folder / BASE.repo)
    for source in CONTROLNETS.values():
        half = any(".fp16." in file.path for file in source.files)
        network = tiny_controlnet()
        _shake(network, 0.05)
        network.to(torch.float16 if half else torch.float32).save_pretrained(
            folder / source.repo, variant="fp16" if half else None
        )
    (folder / FAST.repo).mkdir(parents=True)
    unet = UNet2DConditionModel.from_pretrained(folder / BASE.repo / "unet", variant="fp16")
    save_file(lora(unet), folder / FAST.repo / FAST.files[0].path)
    write_hed(folder / HED.repo / HED.files[0].path)


def write_base(folder: Path) -> None:
    checker = tiny_checker()
    tokenizer = write_tokenizer(folder / "tokenizer")
    kinds = ("bos_token_id", "eos_token_id", "pad_token_id")
    pipeline = StableDiffusionPipeline(
        vae=tiny_vae(),
        text_encoder=tiny_text_encoder(**{kind: getattr(tokenizer, kind) for kind in kinds}),
        tokenizer=tokenizer,
        unet=tiny_unet(),
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            skip_prk_steps=True,
            steps_offset=1,
        ),
        safety_checker=checker,
        feature_extractor=CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32),
    )
    pipeline.to(torch.float16).save_pretrained(folder, variant="fp16")
    write_tokenizer(folder / "tokenizer")  # in the files that the Hub has


def tiny_checker() -> Any:
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    vision |= {"num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    return StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision, projection_dim=16))


def tiny_text_encoder(**special: int) -> Any:
    """`special`: the numbers of the tokens that its tokenizer marks."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=256,
            hidden_size=WIDTH,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            **special,
        )
    )


def tiny_unet() -> Any:
    return UNet2DConditionModel(
        sample_size=8,
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        **BLOCKS,
    )


def tiny_controlnet() -> Any:
    return ControlNetModel(conditioning_embedding_out_channels=(4, 4, 8, 8), **BLOCKS)


def tiny_vae() -> Any:
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
    )


def write_tokenizer(folder: Path) -> Any:
    """Letters are words to it: no merges."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>"}
    special |= {"pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    config = special | {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").unlink(missing_ok=True)
    return CLIPTokenizer.from_pretrained(folder)


def lora(unet: Any) -> dict[str, torch.Tensor]:
    """For every query and value of the attention, under the names that LCM-LoRA's file has."""
    tensors = {}
    for name, layer in unet.named_modules():
        if name.endswith((".to_q", ".to_v")):
            key = "lora_unet_" + name.replace(".", "_")
            wide, narrow = layer.weight.shape
            tensors[f"{key}.lora_down.weight"] = torch.randn(2, narrow)
            tensors[f"{key}.lora_up.weight"] = torch.randn(wide, 2)
            tensors[f"{key}.alpha"] = torch.tensor(2.0)
    return tensors


def write_hed(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(conditions._import_detectors().hed.ControlNetHED_Apache2().state_dict(), path)


@torch.no_grad()
def _shake(network: torch.nn.Module, by: float) -> None:
    """A new ControlNet ends in zeros and would change nothing."""
    for weight in network.parameters():
        weight.add_(torch.randn_like(weight) * by)
