//! Tests of plugins: the real component in the real host, on an image written in a few lines.
//!
//! ```no_run
//! use strata_plugin_testkit::{Component, image};
//!
//! let plugin = Component::open("target/wasm32-unknown-unknown/release/hello.wasm");
//! let web = image("web")
//!     .package("nginx")
//!     .file("/usr/lib/systemd/system/nginx.service", "[Service]\nExecStart=/usr/sbin/nginx\n")
//!     .executable("/usr/sbin/nginx")
//!     .user("nginx", 33);
//!
//! let answer = plugin.map(&web, [("unit", "nginx.service")]).expect("it has a unit");
//! assert_eq!(
//!     answer.lines,
//!     [r#"config.Entrypoint = ["/usr/sbin/nginx"] (/usr/lib/systemd/system/nginx.service:2)"#]
//! );
//! let error = plugin.map(&web, [("unti", "nginx.service")]).unwrap_err();
//! assert!(error.to_string().contains("`unti`"));
//! ```
//!
//! What cannot be built, such as a path with `..`, panics: it is the test that is wrong.

mod answer;
mod component;
mod image;
mod package;

pub use answer::Answer;
pub use component::{Component, IntoSettings};
pub use image::{Image, image};
pub use package::{Package, package};
/// What a component says of itself, what it can do, and why a call failed.
pub use strata_plugin::{Description, PluginError, Role, Settings};
