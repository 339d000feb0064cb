"""Colours from words: Stable Diffusion 1.5 with a ControlNet that follows the photo.

    settings   what is asked for              conditions  what the ControlNet sees
    sources    the files that it needs        memory      whether the machine can hold it
    pipeline   loading, once for all          draw        variants, one after the other
    keep       only the colours, on the photo's own L
    metadata   the settings in a PNG, and back

The weights do not ship with the repository. Nothing here downloads them unless download() is
called, and the conditions need none of them, the soft edges excepted.
"""
