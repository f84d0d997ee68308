"""The bench: its file, its roles, its open instruments. Must never know a recipe or a run."""
