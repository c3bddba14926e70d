//! apk's record of what is installed: paragraphs of lines `X:value` (apk-tools, installed database of format 2).

use std::collections::{BTreeMap, BTreeSet};

use tenon_model::{Component, SourcePackage};

use super::Listed;

/// Where it lies; below `/usr` on systems that merged `/lib` into it.
pub(super) const DATABASES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

/// The fields that are used: name (`P`), version (`V`), architecture (`A`), origin (`o`).
#[derive(Default)]
struct Paragraph<'a> {
    seen: bool,
    name: &'a str,
    version: &'a str,
    architecture: &'a str,
    origin: &'a str,
}

/// Reads the text of a database. A paragraph without name or version is named as unreadable.
pub(super) fn parse(text: &str) -> Listed {
    let mut listed = Listed::default();
    let mut current = Paragraph::default();
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() {
            finish(&std::mem::take(&mut current), &mut listed);
            continue;
        }
        current.seen = true;
        match line.split_once(':') {
            // The case of the letter counts: `p` and `r` are other fields.
            Some(("P", value)) => current.name = value.trim(),
            Some(("V", value)) => current.version = value.trim(),
            Some(("A", value)) => current.architecture = value.trim(),
            Some(("o", value)) => current.origin = value.trim(),
            _ => {}
        }
    }
    listed
}

fn finish(paragraph: &Paragraph<'_>, listed: &mut Listed) {
    if !paragraph.seen {
        return;
    }
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    // A package built before origins were recorded is its own. A subpackage has the version of its origin.
    let source =
        SourcePackage { name: or(paragraph.origin, paragraph.name), version: paragraph.version.to_owned() };
    let architecture = or(paragraph.architecture, "any");
    listed.push(Component::os_package(paragraph.name, architecture, paragraph.version, source));
}

/// Packages that own the given paths, by path: files (`R`) lie in the folder (`F`) named before them.
pub(super) fn owners(text: &str, paths: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut owners = BTreeMap::new();
    let (mut name, mut folder) = ("", "");
    for line in text.lines() {
        match line.split_once(':') {
            Some(("P", value)) => (name, folder) = (value.trim(), ""),
            Some(("F", value)) => folder = value,
            Some(("R", value)) => {
                // The root folder is written as nothing.
                let path = if folder.is_empty() { format!("/{value}") } else { format!("/{folder}/{value}") };
                if paths.contains(&path) {
                    owners.insert(path, name.to_owned());
                }
            }
            _ => {}
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
C:Q1abc=
P:libcrypto3
V:3.1.4-r1
A:x86_64
S:1
T:Crypto: library
o:openssl
p:so:libcrypto.so.3=3
F:lib
R:libcrypto.so.3
a:0:0:755

P:.build-deps
V:20231207.160155
A:noarch
r:P:x

V:1-r0
A:x86_64

P:no-origin
V:2.0-r0
F:
R:top


P:\u{1}
V:1
";

    #[test]
    fn reads_origins_and_names_what_it_cannot_read() {
        let listed = parse(TEXT);
        let found: Vec<_> = listed
            .components
            .iter()
            .map(|c| (c.name.as_str(), c.architecture.as_str(), c.version.as_str(), c.source.name.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("libcrypto3", "x86_64", "3.1.4-r1", "openssl"),
                (".build-deps", "noarch", "20231207.160155", ".build-deps"),
                ("no-origin", "any", "2.0-r0", "no-origin"),
            ]
        );
        assert_eq!(listed.unreadable.len(), 2, "{:?}", listed.unreadable);
    }

    #[test]
    fn files_have_owners() {
        let paths = ["/lib/libcrypto.so.3", "/lib/other", "/top"].map(str::to_owned).into();
        let wanted = [("/lib/libcrypto.so.3", "libcrypto3"), ("/top", "no-origin")];
        assert_eq!(
            owners(TEXT, &paths),
            wanted.map(|(path, name)| (path.to_owned(), name.to_owned())).into()
        );
    }
}
