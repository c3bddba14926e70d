//! The OSV reader against the OSV schema: what the schema accepts is read, and of what it refuses is refused what the
//! reader reads.

use std::io::Read as _;

use proptest::prelude::*;
use serde_json::Value;
use tenon_formats::FormatError;
use tenon_formats::osv::{parse, to_advisory};

use crate::mutate::mutated;
use crate::schema::violation;
use crate::shared::{json, shared};

/// Records looked at in each ecosystem, unless `TENON_SOAK` asks for all of them.
const SAMPLE: usize = 1_000;

#[test]
fn what_the_schema_accepts_is_read() {
    const NAME: &str = "what_the_schema_accepts_is_read";
    let (Some(schema), Some(feeds)) =
        (shared(NAME, "vectors/osv/osv-schema.json"), shared(NAME, "feeds/osv"))
    else {
        return;
    };
    let schema = json(&schema);
    let mut ecosystems = 0;
    for entry in std::fs::read_dir(feeds).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(file) = std::fs::File::open(folder.join("all.zip")) else { continue };
        ecosystems += 1;
        let mut archive = zip::ZipArchive::new(file).unwrap();
        let step = match std::env::var_os("TENON_SOAK") {
            Some(_) => 1,
            None => (archive.len() / SAMPLE).max(1),
        };
        let ecosystem = folder.file_name().unwrap().to_string_lossy().into_owned();
        let (mut accepted, mut refused, mut unread, mut inexact) = (0, Vec::new(), Vec::new(), 0);
        for index in (0..archive.len()).step_by(step) {
            let mut file = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            let by_schema = violation(&schema, &schema, &value, "record");
            let read = parse(&bytes);
            inexact +=
                u32::from(read.as_ref().is_ok_and(|record| to_advisory(record, &[&ecosystem]).is_err()));
            accepted += u32::from(by_schema.is_none());
            if let Some(why) = &by_schema {
                refused.push(format!("{}: {why} (read: {})", file.name(), read.is_ok()));
            }
            if let (None, Err(error)) = (by_schema, read) {
                unread.push(format!("{}: {error}", file.name()));
            }
        }
        println!(
            "measured: osv schema, {ecosystem}: {accepted} records accepted by the schema and read, {} refused by it, \
             first: {}; {inexact} with a range that cannot be read exactly",
            refused.len(),
            refused.first().map_or("none", |first| first),
        );
        assert!(inexact <= 20, "{ecosystem}: {inexact}");
        assert_eq!(unread, Vec::<String>::new());
        assert!(accepted > 0);
    }
    assert!(ecosystems >= 9, "{ecosystems} ecosystems");
}

const RECORD: &str = r#"{"schema_version":"1.7.3","id":"DSA-1-1","modified":"2026-01-01T00:00:00Z",
  "published":"2025-12-31T23:59:59.5Z","withdrawn":"2026-02-01T00:00:00Z","aliases":["CVE-2026-0001"],
  "upstream":["CVE-2026-0002"],"related":["CVE-2026-0003"],"summary":"glibc","details":"a race",
  "affected":[{"package":{"ecosystem":"Debian:12","name":"glibc","purl":"pkg:deb/debian/glibc"},
    "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.36-9"}]},
      {"type":"GIT","repo":"https://example.org/x","events":[{"introduced":"0"}]}],"versions":["2.36-8"]}],
  "references":[{"type":"ADVISORY","url":"https://example.org"}]}"#;

/// Reads a record as far as matching in Debian 12 needs it.
fn read(record: &str) -> Result<(), FormatError> {
    let mut record = parse(record.as_bytes())?;
    record.withdrawn = None;
    to_advisory(&record, &["Debian:12"]).map(drop)
}

