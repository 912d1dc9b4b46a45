//! leaves documentation, manuals and locales out
//!
//! What goes and what stays is a function of one file at a time, so images with the same settings
//! share the layers of their packages.

mod locale;
mod rules;

use rules::Keep;
use strata_plugin_sdk as sdk;

const SETTINGS: &[sdk::Setting] = &[
    sdk::Setting::new("docs", "`true` keeps documentation (licenses always stay); else `false`"),
    sdk::Setting::new("man", "`true` keeps manual pages; else `false`"),
    sdk::Setting::new("info", "`true` keeps info pages; else `false`"),
    sdk::Setting::new(
        "locales",
        "languages whose translations stay, `de` or `pt_BR`, or `all`; else none, which is English",
    ),
];

struct Slim;

impl sdk::About for Slim {
    fn describe() -> sdk::Description {
        sdk::describe!("slim", SETTINGS)
    }
}

impl sdk::PackageFilter for Slim {
    fn exclude(
        package: &sdk::Package,
        files: &[sdk::File],
        settings: &sdk::Settings,
    ) -> Result<Vec<u32>, sdk::Error> {
        let keep = keep(settings)?;
        let excluded: Vec<_> = (0_u32..)
            .zip(files)
            .filter(|(_, file)| !rules::stays(file, &keep))
            .map(|(position, _)| position)
            .collect();
        if !excluded.is_empty() {
            sdk::log::debug!("{}: {} of {} files", package.name, excluded.len(), files.len());
        }
        Ok(excluded)
    }
}

fn keep(settings: &sdk::Settings) -> Result<Keep, sdk::Error> {
    Ok(Keep {
        docs: settings.flag("docs")?.unwrap_or(false),
        man: settings.flag("man")?.unwrap_or(false),
        info: settings.flag("info")?.unwrap_or(false),
        locales: locale::Kept::parse(&settings.texts("locales")?).map_err(|wrong| {
            sdk::Error::setting("locales", format!("`{wrong}` is no language"))
                .hint("set `locales` to names such as `de`, `pt_BR` or `all`")
        })?,
    })
}

sdk::export!(Slim: PackageFilter);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_from_the_command_line_or_a_document() {
        let settings = sdk::Settings::of_texts(&[("man", "true"), ("locales", "de,pt_BR")]);
        let keep = keep(&settings).unwrap();
        assert!(keep.man && !keep.docs && !keep.info);
        assert!(keep.locales.has("de_AT") && keep.locales.has("pt_BR") && !keep.locales.has("fr"));
    }

    #[test]
    fn what_is_no_language_is_an_error_that_names_the_setting() {
        let settings = sdk::Settings::of_texts(&[("locales", "de,/etc")]);
        let Err(sdk::Error::Setting(error)) = keep(&settings) else { panic!("an error") };
        assert_eq!(
            (error.name.as_str(), error.message.as_str()),
            ("locales", "`/etc` is no language")
        );
    }
}
