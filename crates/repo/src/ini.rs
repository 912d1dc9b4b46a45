//! The syntax of `.repo` files: sections, keys, continuation lines.

/// A section and its keys in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) line: u32,
    pub(crate) keys: Vec<Key>,
}

/// One key; a value over several lines has them separated by newlines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) line: u32,
}

/// The sections of `text`; the error is a line that has no meaning, with its number.
pub(crate) fn parse(text: &str) -> Result<Vec<Section>, (u32, String)> {
    let mut sections: Vec<Section> = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, number) in text.lines().zip(1u32..) {
        let wrong = || (number, line.trim().to_owned());
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            let key = sections.last_mut().and_then(|section| section.keys.last_mut());
            let key = key.ok_or_else(wrong)?;
            key.value.push('\n');
            key.value.push_str(trimmed);
            continue;
        }
        if let Some(rest) = trimmed.strip_prefix('[') {
            let (name, after) = rest.split_once(']').ok_or_else(wrong)?;
            if !after.trim().is_empty() && !after.trim_start().starts_with(['#', ';']) {
                return Err(wrong());
            }
            sections.push(Section { name: name.trim().to_owned(), line: number, keys: Vec::new() });
            continue;
        }
        let section = sections.last_mut().ok_or_else(wrong)?;
        let (name, value) = trimmed.split_once('=').ok_or_else(wrong)?;
        section.keys.push(Key {
            name: name.trim_end().to_owned(),
            value: value.trim_start().to_owned(),
            line: number,
        });
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn sections_comments_continuations() {
        let text = "# c\n[a]\nbaseurl = http://x/?a=b\n\n  http://y/\n; c\nname=A ; B\n[b] # c\n";
        let sections = parse(text).unwrap();
        assert_eq!(sections.len(), 2);
        assert_eq!(sections[0].keys[0].value, "http://x/?a=b\nhttp://y/");
        assert_eq!(sections[0].keys[1].value, "A ; B");
        assert_eq!((sections[1].name.as_str(), sections[1].line), ("b", 8));
    }

    #[test]
    fn lines_without_meaning() {
        for (text, line) in
            [("x", 1), ("a = 1", 1), ("[a]\n\nword\n", 3), ("[a", 1), ("[a]\n b", 2)]
        {
            assert_eq!(parse(text).unwrap_err().0, line, "{text:?}");
        }
    }
}
