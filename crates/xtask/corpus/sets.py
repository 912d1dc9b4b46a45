"""What each corpus is made of: the data that the other modules act on."""

#: Roots whose dependency closure makes up a set.
SETS = {
    # Quick tests. `iputils-ping` brings file capabilities, `less` an alternative, `redis-server`
    # a unit that runs in the foreground as it is.
    "small": "nginx bash coreutils python3 redis-server iputils-ping less",
    # The images that peers are measured with.
    "large": (
        "bash coreutils nginx python3-django postgresql nodejs openjdk-17-jre-headless"
        " iputils-ping less"
    ),
    # What people really put into images: 400 packages.
    "full": (
        "bash coreutils nginx apache2 nodejs python3-django gunicorn postgresql redis-server"
        " mariadb-server openjdk-17-jre-headless curl wget git vim-tiny less procps iproute2"
        " iputils-ping systemd systemd-sysv dbus openssh-server sudo cron rsyslog haproxy"
        " memcached rabbitmq-server etcd-server bind9 dnsutils jq xz-utils zstd gcc g++ make"
        " cmake golang-go ruby perl php-fpm python3-pip ca-certificates tzdata locales gnupg"
        " htop strace tcpdump e2fsprogs file findutils gawk sed grep"
    ),
}

#: In every set: the first accounts, `/bin/sh`, `/sbin/ldconfig`.
ALWAYS = ("base-files", "base-passwd", "dash", "libc-bin")

#: Source packages of which the base repository holds the older of the versions that apt
#: offers, and its `-upd` sibling the newest.
UPDATED_SOURCES = ("nginx", "openssl", "python-django")

#: What `-upd` holds a rebuild of where apt offers no second version of any of those: packages
#: that no other package wants in an exact version.
REBUILT = ("nginx", "python3-django")

#: Packages whose Debian `postinst` becomes their `%post`, word for word: a handful of real
#: scriptlets that do real work (users, directories, alternatives, byte compilation).
KEEP_POSTINST = (
    "cron",
    "dbus",
    "netbase",
    "nginx-common",
    "openssh-server",
    "postgresql-common",
    "python3",
    "redis-server",
    "systemd",
)

#: Directories that `filesystem` owns besides those that many packages share.
BASE_DIRECTORIES = (
    "boot dev etc etc/alternatives home media mnt opt proc run run/lock srv sys usr usr/bin"
    " usr/games usr/include usr/lib usr/lib/x86_64-linux-gnu usr/lib64 usr/libexec usr/local"
    " usr/sbin usr/share usr/share/doc usr/share/man usr/share/misc usr/src var var/cache"
    " var/lib var/log"
).split()

#: The merged /usr, and what `base-files` links on a running system.
BASE_LINKS = {
    "bin": "usr/bin",
    "sbin": "usr/sbin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "var/run": "/run",
    "var/lock": "/run/lock",
}

#: The day Debian 12 came out: dates the packages that have no Debian counterpart.
RELEASE_DATE = 1686355200
