//! Checkpoints from the Hugging Face Hub.
