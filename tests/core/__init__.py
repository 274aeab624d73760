"""The core: a config and a prompt become a response."""
