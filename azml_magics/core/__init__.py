"""A config and a prompt become a response. Knows no notebook, no LangChain and no widget."""
