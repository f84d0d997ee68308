"""The recipes that ship; must never hold code that runs. OWNER says whose package this is."""

OWNER = "lbl"
