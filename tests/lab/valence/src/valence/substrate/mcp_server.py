"""Speaks line-delimited JSON-RPC on stdin and stdout; `--health-check` answers once and ends."""

import argparse
import json
import sys

from valence import __version__
from valence.core.health import cli_health_check

NAME = "valence-substrate"


def serve(name: str) -> int:
    for line in sys.stdin:
        request = json.loads(line)
        result = {"serverInfo": {"name": name, "version": __version__}, "protocolVersion": "2024-11-05"}
        print(json.dumps({"jsonrpc": "2.0", "id": request.get("id"), "result": result}), flush=True)
    return 0


def run() -> None:
    parser = argparse.ArgumentParser(prog=NAME)
    parser.add_argument("--health-check", action="store_true")
    raise SystemExit(cli_health_check() if parser.parse_args().health_check else serve(NAME))


if __name__ == "__main__":
    run()
