//! From the traits of the roles to the functions that the host calls.

use crate::bindings::{about, checker, filter, mapper, processor};
use crate::{
    About, Config, Description, Diagnostic, Error, File, Image, Mapping, MetadataMapper, Outcome,
    Package, PackageFilter, Policy, PostProcessor, Settings,
};

impl<T: About> about::exports::strata::plugin::about::Guest for T {
    fn describe() -> Description {
        begin();
        <T as About>::describe()
    }
}

impl<T: MetadataMapper> mapper::exports::strata::plugin::mapper::Guest for T {
    fn map() -> Result<Mapping, Error> {
        begin();
        <T as MetadataMapper>::map(&Image::of_host(), &Settings::of_host())
    }
}

impl<T: PostProcessor> processor::exports::strata::plugin::processor::Guest for T {
    fn process() -> Result<Outcome, Error> {
        begin();
        <T as PostProcessor>::process(&Image::of_host(), &Settings::of_host())
    }
}

impl<T: PackageFilter> filter::exports::strata::plugin::filter::Guest for T {
    fn exclude(package: Package, files: Vec<File>) -> Result<Vec<u32>, Error> {
        begin();
        <T as PackageFilter>::exclude(&package, &files, &Settings::of_host())
    }
}

impl<T: Policy> checker::exports::strata::plugin::checker::Guest for T {
    fn check(config: Config) -> Result<Vec<Diagnostic>, Error> {
        begin();
        <T as Policy>::check(&Image::of_host(), &config, &Settings::of_host())
    }
}

/// The host makes a fresh instance for each call, so this runs before anything of the plugin.
fn begin() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        match panic.location() {
            Some(place) => crate::log::error!("panicked at {place}: {message}"),
            None => crate::log::error!("panicked: {message}"),
        }
    }));
}

/// Natively nothing is exported; the compiler still looks whether the roles are there.
#[doc(hidden)]
pub const fn roles_are_implemented<T>(_: &T) {}

/// What a plugin says of itself: `describe!("name", SETTINGS)`. Version and summary are those of
/// the plugin's `Cargo.toml` (`version` and `description`).
#[macro_export]
macro_rules! describe {
    ($name:expr, $settings:expr) => {
        $crate::Description::new(
            $name,
            ::core::env!("CARGO_PKG_VERSION"),
            ::core::env!("CARGO_PKG_DESCRIPTION"),
            $settings,
        )
    };
}

/// Exports a type's roles: `export!(Type: MetadataMapper, Policy);`. Once in a plugin.
#[macro_export]
macro_rules! export {
    ($type:ident : $($role:ident),+ $(,)?) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            $crate::__export_about_impl!($type with_types_in $crate::bindings::about);
        };
        $( $crate::__export_role!($type $role); )+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_role {
    ($type:ident MetadataMapper) => {
        const _: () = $crate::roles_are_implemented(&<$type as $crate::MetadataMapper>::map);
        #[cfg(target_arch = "wasm32")]
        const _: () = {
    $crate::__export_mapper_impl!($type with_types_in $crate::bindings::mapper);
        };
    };
    ($type:ident PostProcessor) => {
        const _: () = $crate::roles_are_implemented(&<$type as $crate::PostProcessor>::process);
        #[cfg(target_arch = "wasm32")]
        const _: () = {
    $crate::__export_processor_impl!($type with_types_in $crate::bindings::processor);
        };
    };
    ($type:ident PackageFilter) => {
        const _: () = $crate::roles_are_implemented(&<$type as $crate::PackageFilter>::exclude);
        #[cfg(target_arch = "wasm32")]
        const _: () = {
    $crate::__export_filter_impl!($type with_types_in $crate::bindings::filter);
        };
    };
    ($type:ident Policy) => {
        const _: () = $crate::roles_are_implemented(&<$type as $crate::Policy>::check);
        #[cfg(target_arch = "wasm32")]
        const _: () = {
    $crate::__export_checker_impl!($type with_types_in $crate::bindings::checker);
        };
    };
    ($type:ident $other:ident) => {
        ::core::compile_error!(::core::concat!(
            "`",
            ::core::stringify!($other),
            "` is no role: MetadataMapper, PostProcessor, PackageFilter or Policy"
        ));
    };
}
