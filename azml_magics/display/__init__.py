"""How responses and tables look, without IPython."""
