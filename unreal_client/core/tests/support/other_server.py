"""A gRPC server that is no LiveTalker server: prints its port, and knows no method."""

from __future__ import annotations

from concurrent import futures

import grpc

server = grpc.server(futures.ThreadPoolExecutor(1))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
