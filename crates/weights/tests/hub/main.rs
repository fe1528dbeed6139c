//! The Hub, against a local server.
