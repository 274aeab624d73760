"""The embedded endpoint over real HTTP."""
