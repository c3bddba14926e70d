//! Which source package, and which of its versions, a binary package comes from, as Debian's advisories name it.

use tenon_model::SourcePackage;
use tenon_versions::signed_source;

/// Reads a `Source` field (`foo`, `foo (1.2)` or absent) and maps signed sources to the source they sign.
pub(crate) fn source_of(field: Option<&str>, package: &str, version: &str) -> SourcePackage {
    let (name, own) = match field.map(str::trim).filter(|text| !text.is_empty()) {
        None => (package, None),
        Some(text) => match text.split_once(' ') {
            None => (text, None),
            Some((name, rest)) => {
                let inner = rest.trim().strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
                (name, inner.map(str::trim).filter(|inner| !inner.is_empty()))
            }
        },
    };
    let own = own.unwrap_or(version);
    let (name, version) =
        signed_source(name, own, version).unwrap_or_else(|| (name.to_owned(), own.to_owned()));
    SourcePackage { name, version }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(field: Option<&str>, package: &str, version: &str, name: &str, source_version: &str) {
        let source = source_of(field, package, version);
        assert_eq!((source.name.as_str(), source.version.as_str()), (name, source_version));
    }

    #[test]
    fn plain_and_own_versions() {
        check(None, "bash", "5.2.15-2+b8", "bash", "5.2.15-2+b8");
        check(Some("bash (5.2.15-2)"), "bash", "5.2.15-2+b8", "bash", "5.2.15-2");
        check(Some("openssl"), "libssl3", "3.0.17-1", "openssl", "3.0.17-1");
        check(Some("glibc ()"), "libc6", "2.36-9", "glibc", "2.36-9");
    }

    #[test]
    fn signed_sources_name_what_they_sign() {
        check(Some("linux-signed-amd64 (6.1.192+2)"), "linux-image-amd64", "6.1.192-2", "linux", "6.1.192-2");
        check(
            Some("linux-6.1-signed-arm64 (6.1.140+1~deb11u1)"),
            "linux-image-6.1-arm64",
            "6.1.140-1~deb11u1",
            "linux-6.1",
            "6.1.140-1~deb11u1",
        );
        check(None, "grub-efi-amd64-signed", "1+2.06+13+deb12u2", "grub2", "2.06-13+deb12u2");
        check(None, "shim-helpers-amd64-signed", "1+16.1+2~deb12u1", "shim", "16.1-2~deb12u1");
        check(None, "fwupd-amd64-signed", "1:1.4+1", "fwupd-efi", "1:1.4-1");
    }

    #[test]
    fn the_signed_shim_carries_the_version_it_signs_in_its_binary_version() {
        check(
            Some("shim-signed (1.51~1+deb12u1)"),
            "shim-signed",
            "1.51~1+deb12u1+16.1-2~deb12u1",
            "shim",
            "16.1-2~deb12u1",
        );
    }

    #[test]
    fn names_that_only_look_signed_are_kept() {
        check(Some("linux-signed"), "x", "1.0-1", "linux-signed", "1.0-1");
        check(None, "python3-signedjson", "1.1.1-2", "python3-signedjson", "1.1.1-2");
    }
}
