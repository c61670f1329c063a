"""The gRPC service: wire messages in, wire messages out; every decision about faces is the engine's."""
