//! libsolv's list of ids, owned.

#![allow(unsafe_code, reason = "binding to a C library")]

use rattler_libsolv_c as ffi;

/// An id of a string, relation, package or rule.
pub(super) type Id = ffi::Id;

/// A growing list that libsolv reads and fills.
pub(super) struct Queue(ffi::Queue);

impl Queue {
    pub fn new() -> Self {
        let mut raw = std::mem::MaybeUninit::uninit();
        // SAFETY: `queue_init` writes every field of the queue it is given.
        Self(unsafe {
            ffi::queue_init(raw.as_mut_ptr());
            raw.assume_init()
        })
    }

    pub fn push(&mut self, id: Id) {
        // SAFETY: the queue is initialised, and the position is its end.
        unsafe { ffi::queue_insert(&raw mut self.0, self.0.count, id) }
    }

    pub fn as_slice(&self) -> &[Id] {
        let Ok(count @ 1..) = usize::try_from(self.0.count) else {
            return &[];
        };
        // SAFETY: `elements` points to `count` ids as long as the queue is not changed, which the
        // borrow prevents; it is only null when there are none.
        unsafe { std::slice::from_raw_parts(self.0.elements, count) }
    }

    pub fn as_ptr(&mut self) -> *mut ffi::Queue {
        &raw mut self.0
    }
}

impl FromIterator<Id> for Queue {
    fn from_iter<T: IntoIterator<Item = Id>>(ids: T) -> Self {
        let mut queue = Self::new();
        for id in ids {
            queue.push(id);
        }
        queue
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: initialised by `new`, freed only here.
        unsafe { ffi::queue_free(&raw mut self.0) }
    }
}
