//! Shapes, element types, and the block formats of quantised weights.
