//! Plugin API 0.1: its bindings, and calls in the words of the rest of this crate. Another version
//! becomes a module of its own beside this one, and [`Component`] an enum.

mod answers;
mod imports;
mod questions;

use crate::{
    Description, Mapping, Outcome, PluginError, PluginErrorKind, Role, SettingInfo, Settings,
    inspect::{API, Shape},
    limits,
    state::State,
    text, trap,
};
use bindings::exports::strata::plugin as exports;
use bindings::strata::plugin as api;
use std::{collections::BTreeSet, fmt, sync::OnceLock};
use strata_oci::{Annotations, Digest, RuntimeConfig};
use strata_rootfs::{FilePolicy, ImageView, TreeEdits};
use strata_rpm::Package;
use wasmtime::{
    Engine, Store,
    component::{self, HasSelf, Instance, InstancePre, Linker},
};

#[allow(missing_docs, unused_qualifications, clippy::all, reason = "generated")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package strata:host;
            world host {
                include strata:plugin/metadata-mapper@0.1.0;
                include strata:plugin/post-processor@0.1.0;
                include strata:plugin/package-filter@0.1.0;
                include strata:plugin/policy@0.1.0;
            }
        ",
        imports: { default: trappable },
    });
}

/// What components may import.
pub(crate) struct Offered(Linker<State>);

impl Offered {
    pub fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine);
        bindings::Host_::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        Ok(Self(linker))
    }
}

/// Whom a call is for, and with what.
pub(crate) struct Call<'a> {
    pub plugin: &'a str,
    pub settings: &'a Settings,
    pub image: Option<ImageView<'a>>,
}

/// A component whose imports are bound and whose exports are found.
pub(crate) struct Component {
    pre: InstancePre<State>,
    digest: Digest,
    shape: Shape,
    /// What it said of itself when it was asked first.
    described: OnceLock<Description>,
    about: exports::about::GuestIndices,
    filter: Option<exports::filter::GuestIndices>,
    processor: Option<exports::processor::GuestIndices>,
    mapper: Option<exports::mapper::GuestIndices>,
    checker: Option<exports::checker::GuestIndices>,
}

impl Component {
    pub fn new(
        offered: &Offered,
        compiled: &component::Component,
        digest: Digest,
        shape: Shape,
    ) -> Result<Self, PluginErrorKind> {
        let misfit = |error: wasmtime::Error| PluginErrorKind::Interface {
            api: API,
            reason: text::line(&format!("{error:#}")),
        };
        let pre = offered.0.instantiate_pre(compiled).map_err(misfit)?;
        let has = |role| shape.roles.contains(&role);
        let filter = has(Role::PackageFilter).then(|| exports::filter::GuestIndices::new(&pre));
        let processor =
            has(Role::PostProcessor).then(|| exports::processor::GuestIndices::new(&pre));
        let mapper = has(Role::MetadataMapper).then(|| exports::mapper::GuestIndices::new(&pre));
        let checker = has(Role::Policy).then(|| exports::checker::GuestIndices::new(&pre));
        Ok(Self {
            about: exports::about::GuestIndices::new(&pre).map_err(misfit)?,
            filter: filter.transpose().map_err(misfit)?,
            processor: processor.transpose().map_err(misfit)?,
            mapper: mapper.transpose().map_err(misfit)?,
            checker: checker.transpose().map_err(misfit)?,
            pre,
            digest,
            shape,
            described: OnceLock::new(),
        })
    }

    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub fn roles(&self) -> &BTreeSet<Role> {
        &self.shape.roles
    }

    /// A component says the same of itself whenever it is asked.
    pub fn describe(&self, call: &Call<'_>) -> Result<&Description, PluginError> {
        if let Some(described) = self.described.get() {
            return Ok(described);
        }
        let described = self.ask_description(call)?.value;
        Ok(self.described.get_or_init(|| described))
    }

    fn ask_description(&self, call: &Call<'_>) -> Result<Outcome<Description>, PluginError> {
        self.enter(
            call,
            "describe",
            |store, instance| self.about.load(&mut *store, instance)?.call_describe(store),
            |said| {
                let names = |setting: exports::about::Setting| SettingInfo {
                    name: text::line(&setting.name),
                    summary: text::line(&setting.summary),
                };
                if said.settings.len() > limits::DIAGNOSTICS {
                    return Err(format!("more than {} settings", limits::DIAGNOSTICS).into());
                }
                let description = Description {
                    name: text::line(&said.name),
                    version: text::line(&said.version),
                    summary: text::line(&said.summary),
                    settings: said.settings.into_iter().map(names).collect(),
                };
                Ok((description, Vec::new()))
            },
        )
    }

