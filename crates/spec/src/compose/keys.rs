//! The keys of a compose file.

use crate::{
    compose::Scriptlets,
    image_name::IMAGE_NAME,
    shape::{Field, Shape, TEXT, TEXTS, Table},
};

const NAMES: Shape = Shape::Either(&[
    Shape::Text { pattern: Some(IMAGE_NAME) },
    Shape::List(&Shape::Text { pattern: Some(IMAGE_NAME) }),
]);

const PORT: Shape = Shape::Text { pattern: Some("^[0-9]{1,5}(/(tcp|udp|sctp))?$") };

/// One port, or several: shared with the overlay.
pub(crate) const PORTS: Shape = Shape::Either(&[
    PORT,
    Shape::Integer { least: 1, most: 65535 },
    Shape::List(&Shape::Either(&[PORT, Shape::Integer { least: 1, most: 65535 }])),
]);

/// What is done with scripts that cannot be interpreted: shared with the overlay.
pub(crate) const SCRIPTLETS: Shape =
    Shape::Word { what: "way to treat scriptlets", known: Scriptlets::WORDS };

/// The keys that stand at the top for all images, or in one image.
macro_rules! with_settings {
    ($($own:expr),* $(,)?) => {
        &[
            $($own,)*
            Field::new(
                "arch",
                TEXTS,
                "Architectures to build for, by rpm's or OCI's names; x86_64 when not given.",
                "[\"aarch64\", \"amd64\"]",
            ),
            Field::new(
                "distro",
                TEXT,
                "The distribution, for example `fedora-41`: decides place and kind of the rpm database. Otherwise os-release in the image says it.",
                "\"fedora-41\"",
            ),
            Field::new(
                "releasever",
                Shape::Scalar,
                "What `$releasever` stands for in repository addresses.",
                "\"41\"",
            ),
            Field::new(
                "vars",
                Shape::Map { pattern: Some("^[A-Za-z0-9_]+$"), value: &Shape::Scalar },
                "Other variables of repository addresses, without `$`. Those of an image are added to those at the top.",
                "{\"stream\": \"9-stream\"}",
            ),
            Field::new(
                "modules",
                TEXTS,
                "Module streams to enable, as `name:stream`. Not supported in this release.",
                "[\"nodejs:18\"]",
            ),
            Field::new(
                "exclude",
                TEXTS,
                "Packages that are never taken: names, NEVRAs or globs. Those of an image are added to those at the top.",
                "[\"*-debuginfo\"]",
            ),
            Field::new(
                "best",
                Shape::Bool,
                "Whether only the newest version of each requested package will do. Default false.",
                "true",
            ),
            Field::new(
                "weak_deps",
                Shape::Bool,
                "Whether recommended packages are installed. Default false, unlike dnf.",
                "true",
            ),
            Field::new(
                "docs",
                Shape::Bool,
                "Whether files marked as documentation are installed. Default false, unlike dnf.",
                "true",
            ),
            Field::new(
                "langs",
                TEXTS,
                "Languages whose files are installed, as in rpm's `%_install_langs`; all of them when not given.",
                "[\"en\", \"de\"]",
            ),
            Field::new(
                "scriptlets",
                SCRIPTLETS,
                "What to do with a package script that strata cannot interpret: `sandbox`, the default, runs the image's own programs shut in a user namespace, and refuses the image where the host forbids that; `fail` refuses the image; `skip` leaves the script out and lists it in the report.",
                "\"fail\"",
            ),
            Field::new(
                "include",
                NAMES,
                "Other images whose packages are taken in. At the top: for every image that is not itself taken in by it.",
                "[\"base\"]",
            ),
            Field::new(
                "weight",
                Shape::Integer { least: 1, most: 1_000_000_000 },
                "How often the image is pulled, relative to the others: layers are laid out for the heavy ones. Default 1.",
                "10",
            ),
        ]
    };
}

/// One image.
pub(crate) static IMAGE: Table = Table {
    about: "An image: its packages, and settings that differ from those at the top.",
    fields: with_settings![
        Field::new(
            "packages",
            Shape::List(&TEXT),
            "What to install, in every form that `dnf install` takes: name, name.arch, NEVRA or glob, /path/of/file, capability, rich dependency, ./local.rpm. `@group` and the URL of a package are not supported in this release.",
            "[\"bash\", \"/usr/bin/python3\"]",
        ),
        Field::new(
            "entrypoint",
            TEXTS,
            "What the container runs. A string is one argument, no shell is involved; a list is the program and its arguments.",
            "[\"/usr/sbin/nginx\", \"-g\", \"daemon off;\"]",
        ),
        Field::new(
            "expose",
            PORTS,
            "Ports that the program listens on: `80`, \"53/udp\", or a list.",
            "[80, \"53/udp\"]",
        ),
        Field::new("description", TEXT, "A remark; strata does not use it.", "\"A web server\""),
    ],
};

