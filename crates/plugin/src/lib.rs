//! The host of plugins.
