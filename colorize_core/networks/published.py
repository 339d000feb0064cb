"""Networks that come from the Hugging Face Hub and go there, with the files that the models here
have: half precision, and the configuration in the weight file's metadata."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, get_args, get_type_hints

from huggingface_hub import PyTorchModelHubMixin, constants, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError
from torch import nn

from colorize_core.downloads import checkpoints
from colorize_core.errors import WeightsError


class Published(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="colorize_core",
    license="apache-2.0",
    pipeline_tag="image-to-image",
    tags=["colorization"],
):
    """Base of the networks whose __init__ takes a `config: SomeConfig | None`, a dataclass, and
    keeps it as self.config.

    >>> network = Cnn.from_pretrained("owner/name")  # or a folder, as weights/cnn-mse
    >>> network.push_to_hub("owner/name")
    """

    config: Any
    apart: ClassVar[tuple[str, ...]] = ()  # parts that are stored in files of their own

    def _save_pretrained(self, save_directory: Path) -> None:
        checkpoints.save_network(self, save_directory / constants.SAFETENSORS_SINGLE_FILE, {})
        # For people and for the Hub, which counts downloads by it; the weight file says the same.
        config = json.dumps(asdict(self.config), indent=2)
        (save_directory / constants.CONFIG_NAME).write_text(config, encoding="utf-8")

    @classmethod
    def _from_pretrained(  # type: ignore[override]  # misspelt options are errors
        cls,
        *,
        model_id: str,
        revision: str | None,
        cache_dir: str | Path | None,
        force_download: bool,
        local_files_only: bool,
        token: str | bool | None,
        map_location: str = "cpu",
        config: object = None,  # of config.json: what counts is in the weight file
    ) -> Published:
        """Strictly, as float32, to be evaluated. WeightsError if the file is of another network."""
        path = Path(model_id, constants.SAFETENSORS_SINGLE_FILE)
        if not Path(model_id).is_dir():
            where: dict[str, Any] = {
                "revision": revision,
                "cache_dir": cache_dir,
                "force_download": force_download,
                "local_files_only": local_files_only,
                "token": token,
            }
            path = Path(hf_hub_download(model_id, path.name, **where))
            for part in checkpoints.list_part_files(
                path, cls
            ):  # where they are to lie in the Hub's cache, too
                try:
                    hf_hub_download(model_id, part.name, **where)
                except EntryNotFoundError as error:
                    raise WeightsError(
                        f"{model_id} does not fit its network: it has no {part.name}."
                    ) from error
        kind = get_args(get_type_hints(cls.__init__)["config"])[0]
        network: Any = checkpoints.load_network(path, cls, kind)
        return network.eval().to(map_location)
