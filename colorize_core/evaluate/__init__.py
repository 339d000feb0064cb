"""Many photographs, many models, many metrics: one row a model and photo, in a CSV file that a
later run goes on with. `python -m colorize_core.evaluate --help` says how it is asked for."""
