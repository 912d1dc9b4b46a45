//! The plugins that come with strata, built by `cargo xtask plugins`.

macro_rules! components {
    ($($name:literal),*) => {
        &[$(($name, include_bytes!(concat!("../../../plugins/bundled/", $name, ".wasm")))),*]
    };
}

/// Name and component of each, by name.
pub const BUNDLED: &[(&str, &[u8])] = components!["hardening", "slim", "systemd"];

/// The component of a bundled plugin.
pub fn bundled(name: &str) -> Option<&'static [u8]> {
    BUNDLED.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}
