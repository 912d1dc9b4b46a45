//! Ways to write changes in a line.

use crate::{
    Access, Change, ChangeAccess, ConfigEdit, Description, Diagnostic, Directory, Mapping, NewFile,
    Origin, Outcome, Owner, Setting, Symlink, TreeEdit,
};

impl Description {
    /// What [`describe!`](crate::describe) makes.
    pub fn new(name: &str, version: &str, summary: &str, settings: &[Setting]) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: summary.to_owned(),
            settings: settings.iter().copied().map(Setting::to_wit).collect(),
        }
    }
}

impl Default for Mapping {
    fn default() -> Self {
        Self::new()
    }
}

impl Mapping {
    /// No changes.
    pub const fn new() -> Self {
        Self { edits: Vec::new(), diagnostics: Vec::new() }
    }

    /// Adds a change.
    pub fn set(&mut self, change: Change) -> &mut Self {
        self.edits.push(ConfigEdit { change, origin: None });
        self
    }

    /// Adds a change and what gave rise to it, for `strata explain`.
    pub fn set_from(&mut self, change: Change, origin: Origin) -> &mut Self {
        self.edits.push(ConfigEdit { change, origin: Some(origin) });
        self
    }

    /// Adds a finding.
    pub fn tell(&mut self, diagnostic: Diagnostic) -> &mut Self {
        self.diagnostics.push(diagnostic);
        self
    }
}

impl Default for Outcome {
    fn default() -> Self {
        Self::new()
    }
}

impl Outcome {
    /// No changes.
    pub const fn new() -> Self {
        Self { edits: Vec::new(), diagnostics: Vec::new() }
    }

    /// Makes a directory; one that is there gets these permissions and this owner.
    pub fn make_directory(&mut self, path: impl Into<String>, access: Access) -> &mut Self {
        self.edit(TreeEdit::MakeDirectory(Directory { path: path.into(), access }))
    }

    /// Writes a file.
    pub fn write_file(
        &mut self,
        path: impl Into<String>,
        content: impl Into<Vec<u8>>,
        access: Access,
    ) -> &mut Self {
        let content = content.into();
        self.edit(TreeEdit::WriteFile(NewFile { path: path.into(), content, access }))
    }

    /// Makes a symbolic link.
    pub fn make_symlink(
        &mut self,
        path: impl Into<String>,
        target: impl Into<String>,
    ) -> &mut Self {
        self.edit(TreeEdit::MakeSymlink(Symlink { path: path.into(), target: target.into() }))
    }

    /// Changes permissions and owner of what is there.
    pub fn set_access(&mut self, path: impl Into<String>, access: Access) -> &mut Self {
        self.edit(TreeEdit::SetAccess(ChangeAccess { path: path.into(), access }))
    }

    /// Removes a path with all below it.
    pub fn remove(&mut self, path: impl Into<String>) -> &mut Self {
        self.edit(TreeEdit::Remove(path.into()))
    }

    /// Adds a finding.
    pub fn tell(&mut self, diagnostic: Diagnostic) -> &mut Self {
        self.diagnostics.push(diagnostic);
        self
    }

    fn edit(&mut self, edit: TreeEdit) -> &mut Self {
        self.edits.push(edit);
        self
    }
}

impl Access {
    /// Permissions with an owner and a group: numbers, or names that the image knows.
    pub fn new(mode: u32, user: impl Into<Owner>, group: impl Into<Owner>) -> Self {
        Self { mode, user: user.into(), group: group.into() }
    }

    /// Permissions of what belongs to root.
    pub const fn root(mode: u32) -> Self {
        Self { mode, user: Owner::Id(0), group: Owner::Id(0) }
    }
}

impl From<u32> for Owner {
    fn from(id: u32) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for Owner {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for Owner {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}
