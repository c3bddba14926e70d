//! A mirror of feeds that says what a story needs: real formats, invented vulnerabilities.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use zip::write::SimpleFileOptions;

/// An advisory of the mirror.
pub(crate) struct Told<'a> {
    pub(crate) id: &'a str,
    pub(crate) cve: &'a str,
    /// Source package and the version that fixes it.
    pub(crate) source: &'a str,
    pub(crate) fixed: &'a str,
    pub(crate) exploited: bool,
}

/// Writes a mirror in the layout that `tenon up --feeds FOLDER` reads.
pub(crate) fn write_mirror(folder: &Path, advisories: &[Told<'_>]) {
    write_mirror_of("Debian:12", folder, advisories);
}

/// The same for another distribution, by its name as OSV spells it.
pub(crate) fn write_mirror_of(ecosystem: &str, folder: &Path, advisories: &[Told<'_>]) {
    let name = ecosystem.split(':').next().unwrap();
    let osv = format!("osv/{name}");
    for part in [osv.as_str(), "kev", "epss"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let mut archive = zip::ZipWriter::new(File::create(folder.join(&osv).join("all.zip")).unwrap());
    for told in advisories {
        let record = json!({
            "schema_version": "1.7.0",
            "id": told.id,
            "modified": "2026-11-20T10:00:00Z",
            "published": "2026-11-20T09:00:00Z",
            "summary": format!("{} security update", told.source),
            "upstream": [told.cve],
            "affected": [{
                "package": { "ecosystem": ecosystem, "name": told.source },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": told.fixed }] }],
            }],
        });
        archive.start_file(format!("{}.json", told.id), SimpleFileOptions::default()).unwrap();
        archive.write_all(record.to_string().as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    let entries: Vec<_> = advisories
        .iter()
        .filter(|told| told.exploited)
        .map(|told| {
            json!({
                "cveID": told.cve,
                "vendorProject": "Test",
                "product": told.source,
                "vulnerabilityName": "Invented",
                "dateAdded": "2026-11-21",
                "shortDescription": "Invented for a test.",
                "requiredAction": "Apply updates.",
                "dueDate": "2026-12-05",
                "knownRansomwareCampaignUse": "Unknown",
                "notes": "",
                "cwes": [],
            })
        })
        .collect();
    let catalogue = json!({
        "title": "CISA Catalog of Known Exploited Vulnerabilities",
        "catalogVersion": "2026.11.21",
        "dateReleased": "2026-11-21T12:00:00.0000Z",
        "count": entries.len(),
        "vulnerabilities": entries,
    });
    fs::write(folder.join("kev/known_exploited_vulnerabilities.json"), catalogue.to_string()).unwrap();
    let mut day =
        "#model_version:v2026.06.15,score_date:2026-11-23T00:00:00+0000\ncve,epss,percentile\n".to_owned();
    for told in advisories {
        day.push_str(&format!("{},0.25000,0.96000\n", told.cve));
    }
    let file = File::create(folder.join("epss/epss_scores-current.csv.gz")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    gzip.write_all(day.as_bytes()).unwrap();
    gzip.finish().unwrap();
}
