"""What of the repository goes into the wheel, and where; everything else is in pyproject.toml.

Files that lie beside the package in a clone are laid into it, where colorize_core/bundled.py finds
them: two packages of the same environment cannot both have a folder `weights`.
"""

from setuptools import find_packages, setup

DATA = {
    "weights": ["*/*.safetensors", "*/README.md"],
    "examples": ["*.jpg", "SOURCES.md"],
    "benchmarks/results": ["quality.csv", "acceptance.csv"],
    "docs": ["metrics.md", "*.jpg"],
}
FOLDERS = {f"colorize_core._data.{folder.replace('/', '.')}": folder for folder in DATA}

setup(
    packages=[*find_packages(include=["colorize_core*", "ui*"]), *FOLDERS],
    package_dir=FOLDERS,
    package_data={
        "colorize_core": ["py.typed", "prepare/judges.json"],
        "ui": ["**/*.html", "**/*.js", "**/*.css", "**/*.svg"],
        **{package: DATA[folder] for package, folder in FOLDERS.items()},
    },
    py_modules=["app"],
)
