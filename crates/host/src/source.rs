//! Which source package, and which of its versions, a binary package comes from, as Debian's advisories name it.

use tenon_model::SourcePackage;

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
    signed_shim(name, own, version)
        .or_else(|| unsigned(name, own))
        .unwrap_or_else(|| SourcePackage { name: name.to_owned(), version: own.to_owned() })
}

/// Secure Boot images are signed outside the archive and come back as a source of their own, whose version
/// encodes that of the signed source (Debian's code-signing templates replace its last `-` by `+`):
///
/// | signed source | its version | source the advisory names | version |
/// | --- | --- | --- | --- |
/// | `linux-signed-amd64` | `6.1.176+1` | `linux` | `6.1.176-1` |
/// | `linux-6.1-signed-arm64` | `6.1.140+1~deb11u1` | `linux-6.1` | `6.1.140-1~deb11u1` |
/// | `grub-efi-amd64-signed` | `1+2.06+13+deb12u1` | `grub2` | `2.06-13+deb12u1` |
/// | `shim-helpers-amd64-signed` | `1+15.8+1~deb12u1` | `shim` | `15.8-1~deb12u1` |
/// | `shim-signed` | `1.44~1+deb12u1` (binary `...+15.8-1~deb12u1`) | `shim` | `15.8-1~deb12u1` |
/// | `fwupd-amd64-signed` | `1:1.4+1` | `fwupd-efi` | `1:1.4-1` |
fn unsigned(source: &str, version: &str) -> Option<SourcePackage> {
    let (name, version) = match source.rsplit_once("-signed") {
        Some((linux, architecture))
            if (linux == "linux" || linux.starts_with("linux-")) && is_suffix(architecture) =>
        {
            (linux.to_owned(), restore_revision(version)?)
        }
        Some((grub, "")) if grub.starts_with("grub-efi-") => {
            ("grub2".to_owned(), restore_revision(after_counter(version)?)?)
        }
        Some((shim, "")) if shim.starts_with("shim-helpers-") => {
            ("shim".to_owned(), restore_revision(after_counter(version)?)?)
        }
        Some((fwupd, "")) if fwupd.starts_with("fwupd-") => {
            let name = if fwupd.starts_with("fwupd-efi-") || version.starts_with("1:") {
                "fwupd-efi"
            } else {
                "fwupd"
            };
            (name.to_owned(), restore_revision(version)?)
        }
        _ => return None,
    };
    Some(SourcePackage { name, version })
}

/// `shim-signed` appends the version of the shim it carries to its own: `1.44~1+deb12u1` + `15.8-1~deb12u1`.
fn signed_shim(source: &str, source_version: &str, binary_version: &str) -> Option<SourcePackage> {
    let rest = binary_version.strip_prefix(source_version)?.strip_prefix('+')?;
    (source == "shim-signed").then(|| SourcePackage { name: "shim".to_owned(), version: rest.to_owned() })
}

fn is_suffix(architecture: &str) -> bool {
    architecture.strip_prefix('-').is_some_and(|name| !name.is_empty() && !name.contains('-'))
}

/// The signed source counts its own uploads in front: `1+2.06+13` signs `2.06-13`.
fn after_counter(version: &str) -> Option<&str> {
    let (counter, rest) = version.split_once('+')?;
    counter.bytes().all(|byte| byte.is_ascii_digit()).then_some(rest)
}

/// Turns the `+` that stands for the revision's `-` back. It is the first `+` whose rest begins with a digit and
/// holds a revision (`6.1.176+1~deb12u1`, `2.06+13+deb12u1`).
fn restore_revision(version: &str) -> Option<String> {
    if version.contains('-') {
        return None;
    }
    let (at, _) = version
        .match_indices('+')
        .find(|(at, _)| version.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit))?;
    let (upstream, revision) = version.split_at(at);
    Some(format!("{upstream}-{}", revision.strip_prefix('+')?))
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
