//! A plugin for strata: annotations that registries and scanners show.
//!
//! `org.opencontainers.image.title` is the image's name; `.version` the version of one package;
//! `.vendor` and `.url` come from the distribution's `os-release`.

mod os_release;

use strata_plugin_sdk::{self as sdk, Change, Diagnostic, Error, Origin};

const SETTINGS: &[sdk::Setting] = &[
    sdk::Setting::new("package", "whose version is the image's; else the package of its name"),
    sdk::Setting::new("labels", "`true` writes labels, too; else `false`"),
];

/// Where distributions say who they are; the first that is there counts.
const FILES: &[&str] = &["/etc/os-release", "/usr/lib/os-release"];

struct OciLabels;

impl sdk::About for OciLabels {
    fn describe() -> sdk::Description {
        sdk::describe!("oci-labels", SETTINGS)
    }
}

impl sdk::MetadataMapper for OciLabels {
    fn map(image: &sdk::Image, settings: &sdk::Settings) -> Result<sdk::Mapping, Error> {
        let wanted = settings.text("package")?;
        let labels = settings.flag("labels")?.unwrap_or(false);
        let mut mapping = sdk::Mapping::new();
        let mut add = |key: &str, value: String, origin: Option<Origin>| {
            let name = format!("org.opencontainers.image.{key}");
            let mut changes = vec![Change::Annotation((name.clone(), value.clone()))];
            if labels {
                changes.push(Change::Label((name, value)));
            }
            for change in changes {
                match &origin {
                    Some(origin) => mapping.set_from(change, origin.clone()),
                    None => mapping.set(change),
                };
            }
        };

        add("title", image.name(), None);
        let packages = image.packages();
        let name = wanted.clone().unwrap_or_else(|| image.name());
        match packages.iter().find(|package| package.name == name) {
            Some(package) => add("version", package.version.clone(), None),
            None if wanted.is_some() => {
                return Err(Error::setting("package", format!("the image has no `{name}`"))
                    .hint("set `package` to a package of the image"));
            }
            None => sdk::log::info!("no package is called `{name}`: no version"),
        }

        let tree = image.tree();
        let found = FILES.iter().find_map(|path| Some((path, tree.read_text(path).ok()?)));
        let Some((path, text)) = found else {
            mapping.tell(Diagnostic::note("no os-release: neither vendor nor address is known"));
            return Ok(mapping);
        };
        let path = tree.real_path(path).map_err(|error| Error::unreadable(path, error))?;
        for (key, from) in [("vendor", "NAME"), ("url", "HOME_URL")] {
            if let Some((line, value)) = os_release::value(&text, from) {
                add(key, value, Some(Origin::line(&path, line)));
            }
        }
        Ok(mapping)
    }
}

sdk::export!(OciLabels: MetadataMapper);
