"""The prompted models in their full size with random weights, for machines that reach no Hub.

How fast a network is, and how much memory it takes, does not depend on what it has learned. The
sizes are those of the published configurations; what they give in all is tested against the sizes
of the published files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from colorize_core.prompted.sources import BASE, CONTROLNETS, FAST, FLUX
from tests import tiny_diffusion, tiny_flux

DEVIATION = 0.02  # of the weights
RANK = 64  # of LCM-LoRA
LORA = (  # ends of the names of the layers that it adds to
    *("to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2"),
    *("conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv"),
    "time_emb_proj",
)


def write(model: str, folder: Path) -> None:
    """One of MODELS, as folder/owner/name/file."""
    (_write_flux if model == "flux2-klein" else _write_diffusion)(folder)


def filled(build: Callable[[], Any], dtype: torch.dtype) -> Any:
    """The network, its weights drawn from a normal distribution."""
    with torch.device("meta"):
        network = build()
    network = network.to(dtype).to_empty(device="cpu").eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, DEVIATION)
        for statistic in network.buffers():
            statistic.fill_(1)
    if hasattr(network, "tie_weights"):
        network.tie_weights()
    return network


# --- Stable Diffusion 1.5 ---


def unet() -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(sample_size=64, cross_attention_dim=768)


def controlnet() -> Any:
    from diffusers import ControlNetModel

    return ControlNetModel(cross_attention_dim=768)


def vae() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
        sample_size=512,
    )


def text_encoder(**special: int) -> Any:
    """`special`: the numbers of the tokens that its tokenizer marks."""
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            hidden_size=768,
            intermediate_size=3072,
            num_hidden_layers=12,
            num_attention_heads=12,
            **special,
        )
    )


def checker() -> Any:
    from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
    from transformers import CLIPConfig

    vision = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24}
    vision |= {"num_attention_heads": 16, "image_size": 224, "patch_size": 14}
    return StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision, projection_dim=768))


def lora(network: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Two thin matrices, or convolutions, for each layer of LORA."""
    for name, layer in network.named_modules():
        weight = getattr(layer, "weight", None)
        if weight is None or not name.endswith(LORA):
            continue
        key = "lora_unet_" + name.replace(".", "_")
        wide, narrow, *kernel = weight.shape
        half = {"dtype": torch.float16, "device": weight.device}
        yield f"{key}.lora_down.weight", torch.empty(RANK, narrow, *kernel, **half)
        yield f"{key}.lora_up.weight", torch.empty(wide, RANK, *(1 for _ in kernel), **half)
        yield f"{key}.alpha", torch.tensor(float(RANK), dtype=torch.float16)


def _write_diffusion(folder: Path) -> None:
    from diffusers import PNDMScheduler, StableDiffusionPipeline
    from safetensors.torch import save_file
    from transformers import CLIPImageProcessor

    half, home = torch.float16, folder / BASE.repo
    words = tiny_diffusion.write_tokenizer(home / "tokenizer")
    kinds = ("bos_token_id", "eos_token_id", "pad_token_id")
    special = {kind: getattr(words, kind) for kind in kinds}
    network, judge = filled(unet, half), filled(checker, half)
    seen = judge.config.vision_config.image_size
    pipeline = StableDiffusionPipeline(
        vae=filled(vae, half),
        text_encoder=filled(lambda: text_encoder(**special), half),
        tokenizer=words,
        unet=network,
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            skip_prk_steps=True,
            steps_offset=1,
        ),
        safety_checker=judge,
        feature_extractor=CLIPImageProcessor(size={"shortest_edge": seen}, crop_size=seen),
    )
    pipeline.save_pretrained(home, variant="fp16")
    filled(controlnet, half).save_pretrained(folder / CONTROLNETS["canny"].repo, variant="fp16")
    (folder / FAST.repo).mkdir(parents=True)
    thin = {
        key: each if key.endswith("alpha") else each.normal_(0, DEVIATION)
        for key, each in lora(network)
    }
    save_file(thin, folder / FAST.repo / FAST.files[0].path)


# --- FLUX.2 [klein] 4B ---


def flux_transformer() -> Any:
    from diffusers import Flux2Transformer2DModel

    return Flux2Transformer2DModel(
        num_layers=5,
        num_single_layers=20,
        num_attention_heads=24,
        joint_attention_dim=3 * 2560,
        guidance_embeds=False,
    )


def flux_text_encoder() -> Any:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return Qwen3ForCausalLM(
        Qwen3Config(
            hidden_size=2560,
            intermediate_size=9728,
            num_hidden_layers=36,
            num_attention_heads=32,
            num_key_value_heads=8,
            tie_word_embeddings=True,
        )
    )


def flux_vae() -> Any:
    from diffusers import AutoencoderKLFlux2

    return AutoencoderKLFlux2()


def _write_flux(folder: Path) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler, Flux2KleinPipeline

    Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=filled(flux_vae, torch.bfloat16),
        text_encoder=filled(flux_text_encoder, torch.bfloat16),
        tokenizer=tiny_flux.tokenizer(),
        transformer=filled(flux_transformer, torch.bfloat16),
        is_distilled=True,
    ).save_pretrained(folder / FLUX.repo)
