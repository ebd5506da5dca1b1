"""The Hugging Face release: two dataset repositories, built from the package's data, compared and published."""
