//! libsolv's pool: the strings, relations and packages that a solver works on.

#![allow(unsafe_code, reason = "binding to a C library")]

use super::queue::{Id, Queue};
use rattler_libsolv_c as ffi;
use std::{
    ffi::{CStr, CString},
    ptr::{self, NonNull},
};

/// The pool of one architecture. Everything that points into it borrows it.
pub(super) struct Pool {
    raw: NonNull<ffi::Pool>,
    /// What `considered` of the raw pool points to.
    considered: Option<(Box<ffi::Map>, Vec<u8>)>,
    /// Kept between uses, so that composing a text need not allocate.
    pub scratch: String,
}

/// A repository of a pool. Valid for the pool that made it.
#[derive(Clone, Copy)]
pub(super) struct Repo(*mut ffi::Repo);

/// The dependency lists of a package, in the order of [`Pool::add_package`]'s argument.
#[derive(Default)]
pub(super) struct Lists {
    pub provides: Vec<Id>,
    pub requires: Vec<Id>,
    pub conflicts: Vec<Id>,
    pub obsoletes: Vec<Id>,
    pub recommends: Vec<Id>,
    pub suggests: Vec<Id>,
    pub supplements: Vec<Id>,
    pub enhances: Vec<Id>,
}

impl Pool {
    /// An empty pool with rpm's semantics that accepts the given architectures, best first.
    pub fn new(arches: &[&str]) -> Self {
        let policy = CString::new(arches.join(":")).unwrap_or_default();
        // SAFETY: `pool_create` never returns null (libsolv ends the process when memory is out); the
        // policy is a C string that libsolv copies.
        unsafe {
            let raw = ffi::pool_create();
            ffi::pool_setdisttype(raw, ffi::DISTTYPE_RPM as i32);
            ffi::pool_setarchpolicy(raw, policy.as_ptr());
            let set = |flag: u32| ffi::pool_set_flag(raw, flag as i32, 1);
            set(ffi::POOL_FLAG_WHATPROVIDESWITHDISABLED);
            // As Fedora builds libsolv: packages of two ELF classes do not replace each other.
            set(ffi::POOL_FLAG_IMPLICITOBSOLETEUSESCOLORS);
            // dnf's empty rpmdb
            let system = ffi::repo_create(raw, c"@System".as_ptr());
            ffi::pool_set_installed(raw, system);
            Self { raw: NonNull::new_unchecked(raw), considered: None, scratch: String::new() }
        }
    }

    pub fn as_ptr(&mut self) -> *mut ffi::Pool {
        self.raw.as_ptr()
    }

    /// The id of a text, made when it is new. The text must not contain NUL.
    pub fn intern(&mut self, text: &str) -> Id {
        self.string(text, true)
    }

    /// The id of a text, 0 if no one has asked for it.
    pub fn known(&mut self, text: &str) -> Id {
        self.string(text, false)
    }

    fn string(&mut self, text: &str, create: bool) -> Id {
        let Ok(length) = u32::try_from(text.len()) else {
            return 0;
        };
        // SAFETY: the pool lives, and the pointer is good for `length` bytes, which libsolv copies.
        unsafe {
            ffi::pool_strn2id(self.raw.as_ptr(), text.as_ptr().cast(), length, i32::from(create))
        }
    }

    /// The id of a relation between two ids; `relation` is one of the `REL_` constants or a sum of
    /// the comparing ones.
    pub fn relation(&mut self, left: Id, relation: u32, right: Id) -> Id {
        // SAFETY: the pool lives; both ids come from it.
        unsafe { ffi::pool_rel2id(self.raw.as_ptr(), left, right, relation as i32, 1) }
    }

    /// A new repository; the higher priority wins.
    pub fn add_repo(&mut self, priority: i32, subpriority: i32) -> Repo {
        // SAFETY: the pool lives; `repo_create` never returns null.
        unsafe {
            let repo = ffi::repo_create(self.raw.as_ptr(), c"".as_ptr());
            (*repo).priority = priority;
            (*repo).subpriority = subpriority;
            Repo(repo)
        }
    }

    /// Room for `count` packages, numbered from the id that is returned.
    pub fn add_packages(&mut self, repo: Repo, count: i32) -> Id {
        // SAFETY: the repository belongs to this pool, which never frees one.
        unsafe { ffi::repo_add_solvable_block(repo.0, count) }
    }

