//! What the caches of GLib's programs have in common: the order in which its hash tables are
//! walked, which their files show, its key files, and its database format.

pub(super) mod gvdb;
pub(super) mod key_file;
pub(super) mod table;
