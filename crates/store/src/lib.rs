//! Files that survive being killed: a directory of keyed files in which a name either holds the
//! whole content or does not exist.
//!
//! Every file is written under a temporary name in its own directory, flushed to the disk and then
//! renamed. Several processes may use one [`Store`] at once; [`Store::lock`] lets one of them do
//! what the others would repeat. Nothing here knows what the files mean.

mod atomic;
mod error;
mod key;
mod lock;
mod private;
mod prune;
mod store;

pub use atomic::{PendingFile, write_atomic};
pub use error::StoreError;
pub use lock::LockGuard;
pub use private::PrivateStore;
pub use prune::{PruneLimits, Pruned};
pub use store::Store;
