"""The LangChain face, run against the embedded endpoint."""
