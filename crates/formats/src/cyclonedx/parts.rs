//! Parts that matching does not read, checked against the schema: what they hold says how far the rest can be trusted.

use super::{Reader, SpecVersion};
use crate::json::Object;

const HASHES: [&str; 14] = [
    "MD5",
    "SHA-1",
    "SHA-256",
    "SHA-384",
    "SHA-512",
    "SHA3-256",
    "SHA3-384",
    "SHA3-512",
    "BLAKE2b-256",
    "BLAKE2b-384",
    "BLAKE2b-512",
    "BLAKE3",
    // Since 1.7.
    "Streebog-256",
    "Streebog-512",
];

impl Reader {
    /// What stands in a component beside its identity.
    pub(super) fn check_component_parts(&mut self, at: &Object<'_>) {
        self.hashes(at);
        self.licenses(at);
        self.external_references(at);
        if let Some(swid) = self.walk.object(at, "swid") {
            self.walk.required(&swid, "tagId");
            self.walk.required(&swid, "name");
            self.attachment(&swid, "text");
        }
        if let Some(evidence) = self.walk.object(at, "evidence") {
            self.licenses(&evidence);
        }
        self.release_notes(at);
        let Some(pedigree) = self.walk.object(at, "pedigree") else { return };
        for field in ["ancestors", "descendants", "variants"] {
            for relative in self.walk.objects(&pedigree, field) {
                // Recursion is bounded by the depth of the JSON reader.
                self.component(&relative, None);
            }
        }
        for patch in self.walk.objects(&pedigree, "patches") {
            self.walk.required(&patch, "type");
            let kinds = ["unofficial", "monkey", "backport", "cherry-pick"];
            self.walk.one_of(&patch, "type", &kinds, "unofficial, monkey, backport or cherry-pick");
            if let Some(diff) = self.walk.object(&patch, "diff") {
                self.attachment(&diff, "text");
            }
            self.issues(&patch);
        }
    }

    fn issues(&mut self, at: &Object<'_>) {
        for issue in self.walk.objects(at, "resolves") {
            self.walk.required(&issue, "type");
            let kinds = ["defect", "enhancement", "security"];
            self.walk.one_of(&issue, "type", &kinds, "defect, enhancement or security");
        }
    }

    fn release_notes(&mut self, at: &Object<'_>) {
        if let Some(notes) = self.walk.object(at, "releaseNotes") {
            self.walk.required(&notes, "type");
            self.walk.time(&notes, "timestamp");
            self.issues(&notes);
        }
    }

    fn external_references(&mut self, at: &Object<'_>) {
        for reference in self.walk.objects(at, "externalReferences") {
            self.walk.required(&reference, "url");
            self.walk.required(&reference, "type");
            self.hashes(&reference);
        }
    }

    fn hashes(&mut self, at: &Object<'_>) {
        for hash in self.walk.objects(at, "hashes") {
            self.walk.required(&hash, "alg");
            let known = if self.spec >= SpecVersion::V1_7 { &HASHES[..] } else { &HASHES[..12] };
            self.walk.one_of(&hash, "alg", known, "a hash algorithm of this version of the specification");
            if let Some(content) = self.walk.required(&hash, "content")
                && (!matches!(content.len(), 32 | 40 | 64 | 96 | 128)
                    || !content.bytes().all(|byte| byte.is_ascii_hexdigit()))
            {
                self.walk.problem(&hash, "content", content, "32, 40, 64, 96 or 128 hexadecimal digits");
            }
        }
    }

    /// `licenses`: until 1.4 any mixture, in 1.5 and 1.6 either licenses or a single expression, since 1.7 any mixture
    /// again. One entry is never both.
    pub(super) fn licenses(&mut self, at: &Object<'_>) {
        let entries = self.walk.objects(at, "licenses");
        let expressions = entries.iter().filter(|entry| entry.has("expression")).count();
        if matches!(self.spec, SpecVersion::V1_5 | SpecVersion::V1_6) && expressions > 0 && entries.len() > 1
        {
            self.walk.problem(at, "licenses", "", "licenses, or a single expression");
        }
        for entry in entries {
            if entry.has("expression") == entry.has("license") {
                self.walk.problem(&entry, "license, expression", "", "one of the two");
            }
            self.walk.text(&entry, "expression");
            let Some(license) = self.walk.object(&entry, "license") else { continue };
            if license.has("id") == license.has("name") {
                self.walk.problem(&license, "id, name", "", "one of the two");
            }
            self.walk.text(&license, "name");
            if let Some(id) = self.walk.text(&license, "id")
                && spdx::license_id(id).is_none()
                && spdx::exception_id(id).is_none()
            {
                self.walk.problem(&license, "id", id, "an identifier of the SPDX license list");
            }
            self.attachment(&license, "text");
            self.properties(&license);
        }
    }

    pub(super) fn attachment(&mut self, at: &Object<'_>, field: &'static str) {
        if let Some(attachment) = self.walk.object(at, field) {
            self.attachment_object(&attachment);
        }
    }

    pub(super) fn attachment_object(&mut self, attachment: &Object<'_>) {
        self.walk.required(attachment, "content");
        self.walk.text(attachment, "contentType");
        self.walk.one_of(attachment, "encoding", &["base64"], "base64");
    }

    /// A service and those inside it; recursion is bounded by the depth of the JSON reader.
    pub(super) fn service(&mut self, at: &Object<'_>) {
        self.own_reference(at);
        self.walk.required(at, "name");
        self.licenses(at);
        self.properties(at);
        self.external_references(at);
        self.release_notes(at);
        for data in self.walk.objects(at, "data") {
            self.walk.required(&data, "classification");
            self.walk.required(&data, "flow");
            let flows = ["inbound", "outbound", "bi-directional", "unknown"];
            self.walk.one_of(&data, "flow", &flows, "inbound, outbound, bi-directional or unknown");
        }
        for service in self.walk.objects(at, "services") {
            self.service(&service);
        }
    }
}
