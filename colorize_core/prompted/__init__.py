"""Colours from words: Stable Diffusion 1.5 with a ControlNet that follows the photo, or an editor.

    settings         what is asked for
    models           with which model, a card for each
    conditions       what the model is shown of the photo
    sources          the files that it needs
    memory           whether the machine can hold it
    pipeline         Stable Diffusion: loading, and how it is called
    flux             FLUX.2, which edits the photo
    pipeline_cache   one pipeline for all callers
    generation       drawing the variants, one after the other
    plan, grid       conditions compared in one run
    caption          what is in the photo
    chroma_transfer  only the colours, on the photo's own L
    metadata         the settings in a picture's record, and back

The weights do not ship with the repository. Nothing here downloads them unless download() is
called, and the conditions need none of them, the soft edges excepted.
"""