    pub fn exclude(
        &self,
        call: &Call<'_>,
        package: &Package,
    ) -> Result<Outcome<FilePolicy>, PluginError> {
        let count = package.files.len();
        self.enter(
            call,
            "exclude",
            |store, instance| {
                let filter = self.filter.as_ref().ok_or(Absent)?.load(&mut *store, instance)?;
                let (package, files) = questions::package_with_files(package);
                filter.call_exclude(store, &package, &files)
            },
            |said| {
                let excluded = answers::indexes(said.map_err(answers::error)?, count)?;
                Ok((FilePolicy { excluded }, Vec::new()))
            },
        )
    }

    pub fn process(&self, call: &Call<'_>) -> Result<Outcome<TreeEdits>, PluginError> {
        self.enter(
            call,
            "process",
            |store, instance| {
                let processor = self.processor.as_ref().ok_or(Absent)?;
                processor.load(&mut *store, instance)?.call_process(store)
            },
            |said| {
                let said = said.map_err(answers::error)?;
                let edits = answers::tree_edits("process", said.edits)?;
                let role = Role::PostProcessor;
                Ok((edits, answers::diagnostics("process", role, said.diagnostics)?))
            },
        )
    }

    pub fn map(&self, call: &Call<'_>) -> Result<Outcome<Mapping>, PluginError> {
        self.enter(
            call,
            "map",
            |store, instance| {
                let mapper = self.mapper.as_ref().ok_or(Absent)?;
                mapper.load(&mut *store, instance)?.call_map(store)
            },
            |said| {
                let said = said.map_err(answers::error)?;
                let changes = answers::changes("map", said.edits)?;
                let role = Role::MetadataMapper;
                Ok((changes, answers::diagnostics("map", role, said.diagnostics)?))
            },
        )
    }

    pub fn check(
        &self,
        call: &Call<'_>,
        config: &RuntimeConfig,
        annotations: &Annotations,
    ) -> Result<Outcome<()>, PluginError> {
        self.enter(
            call,
            "check",
            |store, instance| {
                let checker = self.checker.as_ref().ok_or(Absent)?;
                let config = questions::config(config, annotations);
                checker.load(&mut *store, instance)?.call_check(store, &config)
            },
            |said| {
                let said = said.map_err(answers::error)?;
                Ok(((), answers::diagnostics("check", Role::Policy, said)?))
            },
        )
    }

    /// One call in an instance of its own; then its answer, checked.
    fn enter<Raw, T>(
        &self,
        call: &Call<'_>,
        function: &'static str,
        run: impl FnOnce(&mut Store<State>, &Instance) -> wasmtime::Result<Raw>,
        read: impl FnOnce(Raw) -> Result<(T, Vec<strata_oci::Diagnostic>), answers::Bad>,
    ) -> Result<Outcome<T>, PluginError> {
        // SAFETY: the state is in the store, and the store is dropped at the end of this function,
        // while `call` still borrows all of it.
        #[allow(unsafe_code, reason = "see `State::new`")]
        let state = unsafe { State::new(call.plugin, call.settings, call.image) };
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(limits::OUTPUT);
        let raw = store
            .set_fuel(limits::FUEL)
            .and_then(|()| self.pre.instantiate(&mut store))
            .and_then(|instance| run(&mut store, &instance));
        let failed = |kind, details| PluginError::new(call.plugin, kind).with_details(details);
        let raw = raw.map_err(|error| {
            let state = store.data();
            failed(trap::kind(function, &error, state), trap::details(&error, state))
        })?;
        let state = store.data_mut();
        let (value, diagnostics) = read(raw)
            .map_err(|bad| failed(bad.into(), state.log.last.iter().cloned().collect()))?;
        Ok(Outcome { value, diagnostics, log: std::mem::take(&mut state.log.told) })
    }
}

/// A role that was asked for without being there; [`crate::Plugin`] asks first.
#[derive(Debug)]
struct Absent;

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the component does not have this role")
    }
}

impl std::error::Error for Absent {}
