"""What both servers need."""
