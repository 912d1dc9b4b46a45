//! Scriptlets and triggers.

use super::{PackageError, Reader, Scriptlet};
use crate::{Condition, ScriptletKind, Tag};

/// Scriptlets: kind, body, interpreter, flags.
const PLAIN: [(ScriptletKind, Tag, Tag, Tag); 9] = [
    (ScriptletKind::Pre, Tag::PREIN, Tag::PREINPROG, Tag::PREINFLAGS),
    (ScriptletKind::Post, Tag::POSTIN, Tag::POSTINPROG, Tag::POSTINFLAGS),
    (ScriptletKind::PreUn, Tag::PREUN, Tag::PREUNPROG, Tag::PREUNFLAGS),
    (ScriptletKind::PostUn, Tag::POSTUN, Tag::POSTUNPROG, Tag::POSTUNFLAGS),
    (ScriptletKind::PreTrans, Tag::PRETRANS, Tag::PRETRANSPROG, Tag::PRETRANSFLAGS),
    (ScriptletKind::PostTrans, Tag::POSTTRANS, Tag::POSTTRANSPROG, Tag::POSTTRANSFLAGS),
    (ScriptletKind::PreUnTrans, Tag::PREUNTRANS, Tag::PREUNTRANSPROG, Tag::PREUNTRANSFLAGS),
    (ScriptletKind::PostUnTrans, Tag::POSTUNTRANS, Tag::POSTUNTRANSPROG, Tag::POSTUNTRANSFLAGS),
    (ScriptletKind::Verify, Tag::VERIFYSCRIPT, Tag::VERIFYSCRIPTPROG, Tag::VERIFYSCRIPTFLAGS),
];

/// The tags of one kind of trigger.
struct Triggers {
    kind: ScriptletKind,
    label: &'static str,
    scripts: Tag,
    programs: Tag,
    script_flags: Tag,
    names: Tag,
    indexes: Tag,
    versions: Tag,
    flags: Tag,
    priorities: Option<Tag>,
}

const TRIGGERS: [Triggers; 3] = [
    Triggers {
        kind: ScriptletKind::Trigger,
        label: "TRIGGERNAME",
        scripts: Tag::TRIGGERSCRIPTS,
        programs: Tag::TRIGGERSCRIPTPROG,
        script_flags: Tag::TRIGGERSCRIPTFLAGS,
        names: Tag::TRIGGERNAME,
        indexes: Tag::TRIGGERINDEX,
        versions: Tag::TRIGGERVERSION,
        flags: Tag::TRIGGERFLAGS,
        priorities: None,
    },
    Triggers {
        kind: ScriptletKind::FileTrigger,
        label: "FILETRIGGERNAME",
        scripts: Tag::FILETRIGGERSCRIPTS,
        programs: Tag::FILETRIGGERSCRIPTPROG,
        script_flags: Tag::FILETRIGGERSCRIPTFLAGS,
        names: Tag::FILETRIGGERNAME,
        indexes: Tag::FILETRIGGERINDEX,
        versions: Tag::FILETRIGGERVERSION,
        flags: Tag::FILETRIGGERFLAGS,
        priorities: Some(Tag::FILETRIGGERPRIORITIES),
    },
    Triggers {
        kind: ScriptletKind::TransFileTrigger,
        label: "TRANSFILETRIGGERNAME",
        scripts: Tag::TRANSFILETRIGGERSCRIPTS,
        programs: Tag::TRANSFILETRIGGERSCRIPTPROG,
        script_flags: Tag::TRANSFILETRIGGERSCRIPTFLAGS,
        names: Tag::TRANSFILETRIGGERNAME,
        indexes: Tag::TRANSFILETRIGGERINDEX,
        versions: Tag::TRANSFILETRIGGERVERSION,
        flags: Tag::TRANSFILETRIGGERFLAGS,
        priorities: Some(Tag::TRANSFILETRIGGERPRIORITIES),
    },
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Reader<'_> {
    pub(super) fn scriptlets(&self) -> Result<Vec<Scriptlet>, PackageError> {
        let header = self.header;
        let mut all = Vec::new();
        for (kind, body, program, flags) in PLAIN {
            if !header.has(body) && !header.has(program) {
                continue;
            }
            let mut program: Vec<String> =
                header.strings(program).into_iter().flatten().map(text).collect();
            if program.is_empty() {
                // rpm's default when a package names none
                program.push("/bin/sh".to_owned());
            }
            all.push(Scriptlet {
                kind,
                program,
                body: self.text(body),
                conditions: Vec::new(),
                priority: Scriptlet::DEFAULT_PRIORITY,
                flags: header.u32(flags).unwrap_or(0),
            });
        }
        for tags in &TRIGGERS {
            self.triggers(tags, &mut all)?;
        }
        Ok(all)
    }

    fn triggers(&self, tags: &Triggers, all: &mut Vec<Scriptlet>) -> Result<(), PackageError> {
        let header = self.header;
        let Some(scripts) = header.strings(tags.scripts) else { return Ok(()) };
        let count = scripts.len();
        let first = all.len();
        let mut programs = header.strings(tags.programs);
        let mut flags = header.ints(tags.script_flags);
        let mut priorities = tags.priorities.and_then(|tag| header.ints(tag));
        for body in scripts {
            let program = programs.as_mut().and_then(Iterator::next).map(text);
            let number = |from: Option<u64>| from.and_then(|n| u32::try_from(n).ok());
            all.push(Scriptlet {
                kind: tags.kind,
                program: vec![program.unwrap_or_else(|| "/bin/sh".to_owned())],
                body: text(body),
                conditions: Vec::new(),
                priority: number(priorities.as_mut().and_then(Iterator::next))
                    .unwrap_or(Scriptlet::DEFAULT_PRIORITY),
                flags: number(flags.as_mut().and_then(Iterator::next)).unwrap_or(0),
            });
        }
        let names = header.strings(tags.names).ok_or_else(|| self.missing(tags.label))?;
        let indexes = header.ints(tags.indexes);
        let versions = header.strings(tags.versions);
        let senses = header.ints(tags.flags);
        let lengths = [
            indexes.as_ref().map(|i| i.len()),
            versions.as_ref().map(|v| v.len()),
            senses.as_ref().map(|s| s.len()),
        ];
        let (Some(indexes), Some(versions), Some(senses)) = (indexes, versions, senses) else {
            return Err(self.bad(tags.label, "indexes, versions or flags are missing"));
        };
        if lengths.iter().any(|length| *length != Some(names.len())) {
            return Err(self.bad(tags.label, "indexes, versions and flags differ in number"));
        }
        let all_conditions = names.zip(indexes).zip(versions).zip(senses);
        for (position, (((name, index), version), sense)) in (0..).zip(all_conditions) {
            let slot = usize::try_from(index)
                .ok()
                .filter(|index| *index < count)
                .and_then(|index| all.get_mut(first + index));
            let Some(slot) = slot else {
                return Err(self.bad(tags.label, format!("script {index} of {count}")));
            };
            slot.conditions.push(Condition {
                position,
                name: text(name),
                flags: sense as u32,
                version: text(version),
            });
        }
        Ok(())
    }
}
