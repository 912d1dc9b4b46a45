//! leaves documentation, manuals and locales out
