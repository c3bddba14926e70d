//! Signed sources of Debian, and the sources that they sign, which advisories name.

/// Name and version of the source that a signed source signs; `None` for a source that is not signed. `binary_version` is
/// the version of the binary package, which alone says what `shim-signed` carries.
pub fn signed_source(source: &str, version: &str, binary_version: &str) -> Option<(String, String)> {
    signed_shim(source, version, binary_version).or_else(|| unsigned(source, version))
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
fn unsigned(source: &str, version: &str) -> Option<(String, String)> {
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
    Some((name, version))
}

/// `shim-signed` appends the version of the shim it carries to its own: `1.44~1+deb12u1` + `15.8-1~deb12u1`.
fn signed_shim(source: &str, source_version: &str, binary_version: &str) -> Option<(String, String)> {
    let rest = binary_version.strip_prefix(source_version)?.strip_prefix('+')?;
    (source == "shim-signed").then(|| ("shim".to_owned(), rest.to_owned()))
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
