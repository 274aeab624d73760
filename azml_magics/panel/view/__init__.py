"""The panel's widgets: each section draws a part of the model and calls it when the user changes something."""
