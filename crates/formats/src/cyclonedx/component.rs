//! Components of a bill of materials.

use super::{MAX_COMPONENTS, Reader, SpecVersion};
use crate::json::Object;
use crate::purl::Purl;

/// Longest name, version or other identifier kept, in bytes (the schema bounds versions at 1024).
const MAX_NAME: usize = 1024;
/// Most properties kept of one component.
const MAX_PROPERTIES: usize = 1_000;

/// A component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BomComponent {
    /// `bom-ref`, by which vulnerabilities and dependencies name it.
    pub reference: Option<String>,
    /// What it is; `None` when the document does not say so in a word of its schema.
    pub kind: Option<ComponentKind>,
    /// `group` (`org.apache.commons`, `@angular`).
    pub group: Option<String>,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Its package-url, read leniently: bills of materials leave out what the purl type requires.
    pub purl: Option<Purl>,
    /// Its CPE name, as written.
    pub cpe: Option<String>,
    /// Whether it is needed at run time.
    pub scope: Option<Scope>,
    /// `isExternal` (since 1.7): not part of what is described, but expected where it runs.
    pub external: bool,
    /// Properties in their order; a name may stand several times. Tools keep distribution and source package here.
    pub properties: Vec<(String, String)>,
    /// The component that holds it, by place in [`super::Bom::components`].
    pub inside: Option<usize>,
}

/// What a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the words of the schema, which explains them")]
pub enum ComponentKind {
    Application,
    Framework,
    Library,
    Container,
    Platform,
    OperatingSystem,
    Device,
    DeviceDriver,
    Firmware,
    File,
    MachineLearningModel,
    Data,
    CryptographicAsset,
}

impl ComponentKind {
    /// The words of the schema, and the version that brought them.
    const WORDS: [(&'static str, SpecVersion, Self); 13] = [
        ("application", SpecVersion::V1_4, Self::Application),
        ("framework", SpecVersion::V1_4, Self::Framework),
        ("library", SpecVersion::V1_4, Self::Library),
        ("container", SpecVersion::V1_4, Self::Container),
        ("operating-system", SpecVersion::V1_4, Self::OperatingSystem),
        ("device", SpecVersion::V1_4, Self::Device),
        ("firmware", SpecVersion::V1_4, Self::Firmware),
        ("file", SpecVersion::V1_4, Self::File),
        ("platform", SpecVersion::V1_5, Self::Platform),
        ("device-driver", SpecVersion::V1_5, Self::DeviceDriver),
        ("machine-learning-model", SpecVersion::V1_5, Self::MachineLearningModel),
        ("data", SpecVersion::V1_5, Self::Data),
        ("cryptographic-asset", SpecVersion::V1_6, Self::CryptographicAsset),
    ];
}

/// Whether a component is needed at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Needed.
    Required,
    /// Usable without.
    Optional,
    /// Not part of what runs (tests, build tools).
    Excluded,
}

impl Reader {
    /// Reads the components inside an element, and those inside them. `inside` is the place of that element.
    /// The depth is bounded by that of the JSON reader.
    pub(super) fn nested_components(&mut self, at: &Object<'_>, inside: Option<usize>) {
        for entry in self.walk.objects(at, "components") {
            let Some(component) = self.component(&entry, inside) else {
                self.nested_components(&entry, inside);
                continue;
            };
            if self.components.len() >= MAX_COMPONENTS {
                self.too_many = true;
                return;
            }
            self.components.push(component);
            self.nested_components(&entry, Some(self.components.len() - 1));
        }
    }

    /// Reads and checks one component without those inside it; `None` when it has no name.
    pub(super) fn component(&mut self, at: &Object<'_>, inside: Option<usize>) -> Option<BomComponent> {
        let reference = self.own_reference(at);
        let kind = self.kind(at);
        if !at.has("name") {
            self.walk.problem(at, "name", "", "a text; the field is missing");
        }
        let name = self.walk.plain(at, "name", MAX_NAME);
        let scope = match self.walk.text(at, "scope") {
            None => None,
            Some("required") => Some(Scope::Required),
            Some("optional") => Some(Scope::Optional),
            Some("excluded") => Some(Scope::Excluded),
            Some(other) => {
                self.walk.problem(at, "scope", other, "required, optional or excluded");
                None
            }
        };
        let external =
            self.spec >= SpecVersion::V1_7 && self.walk.truth(at, "isExternal").unwrap_or_default();
        if self.spec >= SpecVersion::V1_7 && at.has("versionRange") {
            if at.has("version") {
                self.walk.problem(at, "version, versionRange", "", "one of the two");
            }
            if !external {
                self.walk.problem(at, "versionRange", "", "none, unless isExternal is true");
            }
        }
        self.check_component_parts(at);
        let purl = self.walk.text(at, "purl").and_then(|text| match Purl::parse_lenient(text) {
            Ok(purl) => Some(purl),
            Err(error) => {
                self.walk.refused(at, "purl", &error.to_string());
                None
            }
        });
        Some(BomComponent {
            reference,
            kind,
            group: self.walk.plain(at, "group", MAX_NAME),
            version: self.walk.plain(at, "version", MAX_NAME),
            purl,
            cpe: self.walk.plain(at, "cpe", MAX_NAME),
            scope,
            external,
            properties: self.properties(at),
            inside,
            name: name?,
        })
    }

    fn kind(&mut self, at: &Object<'_>) -> Option<ComponentKind> {
        let word = self.walk.required(at, "type")?;
        let known = ComponentKind::WORDS
            .iter()
            .find(|(known, since, _)| *known == word && *since <= self.spec)
            .map(|(_, _, kind)| *kind);
        if known.is_none() {
            self.walk.problem(at, "type", word, "a component type of this version of the specification");
        }
        known
    }

    pub(super) fn properties(&mut self, at: &Object<'_>) -> Vec<(String, String)> {
        let mut properties = Vec::new();
        for entry in self.walk.objects(at, "properties") {
            if self.spec >= SpecVersion::V1_6 {
                self.walk.required(&entry, "name");
            }
            let name = self.walk.plain(&entry, "name", MAX_NAME);
            let value = self.walk.plain(&entry, "value", 8 * MAX_NAME);
            match name {
                Some(name) if properties.len() < MAX_PROPERTIES => {
                    properties.push((name, value.unwrap_or_default()));
                }
                Some(_) => {
                    self.walk.problem(at, "properties", "more", "at most 1000; the rest is left out");
                    break;
                }
                None => {}
            }
        }
        properties
    }
}
