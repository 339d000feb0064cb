"""The tabs of the app: one module each, with a TITLE and build(service, page).

Importing this imports none of them, and no Gradio: app.build() does, once its folder is there.
"""

TABS = (
    "colorize",
    "selective",
    "prompt",
    "models",
    "compare",
    "blind",
    "leaderboard",
    "batch",
    "film",
)  # names of modules, in the order of the page
AT_HOME_ONLY = ("film",)  # not in public: a film takes hours of a machine
# Those in which one photo is worked on, with their titles.
PHOTO_TABS = {
    "colorize": "Colorize",
    "selective": "Selective",
    "prompt": "Prompt",
    "compare": "Compare",
}
