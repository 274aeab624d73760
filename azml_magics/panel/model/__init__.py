"""The panel without widgets: its state, its actions, and the texts that it shows."""