#[test]
fn what_the_schema_refuses_is_refused_where_it_is_read() {
    let schema = shared("what_the_schema_refuses_is_refused_where_it_is_read", "vectors/osv/osv-schema.json");
    let schema = schema.map(|path| json(&path));
    let accepts = |record: &str| {
        let value = serde_json::from_str(record).unwrap();
        schema.as_ref().is_none_or(|schema| violation(schema, schema, &value, "record").is_none())
    };
    let refuses = |record: &str| schema.is_none() || !accepts(record);
    assert!(accepts(RECORD) && read(RECORD).is_ok());
    for (from, to, field) in [
        ("\"id\":\"DSA-1-1\",", "", "id"),
        ("\"DSA-1-1\"", "7", "string"),
        ("\"DSA-1-1\"", "\"DSA 1\"", "id"),
        ("\"modified\":\"2026-01-01T00:00:00Z\",", "", "modified"),
        ("\"2026-01-01T00:00:00Z\"", "\"2026-01-01\"", "modified"),
        ("\"2026-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00+01:00\"", "modified"),
        ("\"2026-01-01T00:00:00Z\"", "\"2026-13-01T00:00:00Z\"", "modified"),
        ("\"2025-12-31T23:59:59.5Z\"", "\"new year's eve\"", "published"),
        ("\"2026-02-01T00:00:00Z\"", "true", "string"),
        ("[\"CVE-2026-0001\"]", "\"CVE-2026-0001\"", "sequence"),
        ("[\"CVE-2026-0001\"]", "[1]", "string"),
        ("[\"CVE-2026-0002\"]", "{}", "sequence"),
        ("[\"CVE-2026-0003\"]", "[null]", "string"),
        ("\"summary\":\"glibc\"", "\"summary\":[]", "string"),
        ("\"affected\":[{", "\"affected\":[7,{", "RawAffected"),
        ("\"ecosystem\":\"Debian:12\",", "", "ecosystem"),
        ("\"name\":\"glibc\",", "", "name"),
        ("\"name\":\"glibc\"", "\"name\":null", "string"),
        ("\"type\":\"ECOSYSTEM\",", "", "type"),
        ("\"ECOSYSTEM\"", "\"CALENDAR\"", "type"),
        ("[{\"introduced\":\"0\"},{\"fixed\":\"2.36-9\"}]", "[]", "introduced"),
        ("[{\"introduced\":\"0\"},{\"fixed\":\"2.36-9\"}]", "[{\"fixed\":\"2.36-9\"}]", "introduced"),
        ("[{\"introduced\":\"0\"},{\"fixed\":\"2.36-9\"}]", "{\"introduced\":\"0\"}", "sequence"),
        ("{\"fixed\":\"2.36-9\"}", "{\"mended\":\"2.36-9\"}", "events"),
        ("{\"fixed\":\"2.36-9\"}", "{\"fixed\":9}", "string"),
        ("{\"fixed\":\"2.36-9\"}", "\"2.36-9\"", "RawEvent"),
        ("[\"2.36-8\"]", "[2.36]", "string"),
        ("[\"2.36-8\"]", "\"2.36-8\"", "sequence"),
    ] {
        assert!(RECORD.contains(from), "{from}");
        let record = RECORD.replacen(from, to, 1);
        assert!(refuses(&record), "the schema accepts {to}");
        let reason = read(&record).expect_err(to).to_string();
        assert!(reason.contains(field), "{to}: {reason}");
    }
    // Read although the schema refuses it: what matching does not read, what no field makes ambiguous, and names that a
    // later schema may bring.
    for (from, to) in [
        ("\"details\":\"a race\"", "\"details\":7"),
        ("\"details\":\"a race\"", "\"unheard_of\":7"),
        ("\"ADVISORY\"", "\"RUMOUR\""),
        ("\"repo\":\"https://example.org/x\",", ""),
        ("\"DSA-1-1\"", "\"NEWDB-1\""),
        ("\"Debian:12\"", "\"Newbian\""),
        ("[\"CVE-2026-0003\"]", "null"),
        ("{\"introduced\":\"0\"},{\"fixed\":\"2.36-9\"}", "{\"introduced\":\"0\",\"fixed\":\"2.36-9\"}"),
        ("{\"fixed\":\"2.36-9\"}", "{\"fixed\":\"2.36-9\"},{\"last_affected\":\"2.36-7\"}"),
    ] {
        assert!(RECORD.contains(from), "{from}");
        let record = RECORD.replacen(from, to, 1);
        assert!(refuses(&record), "the schema accepts {to}");
        assert!(read(&record).is_ok(), "{to}: {:?}", read(&record));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn a_damaged_record_is_read_or_refused(bytes in mutated(RECORD)) {
        if let Ok(record) = parse(&bytes) {
            let _ = to_advisory(&record, &["Debian:12"]);
        }
    }
}
