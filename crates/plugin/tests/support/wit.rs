//! Just enough of the language of `wit/` to say its types as WebAssembly text.

use std::collections::BTreeMap;

/// An interface: what its functions are made of.
#[derive(Default)]
pub struct Interface {
    /// Name here, and what it is; with those that it uses, in order. `$` begins another type.
    pub types: Vec<(String, Type)>,
    /// Name, parameters and result.
    pub functions: Vec<(String, String)>,
}

/// A type, and the interface that has its definition.
#[derive(Clone)]
pub struct Type {
    pub id: String,
    pub definition: String,
}

/// The interfaces of the files of `wit/`, those first that others use.
pub fn interfaces(files: &[String]) -> BTreeMap<String, Interface> {
    let text: String = files
        .iter()
        .flat_map(|file| file.lines())
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ");
    let mut tokens = Tokens { left: tokens(&text), at: 0 };
    let mut all = BTreeMap::new();
    while let Some(word) = tokens.next() {
        match word.as_str() {
            "interface" => {
                let name = tokens.word();
                let interface = interface(&name, &mut tokens, &all);
                all.insert(name, interface);
            }
            "world" => while tokens.word() != "}" {},
            "package" => while tokens.word() != ";" {},
            other => panic!("`{other}` in wit"),
        }
    }
    all
}

struct Tokens {
    left: Vec<String>,
    at: usize,
}

impl Tokens {
    fn next(&mut self) -> Option<String> {
        self.at += 1;
        self.left.get(self.at - 1).cloned()
    }

    fn word(&mut self) -> String {
        self.next().expect("more of wit")
    }

    /// Whether the next is this; then it is taken.
    fn take(&mut self, wanted: &str) -> bool {
        let there = self.left.get(self.at).is_some_and(|word| word == wanted);
        self.at += usize::from(there);
        there
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut open = false;
    for c in text.replace("->", " → ").chars() {
        let part = c.is_alphanumeric() || "-%".contains(c);
        match (part, open) {
            (true, true) => out.last_mut().expect("a word").push(c),
            _ if c.is_whitespace() => {}
            _ => out.push(c.to_string()),
        }
        open = part;
    }
    out.into_iter().map(|word| word.trim_start_matches('%').to_owned()).collect()
}

fn interface(name: &str, tokens: &mut Tokens, known: &BTreeMap<String, Interface>) -> Interface {
    let mut made = Interface::default();
    assert!(tokens.take("{"));
    while !tokens.take("}") {
        let word = tokens.word();
        if word == "use" {
            let from = &known[&tokens.word()].types;
            let mut wanted = Vec::new();
            while !tokens.take(";") {
                wanted.push(tokens.word());
            }
            // and what those are made of
            for (name, found) in from.iter().rev() {
                if wanted.contains(name) {
                    let parts = found.definition.split(['$', ' ', ')']);
                    wanted.extend(parts.filter_map(|id| Some(id.split_once('.')?.1.to_owned())));
                }
            }
            made.types = from.iter().filter(|(name, _)| wanted.contains(name)).cloned().collect();
        } else if tokens.take(":") {
            let function = function(&made, tokens);
            made.functions.push((word, function));
        } else {
            let own = tokens.word();
            let definition = definition(&word, &made, tokens);
            let id = format!("{name}.{own}");
            made.types.push((own, Type { id, definition }));
        }
    }
    made
}

fn definition(kind: &str, made: &Interface, tokens: &mut Tokens) -> String {
    let part = match kind {
        "record" => "field",
        "variant" => "case",
        _ => "",
    };
    let mut text = format!("({kind}");
    assert!(tokens.take("{"));
    while !tokens.take("}") {
        let name = tokens.word();
        let value = if tokens.take(":") {
            format!(" {}", value(made, tokens))
        } else if tokens.take("(") {
            let value = value(made, tokens);
            assert!(tokens.take(")"));
            format!(" {value}")
        } else {
            String::new()
        };
        text += &match part {
            "" => format!(" \"{name}\""),
            part => format!(" ({part} \"{name}\"{value})"),
        };
        tokens.take(",");
    }
    text + ")"
}

fn function(made: &Interface, tokens: &mut Tokens) -> String {
    let mut text = String::new();
    assert!(tokens.take("func") && tokens.take("("));
    while !tokens.take(")") {
        let name = tokens.word();
        assert!(tokens.take(":"));
        text += &format!("(param \"{name}\" {}) ", value(made, tokens));
        tokens.take(",");
    }
    if tokens.take("→") {
        text += &format!("(result {})", value(made, tokens));
    }
    assert!(tokens.take(";"));
    text
}

/// A type where it is used.
fn value(made: &Interface, tokens: &mut Tokens) -> String {
    let word = tokens.word();
    let mut inner = Vec::new();
    if tokens.take("<") {
        while !tokens.take(">") {
            inner.push(value(made, tokens));
            tokens.take(",");
        }
    }
    match (word.as_str(), inner.as_slice()) {
        ("result", [good, bad]) => format!("(result {good} (error {bad}))"),
        (_, []) => match made.types.iter().find(|(name, _)| *name == word) {
            Some((_, found)) => format!("${}", found.id),
            None => word,
        },
        (word, inner) => format!("({word} {})", inner.join(" ")),
    }
}
