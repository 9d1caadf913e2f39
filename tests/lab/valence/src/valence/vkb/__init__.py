"""Conversation tracking."""
