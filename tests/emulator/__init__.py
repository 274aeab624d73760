"""The embedded endpoint, asked over real HTTP."""
