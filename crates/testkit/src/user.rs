//! Running as somebody without privileges.

use crate::tool::run;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `nobody`, on every system.
const ID: u32 = 65534;

/// A user without privileges, with a home of its own; who runs the tests, unless that is root.
#[derive(Debug)]
pub struct OrdinaryUser {
    home: tempfile::TempDir,
}

impl OrdinaryUser {
    /// A user with an empty home.
    ///
    /// # Panics
    /// When the home cannot be made.
    pub fn new() -> Self {
        let home = tempfile::Builder::new().prefix("strata-user").tempdir();
        let home = home.unwrap_or_else(|error| panic!("cannot make a home: {error}"));
        let user = Self { home };
        user.own(user.home());
        user
    }

    /// A directory that the user may write to.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A command that runs `program` as the user, in the home. A program out of the user's reach
    /// is copied into it.
    pub fn command(&self, program: &Path) -> Command {
        let program = if program.components().count() > 1 {
            self.share(program)
        } else {
            program.to_path_buf()
        };
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={ID}")).arg(format!("--regid={ID}"));
            command.args(["--clear-groups", "--inh-caps=-all", "--no-new-privs", "--"]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.home()).env("HOME", self.home());
        command.env_remove("XDG_CACHE_HOME").env_remove("XDG_RUNTIME_DIR");
        command
    }

    /// A file or directory in a place that the user can read: where it is, or a copy (by hard
    /// links where that is possible) when a parent directory is closed.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn share(&self, path: &Path) -> PathBuf {
        let path = std::fs::canonicalize(path)
            .unwrap_or_else(|error| panic!("cannot find `{}`: {error}", path.display()));
        if !is_root() || path.ancestors().skip(1).all(|parent| mode(parent) & 0o001 != 0) {
            return path;
        }
        let name = path.file_name().unwrap_or_default();
        let copy = self.home().join("shared").join(name);
        if !copy.exists() {
            let parent = copy.parent().unwrap_or(&copy);
            std::fs::create_dir_all(parent)
                .unwrap_or_else(|error| panic!("cannot make `{}`: {error}", parent.display()));
            let linked = Command::new("cp").arg("-al").args([&path, &copy]).output();
            if !linked.is_ok_and(|output| output.status.success()) {
                run(Command::new("cp").arg("-a").args([&path, &copy]));
            }
        }
        copy
    }

    /// Gives `path` to the user.
    ///
    /// # Panics
    /// When that fails.
    pub fn own(&self, path: &Path) {
        if is_root() {
            run(Command::new("chown").arg("-R").arg(format!("{ID}:{ID}")).arg(path));
        }
        std::fs::set_permissions(path, Permissions::from_mode(mode(path) | 0o755))
            .unwrap_or_else(|error| panic!("cannot open `{}`: {error}", path.display()));
    }
}

impl Default for OrdinaryUser {
    fn default() -> Self {
        Self::new()
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode())
}
