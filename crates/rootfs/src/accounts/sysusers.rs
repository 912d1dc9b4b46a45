//! The lines of `sysusers.d(5)`.

use super::database::number;

/// What one line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// `u`, `u!`
    User(SysUser),
    /// `g`
    Group(SysGroup),
    /// `m`: a user becomes a member of a group; both come to be if nobody defines them.
    Member {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
    /// `r`: numbers to choose from, both ends included.
    Range {
        /// Lowest.
        low: u32,
        /// Highest.
        high: u32,
    },
}

/// A user that must exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SysUser {
    /// Login name.
    pub name: String,
    /// The number it would like.
    pub uid: Option<u32>,
    /// Its primary group.
    pub primary: Primary,
    /// GECOS; may be empty.
    pub description: String,
    /// Home directory; none: `/`.
    pub home: Option<String>,
    /// Login shell; none: `/usr/sbin/nologin`.
    pub shell: Option<String>,
    /// `u!`: fully locked.
    pub locked: bool,
}

/// A user's primary group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Primary {
    /// A group of its own name, made with it.
    Own,
    /// An existing group's number (`uid:gid`).
    Number(u32),
    /// An existing group's name (`uid:group`).
    Named(String),
}

/// A group that must exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SysGroup {
    /// Name.
    pub name: String,
    /// The number it would like.
    pub gid: Option<u32>,
}

/// Why a line is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// A quote that does not end.
    #[error("a quoted field does not end")]
    Quote,
    /// An unknown first field.
    #[error("unknown line type `{0}`")]
    Type(String),
    /// Too few or too many fields.
    #[error("{0}")]
    Fields(&'static str),
    /// A field that cannot be what it should be.
    #[error("`{text}` is not a {what}")]
    Value {
        /// The field.
        text: String,
        /// What it should have been.
        what: &'static str,
    },
    /// A specifier that only the running machine can answer.
    #[error("`{0}` depends on the running machine")]
    Specifier(String),
}

/// Parses one line; none for an empty one or a comment.
pub(super) fn parse(line: &str) -> Result<Option<Directive>, SyntaxError> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Ok(None);
    }
    let mut fields = split(line)?.into_iter();
    let kind = fields.next().unwrap_or_default();
    let mut next = || -> Result<Option<String>, SyntaxError> {
        match fields.next() {
            Some(field) if !matches!(field.as_str(), "" | "-") => specifiers(&field).map(Some),
            _ => Ok(None),
        }
    };
    let (name, id, description, home, shell) = (next()?, next()?, next()?, next()?, next()?);
    if fields.next().is_some() {
        return Err(SyntaxError::Fields("too many fields"));
    }
    let plain = description.is_none() && home.is_none() && shell.is_none();
    let need = |name: Option<String>| {
        let name = name.ok_or(SyntaxError::Fields("a name is missing"))?;
        if valid_name(&name) { Ok(name) } else { Err(value(&name, "name")) }
    };
    Ok(Some(match kind.as_str() {
        "u" | "u!" => {
            let name = need(name)?;
            let (uid, primary) = user_id(id.as_deref())?;
            let description = description.unwrap_or_default();
            if description.contains([':', '\n']) || description.chars().any(char::is_control) {
                return Err(value(&description, "description"));
            }
            let (home, shell) = (path(home)?, path(shell)?);
            let locked = kind == "u!";
            Directive::User(SysUser { name, uid, primary, description, home, shell, locked })
        }
        "g" if plain => Directive::Group(SysGroup { name: need(name)?, gid: group_id(id)? }),
        "m" if plain => Directive::Member { user: need(name)?, group: need(id)? },
        "r" if plain && name.is_none() => range(&id.unwrap_or_default())?,
        "g" | "m" | "r" => return Err(SyntaxError::Fields("too many fields")),
        _ => return Err(SyntaxError::Type(kind)),
    }))
}

/// `uid`, `uid:gid`, `uid:group`, `-:group`, a path, or nothing. Whose number a path has depends on
/// the machine; it counts as none.
fn user_id(id: Option<&str>) -> Result<(Option<u32>, Primary), SyntaxError> {
    let Some(id) = id else { return Ok((None, Primary::Own)) };
    if id.starts_with('/') {
        return Ok((None, Primary::Own));
    }
    let Some((user, group)) = id.split_once(':') else {
        return Ok((Some(identity(id)?), Primary::Own));
    };
    let uid = if user == "-" { None } else { Some(identity(user)?) };
    let primary = match identity(group) {
        Ok(gid) => Primary::Number(gid),
        Err(_) if valid_name(group) => Primary::Named(group.to_owned()),
        Err(wrong) => return Err(wrong),
    };
    Ok((uid, primary))
}

fn group_id(id: Option<String>) -> Result<Option<u32>, SyntaxError> {
    match id {
        Some(id) if !id.starts_with('/') => identity(&id).map(Some),
        _ => Ok(None),
    }
}

