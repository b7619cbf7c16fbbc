"""The sandbox: an emulator of the image service's own wire, without a key and without costs."""