/// The document.
pub(crate) static COMPOSE: Table = Table {
    about: "What images to compose from which packages.",
    fields: with_settings![
        Field::new(
            "repos",
            Shape::List(&Shape::Either(&[TEXT, Shape::Object(&REPO)])),
            "Repositories: an id to look up in `repos.d`, a directory of packages, a `file://` or `http(s)://` address, or an object with the keys of a `.repo` file.",
            "[\"fedora\", \"./rpms\"]",
        )
        .required("\"repos\" lists the repositories that packages come from; `[]` when all are local files"),
        Field::new(
            "images",
            Shape::Map { pattern: Some(IMAGE_NAME), value: &Shape::Object(&IMAGE) },
            "The images by name, lower case.",
            "{\"web\": {\"packages\": [\"nginx\"]}}",
        )
        .required("\"images\" says what to build: {\"NAME\": {\"packages\": [\"bash\"]}}"),
        Field::new("description", TEXT, "A remark; strata does not use it.", "\"Our images\""),
        Field::new(
            "$schema",
            TEXT,
            "Where an editor finds this schema; strata does not use it.",
            "\"compose.schema.json\"",
        ),
    ],
};

const FLAG: Shape = Shape::Scalar;

/// A repository, with the keys of a `.repo` file.
pub(crate) static REPO: Table = Table {
    about: "A repository, with the keys of a `.repo` file; `id` is what stands in brackets there.",
    fields: &[
        Field::new(
            "id",
            Shape::Text { pattern: Some("^[A-Za-z0-9_.:-]+$") },
            "Its id.",
            "\"extras\"",
        )
        .required("\"id\" is what stands in brackets in a .repo file"),
        Field::new("name", TEXT, "Its name for people.", "\"Extra packages\""),
        Field::new(
            "baseurl",
            TEXTS,
            "Addresses of the directory that holds `repodata`.",
            "[\"https://example.org/os\"]",
        ),
        Field::new(
            "mirrorlist",
            TEXT,
            "Address of a list of mirrors.",
            "\"https://example.org/mirrors\"",
        ),
        Field::new("metalink", TEXT, "Address of a metalink.", "\"https://example.org/metalink\""),
        Field::new("enabled", FLAG, "Whether it is used. Default 1.", "true"),
        Field::new("priority", Shape::Scalar, "The lowest number wins. Default 99.", "10"),
        Field::new(
            "cost",
            Shape::Scalar,
            "Of equal packages, the cheapest repository's is taken. Default 1000.",
            "500",
        ),
        Field::new("exclude", TEXTS, "Packages not to be seen.", "[\"kernel*\"]"),
        Field::new("excludepkgs", TEXTS, "The same as `exclude`.", "[\"kernel*\"]"),
        Field::new("includepkgs", TEXTS, "The only packages to be seen.", "[\"nginx*\"]"),
        Field::new("gpgcheck", FLAG, "Whether packages must be signed.", "1"),
        Field::new("repo_gpgcheck", FLAG, "Whether the metadata must be signed.", "0"),
        Field::new("gpgkey", TEXTS, "Addresses of the keys.", "\"https://example.org/key\""),
        Field::new("module_hotfixes", FLAG, "Whether module filtering leaves it alone.", "1"),
        Field::new(
            "skip_if_unavailable",
            FLAG,
            "Whether it may be left out when it cannot be reached.",
            "0",
        ),
        Field::new("sslverify", FLAG, "Whether the server's certificate is checked.", "1"),
        Field::new("sslcacert", TEXT, "File of certificate authorities.", "\"ca.pem\""),
        Field::new("sslclientcert", TEXT, "File of the client's certificate.", "\"client.pem\""),
        Field::new("sslclientkey", TEXT, "File of the client's key.", "\"client.key\""),
        Field::new("username", TEXT, "User for the server.", "\"me\""),
        Field::new("password", TEXT, "Password for the server.", "\"secret\""),
        Field::new("proxy", TEXT, "Address of a proxy.", "\"http://proxy.example.org:3128\""),
        Field::new("proxy_username", TEXT, "User for the proxy.", "\"me\""),
        Field::new("proxy_password", TEXT, "Password for the proxy.", "\"secret\""),
        Field::new("pkg_gpgcheck", FLAG, "The same as `gpgcheck`.", "1"),
        idle("autorefresh"),
        idle("countme"),
        idle("deltarpm"),
        idle("enabled_metadata"),
        idle("enablegroups"),
        idle("failovermethod"),
        idle("fastestmirror"),
        idle("keepcache"),
        idle("keeppackages"),
        idle("mediaid"),
        idle("metadata_expire"),
        idle("path"),
        idle("retries"),
        idle("service"),
        idle("timeout"),
        idle("type"),
    ],
};

/// A key that steers how another tool fetches, caches or shows.
const fn idle(key: &'static str) -> Field {
    Field::new(key, Shape::Scalar, "Accepted, and without meaning here.", "\"1\"")
}
