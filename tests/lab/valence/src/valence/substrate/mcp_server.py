"""Speaks line-delimited JSON-RPC on stdin and stdout; `--health-check` answers once and ends."""

import argparse
import json
import os
import sys

from valence import __version__

NAME = "valence-substrate"


def serve(name: str) -> int:
    for line in sys.stdin:
        request = json.loads(line)
        result = {"serverInfo": {"name": name, "version": __version__}, "protocolVersion": "2024-11-05"}
        print(json.dumps({"jsonrpc": "2.0", "id": request.get("id"), "result": result}), flush=True)
    return 0


def health() -> int:
    state = {"status": "healthy", "version": __version__, "database": os.environ.get("VKB_DB_NAME", "")}
    print(json.dumps(state))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog=NAME)
    parser.add_argument("--health-check", action="store_true")
    return health() if parser.parse_args().health_check else serve(NAME)


if __name__ == "__main__":
    raise SystemExit(main())
