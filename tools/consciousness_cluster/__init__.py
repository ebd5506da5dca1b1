"""The Consciousness Cluster: preferences of language models that claim to be conscious, measured."""

__version__ = "0.2.0"
