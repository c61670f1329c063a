"""A gRPC server of nothing: what a client meets that has the address of another program or of another version."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc


def main() -> None:
    """Serves until it is killed; prints the port in the greeting of `livetalker serve`."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"nothing at 127.0.0.1:{port}, really", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
