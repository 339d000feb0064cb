"""The examples for clusters are what their programs can read, and call what there is."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from scenes import ROOT

from colorize_core.cli import batch

FOLDER = ROOT / "docs/ray"
JOB = yaml.safe_load((FOLDER / "rayjob.yaml").read_text())
SLURM = (FOLDER / "slurm.sh").read_text()


def list_groups() -> Iterator[dict[str, Any]]:
    cluster = JOB["spec"]["rayClusterSpec"]
    yield cluster["headGroupSpec"]
    yield from cluster["workerGroupSpecs"]


def parse(command: list[str]) -> Any:
    assert command[:4] == ["python", "-m", "colorize_core", "batch"]
    return batch.make_parser().parse_args(command[4:])


def test_the_job_is_one_of_kuberay() -> None:
    assert (JOB["apiVersion"], JOB["kind"]) == ("ray.io/v1", "RayJob")
    given = parse(shlex.split(JOB["spec"]["entrypoint"]))
    assert (given.engine, given.address) == ("ray", "auto")
    groups = list(list_groups())
    cores = sum(
        group["replicas"] * int(container["resources"]["limits"]["cpu"])
        for group in groups[1:]
        for container in group["template"]["spec"]["containers"]
    )
    assert given.jobs == cores
    for group in groups:
        spec = group["template"]["spec"]
        claims = {each["name"]: each["persistentVolumeClaim"] for each in spec["volumes"]}
        for container in spec["containers"]:
            mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
            assert set(mounts) == set(claims)
            assert all(str(given.output).startswith(place) for place in mounts.values())


def test_the_version_of_ray_is_one_that_the_extra_allows() -> None:
    extra = re.search(r'"ray\[data\]>=([\d.]+),<([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert extra is not None
    version = JOB["spec"]["rayClusterSpec"]["rayVersion"]

    def split(text: str) -> list[int]:
        return [int(part) for part in text.split(".")]

    assert split(extra[1]) <= split(version) < split(extra[2])


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_slurm_script_is_one_of_bash() -> None:
    subprocess.run(["bash", "-n", FOLDER / "slurm.sh"], check=True)
    options = dict(re.findall(r"^#SBATCH --([a-z-]+)=(\S+)$", SLURM, re.MULTILINE))
    assert options["ntasks-per-node"] == "1"
    assert int(options["nodes"]) > 1
    assert int(options["cpus-per-task"]) > 1


def test_the_slurm_script_calls_the_command() -> None:
    command = shlex.split(SLURM.split(" -- ", 1)[1])
    given = parse(command)
    assert (given.engine, given.address) == ("ray", "auto")
    assert given.photos == ["$photos"]
