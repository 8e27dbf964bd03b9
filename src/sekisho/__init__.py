"""Sekisho, a checkpoint: money accounts that stay safe when passwords leak."""

__version__ = "0.1.0"
