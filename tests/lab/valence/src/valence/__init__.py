"""Stand-in for Valence."""

__version__ = "1.0.1"
