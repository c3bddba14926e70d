//! The OSV ecosystem that a package-url belongs to, and the name that its advisories use.

use super::Purl;

/// Purl type, namespace of a distribution, OSV ecosystem without release.
const DISTRIBUTIONS: [(&str, &str, &str); 13] = [
    ("deb", "debian", "Debian"),
    ("deb", "ubuntu", "Ubuntu"),
    ("apk", "alpine", "Alpine"),
    ("apk", "chainguard", "Chainguard"),
    ("apk", "wolfi", "Wolfi"),
    ("rpm", "almalinux", "AlmaLinux"),
    // As Trivy writes it.
    ("rpm", "alma", "AlmaLinux"),
    ("rpm", "rocky", "Rocky Linux"),
    ("rpm", "rockylinux", "Rocky Linux"),
    ("rpm", "redhat", "Red Hat"),
    ("rpm", "opensuse", "openSUSE"),
    ("rpm", "suse", "SUSE"),
    ("rpm", "sles", "SUSE"),
];

/// Purl type, OSV ecosystem, what joins namespace and name there.
const LANGUAGES: [(&str, &str, &str); 12] = [
    ("cargo", "crates.io", ""),
    ("npm", "npm", "/"),
    ("golang", "Go", "/"),
    ("pypi", "PyPI", ""),
    ("maven", "Maven", ":"),
    ("gem", "RubyGems", ""),
    ("nuget", "NuGet", ""),
    ("composer", "Packagist", "/"),
    ("hex", "Hex", "/"),
    ("pub", "Pub", ""),
    ("cran", "CRAN", ""),
    ("hackage", "Hackage", ""),
];

impl Purl {
    /// Whether it is a package of an operating system, by its type.
    pub fn is_of_distribution(&self) -> bool {
        DISTRIBUTIONS.iter().any(|(kind, _, _)| *kind == self.kind())
    }

    /// The OSV ecosystem, without a release, and the package's name as advisories of language ecosystems use it; `None`
    /// where no ecosystem of OSV is known for it.
    pub fn osv_package(&self) -> Option<(&'static str, String)> {
        if self.is_of_distribution() {
            let found = DISTRIBUTIONS
                .iter()
                .find(|(kind, namespace, _)| *kind == self.kind() && Some(*namespace) == self.namespace());
            return found.map(|(_, _, ecosystem)| (*ecosystem, self.name().to_owned()));
        }
        let (_, ecosystem, separator) = LANGUAGES.iter().find(|(kind, _, _)| *kind == self.kind())?;
        let name = match self.namespace() {
            Some(namespace) => format!("{namespace}{separator}{}", self.name()),
            None => self.name().to_owned(),
        };
        // PEP 503: runs of `.`, `-` and `_` are one hyphen; OSV writes names so.
        let name = if *ecosystem == "PyPI" { folded(&name) } else { name };
        Some((ecosystem, name))
    }

    /// The version as its ecosystem orders it: with the epoch that a qualifier holds, without the `v` of Go. `listed` is
    /// what a document says beside the package-url, which may have none.
    pub fn osv_version(&self, listed: Option<&str>) -> Option<String> {
        let version = self.version().or(listed).filter(|version| !version.is_empty())?;
        let epoch = self.qualifiers().get("epoch").filter(|epoch| *epoch != "0" && !version.contains(':'));
        Some(match (self.kind(), epoch) {
            ("golang", _) => version.trim_start_matches('v').to_owned(),
            ("deb" | "rpm", Some(epoch)) => format!("{epoch}:{version}"),
            _ => version.to_owned(),
        })
    }
}

fn folded(name: &str) -> String {
    let mut folded = String::new();
    for c in name.chars() {
        match c {
            '.' | '-' | '_' if folded.ends_with('-') => {}
            '.' | '-' | '_' => folded.push('-'),
            c => folded.extend(c.to_lowercase()),
        }
    }
    folded
}
