"""Instruct models small enough for a CPU: their weights, their two forms, and a server for them."""
