//! What is installed: packages that every distribution has, without a word on their safety, and invented ones.

/// A source package and what is built from it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) source: &'static str,
    pub(crate) binaries: &'static [&'static str],
    pub(crate) version: &'static str,
    /// The unit that runs it.
    pub(crate) unit: Option<&'static str>,
}

const fn package(source: &'static str, binaries: &'static [&'static str], version: &'static str) -> Package {
    Package { source, binaries, version, unit: None }
}

const fn service(
    source: &'static str,
    binaries: &'static [&'static str],
    version: &'static str,
    unit: &'static str,
) -> Package {
    Package { source, binaries, version, unit: Some(unit) }
}

/// On every host. No advisory of the demonstration speaks of these.
pub(crate) const BASE: &[Package] = &[
    package("acl", &["libacl1"], "2.3.1-3"),
    package("adduser", &["adduser"], "3.134"),
    package("apt", &["apt", "libapt-pkg6.0"], "2.6.1"),
    package("attr", &["libattr1"], "1:2.5.1-4"),
    package("base-files", &["base-files"], "12.4"),
    package("bash", &["bash"], "5.2.15-2"),
    package("bzip2", &["bzip2", "libbz2-1.0"], "1.0.8-5"),
    package("ca-certificates", &["ca-certificates"], "20230311"),
    package("coreutils", &["coreutils"], "9.1-1"),
    package("cron", &["cron"], "3.0pl1-162"),
    package("curl", &["curl", "libcurl4"], "7.88.1-10"),
    package("dash", &["dash"], "0.5.12-2"),
    package("dbus", &["dbus", "libdbus-1-3"], "1.14.10-1"),
    package("debconf", &["debconf"], "1.5.82"),
    package("diffutils", &["diffutils"], "1:3.8-4"),
    package("dpkg", &["dpkg"], "1.21.22"),
    package("e2fsprogs", &["e2fsprogs", "libext2fs2"], "1.47.0-2"),
    package("file", &["file", "libmagic1"], "1:5.44-3"),
    package("findutils", &["findutils"], "4.9.0-4"),
    package("gcc-12", &["libgcc-s1", "libstdc++6"], "12.2.0-14"),
    package("glibc", &["libc6", "libc-bin"], "2.36-9"),
    package("gnupg2", &["gpgv"], "2.2.40-1"),
    package("grep", &["grep"], "3.8-5"),
    package("gzip", &["gzip"], "1.12-1"),
    package("iproute2", &["iproute2"], "6.1.0-3"),
    package("kmod", &["kmod", "libkmod2"], "30+20221128-1"),
    package("less", &["less"], "590-2"),
    package("logrotate", &["logrotate"], "3.21.0-1"),
    package("ncurses", &["libncursesw6", "libtinfo6"], "6.4-4"),
    package("pam", &["libpam0g", "libpam-modules"], "1.5.2-6"),
    package("procps", &["procps", "libproc2-0"], "2:4.0.2-3"),
    package("rsync", &["rsync"], "3.2.7-1"),
    package("sed", &["sed"], "4.9-1"),
    package("shadow", &["login", "passwd"], "1:4.13+dfsg1-1"),
    package("sudo", &["sudo"], "1.9.13p3-1"),
    package("systemd", &["systemd", "libsystemd0", "udev"], "252.30-1"),
    package("tar", &["tar"], "1.34+dfsg-1"),
    package("tzdata", &["tzdata"], "2024a-0"),
    package("util-linux", &["util-linux", "mount", "libmount1"], "2.38.1-5"),
    package("zlib", &["zlib1g"], "1:1.2.13.dfsg-1"),
];

/// Invented, with advisories that are invented too.
pub(crate) const INVENTED: &[Package] = &[
    service("lanternd", &["lanternd", "lantern-common"], "2.8.3-1", "lanternd.service"),
    service("quillsql-15", &["quillsql-server-15", "libquill5"], "15.6-0", "quillsql.service"),
    package("mortise", &["libmortise3", "mortise-tools"], "3.1.4-2"),
    service("tallyq", &["tallyq-server"], "3.12.1-1", "tallyq.service"),
    service("fathom-agent", &["fathom-agent"], "1.9.0-3", "fathom-agent.service"),
    service("osprey-vpn", &["osprey-vpnd"], "2.6.3-1", "osprey-vpnd.service"),
    package("kestrel-runtime", &["kestrel-21-runtime"], "21.0.2+13-2"),
    service("cinderlog", &["cinderlogd"], "8.2302.0-1", "cinderlogd.service"),
    package("vellum", &["libvellum7"], "22.12.0-2"),
    service("brassmail", &["brassmail"], "3.7.10-0", "brassmail.service"),
    package("pebble-image", &["libpebble16"], "6.9.11-1"),
    service("harrow-runtime", &["harrow-containerd"], "1.7.13-1", "harrow-containerd.service"),
];

/// The package of this source; none of the name is an error of this crate, which its test finds.
pub(crate) fn invented(source: &str) -> Option<&'static Package> {
    INVENTED.iter().find(|package| package.source == source)
}
