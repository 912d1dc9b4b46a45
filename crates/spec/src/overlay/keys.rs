//! The keys of an overlay.

use crate::{
    compose::keys::{PORTS, SCRIPTLETS},
    image_name::TAG,
    shape::{Field, Shape, TEXT, Table},
};

const NULL: Shape = Shape::Null;
const SCALAR_OR_NULL: Shape = Shape::Either(&[Shape::Scalar, NULL]);
const TEXT_OR_NULL: Shape = Shape::Either(&[TEXT, NULL]);
const WORDS: Shape = Shape::Either(&[TEXT, Shape::List(&TEXT), NULL]);
const NUMBER: Shape = Shape::Integer { least: 0, most: 4_294_967_294 };
const ACCOUNT: Shape = Shape::Either(&[TEXT, NUMBER]);

static NOTHING: Table =
    Table { about: "An empty object, as in the OCI configuration.", fields: &[] };

/// Keys that are a set, in OCI's form: an object of empty objects.
const SET: Shape =
    Shape::Map { pattern: None, value: &Shape::Either(&[Shape::Object(&NOTHING), NULL]) };

const TEXT_MAP: Shape = Shape::Map { pattern: None, value: &SCALAR_OR_NULL };

/// `config`: OCI's fields by their own names. `null` takes away what weaker sources gave.
pub(crate) static CONFIG: Table = Table {
    about: "Fields of the OCI image configuration by their own names. `null` takes away what defaults, plugins and the compose file gave.",
    fields: &[
        Field::new(
            "User",
            Shape::Either(&[TEXT, NUMBER, NULL]),
            "Who runs the program: name or number, with `:GROUP` where the group is not the user's own. Written as numbers; the name goes into the annotation `io.strata.user`.",
            "\"nginx\"",
        ),
        Field::new(
            "ExposedPorts",
            Shape::Either(&[PORTS, SET, NULL]),
            "Ports that the program listens on: one, a list, or OCI's object of empty objects.",
            "{\"80/tcp\": {}}",
        ),
        Field::new(
            "Env",
            Shape::Either(&[TEXT_MAP, Shape::List(&TEXT), NULL]),
            "Environment variables: an object, or a list of \"NAME=value\". Added to weaker ones, in order.",
            "{\"LANG\": \"C.UTF-8\"}",
        ),
        Field::new(
            "Entrypoint",
            WORDS,
            "What the container always runs. A string is one argument. Takes away a weaker source's `Cmd`, which belongs to another program.",
            "[\"/usr/sbin/nginx\"]",
        ),
        Field::new(
            "Cmd",
            WORDS,
            "Arguments of the entry point, or the program when there is none. A string is one argument.",
            "[\"-g\", \"daemon off;\"]",
        ),
        Field::new(
            "Volumes",
            Shape::Either(&[TEXT, Shape::List(&TEXT), SET, NULL]),
            "Directories for a container's own data: a list, or OCI's object of empty objects.",
            "[\"/var/lib/data\"]",
        ),
        Field::new("WorkingDir", TEXT_OR_NULL, "Directory the program starts in.", "\"/srv\""),
        Field::new(
            "Labels",
            Shape::Either(&[TEXT_MAP, NULL]),
            "Labels; added to weaker ones.",
            "{\"org.example.team\": \"web\"}",
        ),
        Field::new(
            "StopSignal",
            Shape::Either(&[TEXT, Shape::Integer { least: 1, most: 64 }, NULL]),
            "The signal that ends the program, for example `SIGQUIT`.",
            "\"SIGQUIT\"",
        ),
    ],
};

/// A file that the overlay adds.
pub(crate) static FILE: Table = Table {
    about: "A file that the image gets, in a layer of its own; the directories above it are made when they are missing.",
    fields: &[
        Field::new("path", Shape::Text { pattern: Some("^/") }, "Where it goes.", "\"/etc/motd\"")
            .required("\"path\" says where the file goes: \"/etc/motd\""),
        Field::new("content", TEXT, "Its content; either this or `source`.", "\"hello\\n\""),
        Field::new(
            "source",
            TEXT,
            "The file with its content, relative to the overlay; either this or `content`.",
            "\"files/motd\"",
        ),
        Field::new(
            "mode",
            Shape::Either(&[
                Shape::Text { pattern: Some("^0?[0-7]{3,4}$") },
                Shape::Integer { least: 0, most: 7777 },
            ]),
            "Permissions in octal, as a string. Default \"0644\".",
            "\"0755\"",
        ),
        Field::new(
            "user",
            ACCOUNT,
            "Owner: a name of the image's accounts, or a number. Default root.",
            "\"nginx\"",
        ),
        Field::new("group", ACCOUNT, "Group, likewise.", "\"nginx\""),
    ],
};

/// What an overlay says of one image, or of all.
pub(crate) static IMAGE: Table = Table {
    about: "What is added to an image besides packages.",
    fields: &[
        Field::new("config", Shape::Object(&CONFIG), CONFIG.about, "{\"User\": \"nginx\"}"),
        Field::new(
            "annotations",
            TEXT_MAP,
            "Annotations of the manifest. `null` takes one away; `io.strata.*` is reserved.",
            "{\"org.opencontainers.image.title\": \"Web\"}",
        ),
        Field::new(
            "tags",
            Shape::List(&Shape::Text { pattern: Some(TAG) }),
            "Tags: the image can be found as NAME:TAG too.",
            "[\"1.2\", \"latest\"]",
        ),
        Field::new(
            "files",
            Shape::List(&Shape::Object(&FILE)),
            "Files in a layer of their own.",
            "[{\"path\": \"/etc/motd\", \"content\": \"hello\\n\"}]",
        ),
        Field::new(
            "scriptlets",
            Shape::Map { pattern: None, value: &SCRIPTLETS },
            "By the name of a package what to do with its scripts that strata cannot interpret: as the key `scriptlets` of the compose file, and stronger.",
            "{\"texlive-base\": \"skip\"}",
        ),
    ],
};

static PLUGIN: Table = Table {
    about: "A plugin and its settings.",
    fields: &[
        Field::new(
            "plugin",
            TEXT,
            "A bundled name, or a path that ends in `.wasm`, relative to the overlay.",
            "\"systemd\"",
        )
        .required("\"plugin\" is a name, or a path that ends in .wasm"),
        Field::new(
            "config",
            Shape::Map { pattern: None, value: &Shape::Any },
            "Its settings.",
            "{\"unit\": \"nginx.service\"}",
        ),
    ],
};

/// The document.
pub(crate) static OVERLAY: Table = Table {
    about: "Everything about the images that is not a package.",
    fields: &[
        Field::new(
            "images",
            Shape::Map { pattern: None, value: &Shape::Object(&IMAGE) },
            "By the image's name, or \"*\" for all; what is said of one image wins.",
            "{\"*\": {\"tags\": [\"latest\"]}}",
        ),
        Field::new(
            "plugins",
            Shape::Map {
                pattern: None,
                value: &Shape::List(&Shape::Either(&[TEXT, Shape::Object(&PLUGIN)])),
            },
            "Plugins by the image's name, or \"*\" for all, in the order they run: names, or objects with `plugin` and `config`. One named in both gets the image's own settings.",
            "{\"*\": [\"hardening\"], \"web\": [{\"plugin\": \"systemd\", \"config\": {\"unit\": \"nginx.service\"}}]}",
        ),
        Field::new("description", TEXT, "A remark; strata does not use it.", "\"Our settings\""),
        Field::new(
            "$schema",
            TEXT,
            "Where an editor finds this schema; strata does not use it.",
            "\"overlay.schema.json\"",
        ),
    ],
};
