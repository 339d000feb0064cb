"""Files that do not ship with the repository, downloaded once: which, from where, and how."""
