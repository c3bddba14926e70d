//! What single package types ask of a package-url, from the type definitions of the purl specification
//! (<https://github.com/package-url/purl-spec>, folder `types`). A type without an entry has the general rules only.

use super::Purl;

/// Whether a type has namespaces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Namespace {
    Required,
    Optional,
    Prohibited,
}

fn namespace_rule(kind: &str) -> Namespace {
    match kind {
        "alpm" | "apk" | "bitbucket" | "composer" | "deb" | "github" | "golang" | "maven" | "qpkg"
        | "rpm" | "swift" | "vscode-extension" => Namespace::Required,
        "bitnami" | "cargo" | "cocoapods" | "conda" | "cran" | "gem" | "hackage" | "julia" | "mlflow"
        | "nuget" | "oci" | "opam" | "otp" | "pub" | "pypi" => Namespace::Prohibited,
        _ => Namespace::Optional,
    }
}

/// Brings the parts to the case and spelling that the type prescribes.
pub(super) fn normalise(purl: &mut Purl) {
    let lower_namespace = matches!(
        purl.kind.as_str(),
        "alpm"
            | "apk"
            | "bitbucket"
            | "composer"
            | "deb"
            | "github"
            | "golang"
            | "hex"
            | "qpkg"
            | "rpm"
            | "vscode-extension"
    );
    let lower_name = matches!(
        purl.kind.as_str(),
        "alpm"
            | "apk"
            | "bitbucket"
            | "bitnami"
            | "composer"
            | "deb"
            | "github"
            | "golang"
            | "hex"
            | "luarocks"
            | "oci"
            | "otp"
            | "pub"
            | "pypi"
            | "vscode-extension"
    );
    if lower_namespace && let Some(namespace) = &mut purl.namespace {
        *namespace = namespace.to_lowercase();
    }
    if lower_name {
        purl.name = purl.name.to_lowercase();
    }
    match purl.kind.as_str() {
        "pypi" => purl.name = purl.name.replace('_', "-"),
        "huggingface" | "vscode-extension" => purl.version = purl.version.take().map(|v| v.to_lowercase()),
        _ => {}
    }
}

/// What the type prohibits, whoever writes it.
pub(super) fn check(purl: &Purl) -> Result<(), &'static str> {
    if namespace_rule(&purl.kind) == Namespace::Prohibited && purl.namespace.is_some() {
        return Err("its type has no namespace");
    }
    if purl.kind == "cpan" && purl.name.contains("::") {
        return Err("a cpan name is that of a distribution, which holds no ::");
    }
    Ok(())
}

/// What the type requires and tools in the field leave out at times (`pkg:golang/stdlib@1.22.0`, `pkg:rpm/bash`).
pub(super) fn check_complete(purl: &Purl) -> Result<(), &'static str> {
    if namespace_rule(&purl.kind) == Namespace::Required && purl.namespace.is_none() {
        return Err("its type requires a namespace");
    }
    match purl.kind.as_str() {
        "conan" if purl.namespace.is_some() != purl.qualifiers.contains_key("channel") => {
            Err("conan requires namespace and channel together or neither")
        }
        "julia" if !purl.qualifiers.contains_key("uuid") => Err("julia requires the qualifier uuid"),
        "swid" if !purl.qualifiers.contains_key("tag_id") => Err("swid requires the qualifier tag_id"),
        "cran" | "swift" if purl.version.is_none() => Err("its type requires a version"),
        _ => Ok(()),
    }
}
