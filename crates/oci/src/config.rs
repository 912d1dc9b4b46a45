//! The image configuration.
//! <https://github.com/opencontainers/image-spec/blob/main/config.md>

use crate::{DiffId, Platform};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What an image is: platform, how its process starts, and which layers it consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who is responsible for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Where it runs.
    #[serde(flatten)]
    pub platform: Platform,
    /// How its process starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<RuntimeConfig>,
    /// Its layers.
    pub rootfs: RootFs,
    /// What made each layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// Keys that this crate gives no meaning.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// How the process of a container starts. Field names are the specification's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RuntimeConfig {
    /// `user`, `uid`, `user:group`, `uid:gid` …
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// `80`, `80/tcp`, `53/udp` …
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "set_of_objects")]
    pub exposed_ports: BTreeSet<String>,
    /// `NAME=value`, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub env: Vec<String>,
    /// Always in front of what is run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Default arguments, or the program when there is no entry point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Directories that hold data of one container.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "set_of_objects")]
    pub volumes: BTreeSet<String>,
    /// Where the process starts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// Free-form texts.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_is_empty"
    )]
    pub labels: BTreeMap<String, String>,
    /// `SIGTERM`, `SIGRTMIN+3` …
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
    /// Keys that this crate gives no meaning, for example `Healthcheck`.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The layers by the digests of their uncompressed tars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The lowest first.
    pub diff_ids: Vec<DiffId>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self { kind: "layers".to_owned(), diff_ids: Vec::new() }
    }
}

/// What made one layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// By which command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Set when the step made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
    /// Keys that this crate gives no meaning.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// Go writes an absent list or map as `null`.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A set, written the way Go writes one: a map to empty objects.
mod set_of_objects {
    use super::{BTreeMap, BTreeSet, Deserialize, Deserializer, Serializer};
    use serde_json::{Map, Value};

    pub fn serialize<S: Serializer>(
        set: &BTreeSet<String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(set.iter().map(|key| (key, Map::new())))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeSet<String>, D::Error> {
        let map = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?;
        Ok(map.unwrap_or_default().into_keys().collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::canonical_json;

    #[test]
    fn docker_style_configuration_round_trips() {
        let text = r#"{"architecture":"arm64","variant":"v8","os":"linux","container":"x","config":{"Env":null,"Volumes":null,"ExposedPorts":{"80/tcp":{}},"Healthcheck":{"Interval":3},"Cmd":["a"]},"rootfs":{"type":"layers","diff_ids":[]},"history":[{"empty_layer":true}]}"#;
        let config: ImageConfig = serde_json::from_str(text).unwrap();
        let runtime = config.config.as_ref().unwrap();
        assert!(runtime.exposed_ports.contains("80/tcp"));
        assert_eq!(runtime.other["Healthcheck"]["Interval"], 3);
        assert_eq!(config.platform.variant.as_deref(), Some("v8"));
        assert_eq!(config.other["container"], "x");
        let bytes = canonical_json(&config);
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            r#"{"architecture":"arm64","config":{"Cmd":["a"],"ExposedPorts":{"80/tcp":{}},"Healthcheck":{"Interval":3}},"container":"x","history":[{"empty_layer":true}],"os":"linux","rootfs":{"diff_ids":[],"type":"layers"},"variant":"v8"}"#
        );
        assert_eq!(serde_json::from_slice::<ImageConfig>(&bytes).unwrap(), config);
    }
}