    /// Fills in one of the packages that [`Pool::add_packages`] made room for.
    pub fn set_package(&mut self, repo: Repo, id: Id, nevra: [Id; 3], vendor: Id, lists: &Lists) {
        let list = |ids: &[Id]| {
            let mut offset = 0;
            for one in ids {
                // SAFETY: the repository belongs to this pool; `offset` is 0 or what the call
                // before returned.
                offset = unsafe { ffi::repo_addid(repo.0, offset, *one) };
            }
            offset
        };
        let Ok(index) = usize::try_from(id) else {
            return;
        };
        // SAFETY: the id was made by `add_packages`, so it is below `nsolvables`, and nothing above
        // moves the array of packages.
        unsafe {
            let package = (*self.raw.as_ptr()).solvables.add(index);
            [(*package).name, (*package).evr, (*package).arch] = nevra;
            (*package).vendor = vendor;
            (*package).provides = list(&lists.provides);
            (*package).requires = list(&lists.requires);
            (*package).conflicts = list(&lists.conflicts);
            (*package).obsoletes = list(&lists.obsoletes);
            (*package).recommends = list(&lists.recommends);
            (*package).suggests = list(&lists.suggests);
            (*package).supplements = list(&lists.supplements);
            (*package).enhances = list(&lists.enhances);
        }
    }

    /// Has to follow the last package, and precede the first question.
    pub fn index_provides(&mut self) {
        // SAFETY: the pool lives.
        unsafe { ffi::pool_createwhatprovides(self.raw.as_ptr()) }
    }

    /// The packages that provide a dependency, hidden ones included.
    pub fn providers(&mut self, dependency: Id) -> Vec<Id> {
        let mut found = Queue::new();
        // SAFETY: pool and queue live; the id comes from this pool.
        unsafe {
            ffi::pool_job2solvables(
                self.raw.as_ptr(),
                found.as_ptr(),
                ffi::SOLVER_SOLVABLE_PROVIDES as i32,
                dependency,
            );
        }
        found.as_slice().to_vec()
    }

    /// An id that stands for any one of the packages, for a job.
    pub fn one_of(&mut self, packages: &[Id]) -> Id {
        let mut queue: Queue = packages.iter().copied().collect();
        // SAFETY: pool and queue live; libsolv copies the ids.
        unsafe { ffi::pool_queuetowhatprovides(self.raw.as_ptr(), queue.as_ptr()) }
    }

    /// A dependency as text.
    pub fn describe(&mut self, dependency: Id) -> String {
        // SAFETY: the id comes from this pool; the text lives in its scratch space until later
        // calls, and is copied at once.
        unsafe {
            let text = ffi::pool_dep2str(self.raw.as_ptr(), dependency);
            if text.is_null() {
                return String::new();
            }
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }

    /// Makes only the packages visible for which `visible` says so.
    pub fn consider(&mut self, visible: impl Fn(Id) -> bool) {
        // SAFETY: the pool lives.
        let count = unsafe { (*self.raw.as_ptr()).nsolvables };
        let mut bytes = vec![0_u8; usize::try_from(count).unwrap_or(0) / 8 + 1];
        for id in 0..count {
            if visible(id)
                && let Ok(at) = usize::try_from(id)
                && let Some(byte) = bytes.get_mut(at / 8)
            {
                *byte |= 1 << (at % 8);
            }
        }
        let size = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        // SAFETY: the pool lives, and lets go of the map before that is freed.
        unsafe { (*self.raw.as_ptr()).considered = ptr::null_mut() };
        let map = Box::new(ffi::Map { map: ptr::null_mut(), size });
        // pointers are taken where the map stays: moving a box would end them
        let (map, bytes) = self.considered.insert((map, bytes));
        map.map = bytes.as_mut_ptr();
        // SAFETY: the map outlives the pool's use of it, because `self` owns both and touches neither
        // before the next call or the drop, which take it away first.
        unsafe { (*self.raw.as_ptr()).considered = &raw mut **map };
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: freed only here; nothing that borrows the pool is left.
        unsafe {
            (*self.raw.as_ptr()).considered = ptr::null_mut();
            ffi::pool_free(self.raw.as_ptr());
        }
    }
}
