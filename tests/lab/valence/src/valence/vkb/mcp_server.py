"""The conversation server: the same protocol under another name."""

from valence.substrate.mcp_server import serve


def run() -> None:
    raise SystemExit(serve("valence-vkb"))


if __name__ == "__main__":
    run()
