"""Knowledge substrate."""
