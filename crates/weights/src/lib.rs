//! Checkpoints: safetensors files, tensors by name, the dialects of config.json, and the Hub.
