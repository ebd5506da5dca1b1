"""The runner: free answers of a model behind an OpenAI-compatible endpoint."""
