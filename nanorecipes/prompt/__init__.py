"""Prompts: image handles, bounded templates, their static check, and the layout of the sections."""
