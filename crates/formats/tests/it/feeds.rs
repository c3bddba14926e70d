//! KEV catalogue and EPSS days under hostile bytes.

use proptest::prelude::*;
use tenon_formats::{epss, kev};

use crate::mutate::mutated;

const KEV: &str = r#"{"title":"x","catalogVersion":"2026.08.07","dateReleased":"2026-08-07T00:00:00Z","count":1,
  "vulnerabilities":[{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24",
    "knownRansomwareCampaignUse":"Known"}]}"#;

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = kev::parse(&bytes);
        let _ = epss::parse(&bytes);
    }

    #[test]
    fn a_damaged_catalogue_is_read_or_refused(bytes in mutated(KEV)) {
        let _ = kev::parse(&bytes);
    }

    #[test]
    fn a_damaged_day_is_read_or_refused(score in "[-+0-9.eE]{0,60}", row in "[^\r]{0,40}") {
        let day = format!("#model_version:v1,score_date:2026-08-08T00:00:00Z\ncve,epss\nCVE-1999-0001,{score}\n{row}\n");
        let _ = epss::parse(day.as_bytes());
    }
}
