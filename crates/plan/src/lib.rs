//! The contract between models and backends: ops, buffers, plans and the backend trait.
