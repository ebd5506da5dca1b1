"""The Python API: the functions behind `import consciousness_cluster as cc`, and what they give."""