fn range(text: &str) -> Result<Directive, SyntaxError> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (identity(low)?, identity(high)?);
    if low > high {
        return Err(value(text, "range of numbers"));
    }
    Ok(Directive::Range { low, high })
}

/// A number that can be an id: not the two that mean "none".
fn identity(text: &str) -> Result<u32, SyntaxError> {
    match number(text) {
        Some(id) if id != u32::MAX && id != 0xffff => Ok(id),
        _ => Err(value(text, "user or group number")),
    }
}

/// systemd's relaxed rules: what other programs of a Linux system can bear in these files.
fn valid_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 256
        && !name.starts_with(['-', ' '])
        && !name.ends_with(' ')
        && !matches!(name, "." | "..")
        && !name.contains([':', '/', ',', '"', '\''])
        && !name.chars().any(char::is_control)
        && number(name).is_none()
}

/// An absolute path, without doubled or trailing slashes.
fn path(text: Option<String>) -> Result<Option<String>, SyntaxError> {
    let Some(text) = text else { return Ok(None) };
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let bad = text.contains(':') || text.chars().any(char::is_control) || parts.contains(&"..");
    if !text.starts_with('/') || bad {
        return Err(value(&text, "absolute path"));
    }
    Ok(Some(format!("/{}", parts.join("/"))))
}

/// Only `%%` means the same on every machine.
fn specifiers(field: &str) -> Result<String, SyntaxError> {
    let mut out = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next() {
                Some('%') => out.push('%'),
                Some(letter) if letter.is_ascii_alphabetic() => {
                    return Err(SyntaxError::Specifier(format!("%{letter}")));
                }
                other => {
                    out.push('%');
                    out.extend(other);
                }
            },
            c => out.push(c),
        }
    }
    Ok(out)
}

/// Fields at blanks; quotes of both kinds, and a backslash before any character.
fn split(line: &str) -> Result<Vec<String>, SyntaxError> {
    let mut fields = Vec::new();
    let mut field: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => match chars.next() {
                Some(next) => field.get_or_insert_default().push(next),
                None => return Err(SyntaxError::Quote),
            },
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => field.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                field.get_or_insert_default();
            }
            (c, None) if c.is_ascii_whitespace() => fields.extend(field.take()),
            (c, None) => field.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(SyntaxError::Quote);
    }
    fields.extend(field);
    Ok(fields)
}

fn value(text: &str, what: &'static str) -> SyntaxError {
    SyntaxError::Value { text: text.to_owned(), what }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn user(line: &str) -> SysUser {
        match parse(line).unwrap().unwrap() {
            Directive::User(user) => user,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn users_in_every_form() {
        let full = user(r#"u dbus 81 "System Message Bus" /run//dbus/ /bin/sh"#);
        assert_eq!((full.uid, full.primary.clone()), (Some(81), Primary::Own));
        assert_eq!(full.description, "System Message Bus");
        assert_eq!(full.home.as_deref(), Some("/run/dbus"));
        assert_eq!(full.shell.as_deref(), Some("/bin/sh"));
        assert_eq!(user("u a 5:6").primary, Primary::Number(6));
        assert_eq!(user("u a -:mail").primary, Primary::Named("mail".to_owned()));
        assert_eq!(user("u a /usr/bin/a").uid, None);
        assert_eq!(user("u a").description, "");
        assert!(user("u! a - 'it''s' - -").locked);
        assert_eq!(user(r"u a - a\ b%%").description, "a b%");
    }

    #[test]
    fn the_other_kinds() {
        let group = |gid| Directive::Group(SysGroup { name: "tty".to_owned(), gid });
        assert_eq!(parse("g tty 5 - -").unwrap(), Some(group(Some(5))));
        assert_eq!(parse("g tty /dev/tty").unwrap(), Some(group(None)));
        assert_eq!(
            parse(" m a b ").unwrap(),
            Some(Directive::Member { user: "a".to_owned(), group: "b".to_owned() })
        );
        assert_eq!(parse("r - 500-900").unwrap(), Some(Directive::Range { low: 500, high: 900 }));
        assert_eq!(parse("r - 500").unwrap(), Some(Directive::Range { low: 500, high: 500 }));
        assert_eq!(parse("# u a").unwrap(), None);
        assert_eq!(parse("; u a").unwrap(), None);
    }

    #[test]
    fn what_is_refused() {
        for line in [
            "x a",
            "u",
            "u -",
            "u a:b",
            "u a 1 \"x",
            "u a 65535",
            "u a 4294967295",
            "u a -1",
            "u a 1 - home",
            "u a 1 - /a:b",
            "u a 1 a:b",
            "u a 1 - - - more",
            "g a 1 text",
            "m a",
            "r a 5",
            "r - 9-5",
            "u 12",
            "u a 1 %m",
            "u a \\",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
