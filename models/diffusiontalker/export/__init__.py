"""Export: trained modules to a bundle of ONNX graphs over one weights file. Needs the ``train`` extra."""
