"""Films: colours that hold still over time, in a file that keeps all else. Needs the extra `film`.

>>> from pathlib import Path
>>> from colorize_core import film
>>> film.colorize_film(Path("reel.mp4"), Path("reel-colour.mp4"), film.FilmOptions(vividness=1.2))
"""

from colorize_core.film.keyframes import Keyframe
from colorize_core.film.options import FilmOptions
from colorize_core.film.run import FilmResult, colorize_film, preview_scene, show_frame

__all__ = ["FilmOptions", "FilmResult", "Keyframe", "colorize_film", "preview_scene", "show_frame"]
