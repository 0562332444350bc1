"""Agents that think in words."""
