"""Any LangChain Runnable, known by its methods: nothing here imports LangChain."""
