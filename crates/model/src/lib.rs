//! Model families: a checkpoint's config and tensors in, recorded plans out.
