"""Backends behind ``engine.backend.Backend``: ONNX Runtime on CPU, CUDA and TensorRT, and torch."""
