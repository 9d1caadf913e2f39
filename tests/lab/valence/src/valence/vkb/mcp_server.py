"""The conversation server: the same protocol under another name."""

from valence.substrate.mcp_server import serve

if __name__ == "__main__":
    raise SystemExit(serve("valence-vkb"))
