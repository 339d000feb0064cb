"""Every file that can be downloaded, in one table. Whoever needs some looks them up by the name of
their row: a download is added here and nowhere else. Torch-free, and imports nothing above it.

Sizes are bytes; of some files they are rounded, as the Hub's pages say them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from colorize_core.cards import WeightFile
from colorize_core.sizes import MB, format_size

TORCHVISION = "https://download.pytorch.org/models/"
COLORIZERS = "https://colorizers.s3.us-east-2.amazonaws.com/"
ZHANG = "https://github.com/richzhang/colorization"
ODD = "other (see the repository's page)"  # a licence that the Hub has no name for


@dataclass(frozen=True)
class Download:
    """Files that belong together, under one name."""

    name: str  # as in `autochrome weights fetch NAME`
    title: str  # for people
    licence: str
    source: str  # address of a page, or of the file itself; empty for what is at home here
    files: tuple[WeightFile, ...]
    itemsize: int = 2  # bytes that a number has in the files

    @property
    def bundled(self) -> bool:
        """Whether all of it ships with the repository."""
        return all(file.bundled for file in self.files)

    @property
    def bytes(self) -> int:
        """As far as the sizes are known; of some only about."""
        return sum(file.bytes for file in self.files)

    @property
    def repo(self) -> str:
        """The repository of the Hub that has the files, "owner/name"; "" for none."""
        return self.files[0].repo

    @property
    def revision(self) -> str:
        """The commit of it that is taken; "" for the newest."""
        return self.files[0].revision

    @property
    def line(self) -> str:
        """What to know of files of the Hub before they are downloaded."""
        at = f"revision {self.revision[:8]}"
        return (
            f"{self.title}: {self.repo} ({at}), {format_size(self.bytes)}, licence {self.licence}"
        )

    @property
    def by_hand(self) -> str:
        """The command that fetches files of the Hub into its cache."""
        names = " ".join(file.path for file in self.files)
        pinned = f" --revision {self.revision}" if self.revision else ""
        return f"hf download {self.repo} {names}{pinned}"


def from_hub(
    name: str,
    title: str,
    licence: str,
    repo: str,
    files: Mapping[str, int],
    revision: str = "",
    *,
    text: str = "",
    sha256: str = "",
    source: str = "",
    itemsize: int = 2,
) -> Download:
    """Files of one repository of the Hub: names and bytes, and the names of small ones as `text`
    with spaces between. `sha256` is that of a single file."""
    every = dict.fromkeys(text.split(), 0) | dict(files)
    return Download(
        name,
        title,
        licence,
        source or f"https://huggingface.co/{repo}",
        tuple(WeightFile(path, sha256, every[path], repo, revision) for path in sorted(every)),
        itemsize,
    )


def from_address(
    name: str,
    title: str,
    licence: str,
    address: str,
    size: int,
    *,
    sha256: str = "",
    source: str = "",
) -> Download:
    """A file whose name ends in the first digits of its sha256, as torchvision writes them."""
    path = address.rpartition("/")[2]
    digits = path.rpartition("-")[2].partition(".")[0]
    file = WeightFile(path, sha256 or digits, size, address=address)
    return Download(name, title, licence, source or address, (file,))


def combine(name: str, title: str, source: str, rows: Sequence[Download]) -> Download:
    """The files of several rows."""
    licence = " and ".join(row.licence for row in rows)
    return Download(name, title, licence, source, tuple(f for row in rows for f in row.files))


_DDCOLOR_LARGE = {"pytorch_model.bin": 911_914_869}
_HALF = {"diffusion_pytorch_model.fp16.safetensors": 723 * MB}

_MODELSCOPE = from_hub(
    "ddcolor-modelscope",
    "DDColor, ModelScope",
    "Apache-2.0",
    "piddnad/ddcolor_modelscope",
    _DDCOLOR_LARGE,
    "060f67494e31883a4b13cb27f889f3154847ada4",
    sha256="d81711971ec59200da26d5e8a1afae8dd3778d495ea8ad7a7dadc769f403f7e7",
)
_DEOLDIFY_REVISION = "448956a51080c3e5fb29a4e0f3e09457afd94eb0"
_DEOLDIFY = from_hub(
    "deoldify-artistic",
    "DeOldify, artistic",
    "MIT",
    "spensercai/DeOldify",
    {"ColorizeArtistic_gen.pth": 255_144_681},
    _DEOLDIFY_REVISION,
    sha256="3f750246fa220529323b85a8905f9b49c0e5d427099185334d048fb5b5e22477",
    source="https://github.com/jantic/DeOldify",
)

DOWNLOADS = {
    row.name: row
    for row in (
        # Published models, whose cards look up title, licence, source and file here.
        from_hub(
            "ddcolor-tiny",
            "DDColor tiny",
            "Apache-2.0",
            "piddnad/ddcolor_paper_tiny",
            {"pytorch_model.bin": 220_372_845},
            "cf9fd99c1d7472689ec7413441c1b799a51866a3",
            sha256="8a1277bc90a1bfbb6d2d83933a9a6bc821931879ca93e26e4fcec12165d41fce",
        ),
        from_hub(
            "ddcolor-paper",
            "DDColor, the paper's",
            "Apache-2.0",
            "piddnad/ddcolor_paper",
            _DDCOLOR_LARGE,
        ),
        _MODELSCOPE,
        from_hub(
            "ddcolor-artistic",
            "DDColor, artistic",
            "Apache-2.0",
            "piddnad/ddcolor_artistic",
            _DDCOLOR_LARGE,
            "aa10f72fffc89a6658e37b48556050b4d9a26f63",
            sha256="5a076e84efce59848394f572a105f7b78f7f6e917f615d1ee88537241b96dca3",
        ),
        _DEOLDIFY,
        from_hub(
            "deoldify-stable",
            "DeOldify, stable",
            "MIT",
            "spensercai/DeOldify",
            {"ColorizeStable_gen.pth": 874_066_230},
            _DEOLDIFY_REVISION,
            sha256="ca9cd7f43fb8b222c9a70f7b292e305a000694b0ff9d2ae4a6747b1a2e1ee5af",
            source="https://github.com/jantic/DeOldify",
        ),
        combine(
            "ddcolor-deoldify",
            "DDColor and DeOldify, their mean",
            "https://github.com/dan64/vs-deoldify",
            (_MODELSCOPE, _DEOLDIFY),
        ),
        from_address(
            "siggraph17",
            "SIGGRAPH17",
            "BSD-2-Clause",
            f"{COLORIZERS}siggraph17-df00044c.pth",
            136_800_000,
            sha256="df00044c0a4d7c3edcecf6f75437ce346a66e7a42612d9b968e1a7e17dbc6f66",
            source=ZHANG,
        ),
        from_address(
            "eccv16",
            "ECCV16",
            "BSD-2-Clause",
            f"{COLORIZERS}colorization_release_v2-9b330a0b.pth",
            129 * MB,
            sha256="9b330a0bae53f4ded77b1e23defbf78beaa09c10ebc4c4999e8e4f4a160b93f9",
            source=ZHANG,
        ),
        # Colours from words.
        from_hub(
            "stable-diffusion",
            "Stable Diffusion 1.5",
            "creativeml-openrail-m",
            "stable-diffusion-v1-5/stable-diffusion-v1-5",
            {
                "safety_checker/model.fp16.safetensors": 608 * MB,
                "text_encoder/model.fp16.safetensors": 246 * MB,
                "unet/diffusion_pytorch_model.fp16.safetensors": 1720 * MB,
                "vae/diffusion_pytorch_model.fp16.safetensors": 167 * MB,
            },
            "451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
            text="model_index.json feature_extractor/preprocessor_config.json "
            "safety_checker/config.json scheduler/scheduler_config.json text_encoder/config.json "
            "tokenizer/merges.txt tokenizer/special_tokens_map.json "
            "tokenizer/tokenizer_config.json tokenizer/vocab.json unet/config.json vae/config.json",
        ),
        from_hub(
            "controlnet-canny",
            "ControlNet for Canny edges",
            "openrail",
            "lllyasviel/control_v11p_sd15_canny",
            _HALF,
            "1924abb7afb3f36fecd21f424c126f0195454c87",
            text="config.json",
        ),
        from_hub(
            "controlnet-brightness",
            "ControlNet for brightness",
            "creativeml-openrail-m",
            "latentcat/control_v1p_sd15_brightness",
            {"diffusion_pytorch_model.safetensors": 1450 * MB},
            "8509361eb1ba89c03839040ed8c75e5f11bbd9c5",
            text="config.json",
            itemsize=4,
        ),
        from_hub(
            "controlnet-softedge",
            "ControlNet for soft edges",
            "openrail",
            "lllyasviel/control_v11p_sd15_softedge",
            _HALF,
            "b5bcad0c48e9b12f091968cf5eadbb89402d6bc9",
            text="config.json",
        ),
        from_hub(
            "hed",
            "Soft edge detector",
            ODD,
            "lllyasviel/Annotators",
            {"ControlNetHED.pth": 29_400_000},
            "e4b5a667872ddf7cae85eac2a0c67d97bc534c64",
        ),
        from_hub(
            "lcm-lora",
            "LCM-LoRA, for few steps",
            "openrail++",
            "latent-consistency/lcm-lora-sdv1-5",
            {"pytorch_lora_weights.safetensors": 135 * MB},
            "cf2fced511dbe7e26c8d1d397e728fbab875db4b",
        ),
        from_hub(
            "flux2-klein",
            "FLUX.2 [klein] 4B",
            "apache-2.0",
            "black-forest-labs/FLUX.2-klein-4B",
            {
                "text_encoder/model-00001-of-00002.safetensors": 4970 * MB,
                "text_encoder/model-00002-of-00002.safetensors": 3080 * MB,
                "transformer/diffusion_pytorch_model.safetensors": 7750 * MB,
                "vae/diffusion_pytorch_model.safetensors": 168 * MB,
            },
            "e7b7dc27f91deacad38e78976d1f2b499d76a294",
            text="model_index.json scheduler/scheduler_config.json text_encoder/config.json "
            "text_encoder/generation_config.json text_encoder/model.safetensors.index.json "
            "tokenizer/added_tokens.json tokenizer/chat_template.jinja tokenizer/merges.txt "
            "tokenizer/special_tokens_map.json tokenizer/tokenizer.json "
            "tokenizer/tokenizer_config.json tokenizer/vocab.json transformer/config.json "
            "vae/config.json",
        ),
        from_hub(
            "blip",
            "Captioner BLIP",
            "bsd-3-clause",
            "Salesforce/blip-image-captioning-base",
            {"model.safetensors": 990 * MB},
            # The Hub's own conversion of the weights, which the main branch has as a pickle only.
            "9cfcdbcaccbcadb2b53b36d4b50042c4eeaa0c25",
            text="config.json preprocessor_config.json special_tokens_map.json tokenizer.json "
            "tokenizer_config.json vocab.txt",
            itemsize=4,
        ),
        # Masks.
        from_address(
            "deeplab-mobile",
            "DeepLabV3 (mobile), for masks",
            "BSD-3-Clause",
            f"{TORCHVISION}deeplabv3_mobilenet_v3_large-fc3c493d.pth",
            44_400_000,
        ),
        from_address(
            "deeplab-resnet101",
            "DeepLabV3 (resnet101), for masks",
            "BSD-3-Clause",
            f"{TORCHVISION}deeplabv3_resnet101_coco-586e9e4e.pth",
            244_500_000,
        ),
        from_hub(
            "sam2",
            "SAM 2.1, for masks",
            "apache-2.0",
            "facebook/sam2.1-hiera-tiny",
            {"model.safetensors": 156 * MB},
            text="config.json",
        ),
        # Trunks under metrics.
        from_address(
            "alexnet",
            "AlexNet, for LPIPS (alex)",
            "BSD-3-Clause",
            f"{TORCHVISION}alexnet-owt-7be5be79.pth",
            244_400_000,
        ),
        from_address(
            "vgg16",
            "VGG-16, for LPIPS (vgg)",
            "BSD-3-Clause",
            f"{TORCHVISION}vgg16-397923af.pth",
            553_400_000,
        ),
        from_address(
            "squeezenet",
            "SqueezeNet, for LPIPS (squeeze)",
            "BSD-3-Clause",
            f"{TORCHVISION}squeezenet1_1-b8a52dc0.pth",
            4_960_000,
        ),
        from_address(
            "inception-v3",
            "Inception v3, for FID and KID",
            "BSD-3-Clause",
            f"{TORCHVISION}inception_v3_google-0cc3c7bd.pth",
            109 * MB,
        ),
        # Backbones to train on.
        *(
            from_hub(
                name, f"{title}, to train on", "apache-2.0", repo, {"model.safetensors": megas * MB}
            )
            for name, title, repo, megas in (
                ("resnet18", "ResNet-18", "timm/resnet18.a1_in1k", 47),
                ("resnet50", "ResNet-50", "timm/resnet50.a1_in1k", 102),
                ("resnet101", "ResNet-101", "timm/resnet101.a1h_in1k", 179),
                ("vit-b16", "ViT-B/16", "google/vit-base-patch16-224-in21k", 346),
            )
        ),
    )
}
