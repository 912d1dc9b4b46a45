//! `strata.lock`: what a resolution found, so that the next one finds the same.
