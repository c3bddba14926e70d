//! Public history: what is known when, and what no file may tell too early.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use tempfile::TempDir;
use tenon_feeds::{Depth, FeedError, ReadHistory, read_history, survey_history};
use tenon_predict::{Day, History, Known, Outcomes, Sighting};

const SNAPSHOTS: &str = "score_date,model_version,cves_in_snapshot,new_cves,changed_scores,native_file
2025-01-04,v3,3,3,0,no
2025-01-11,v3,3,0,1,yes
2025-01-18,v3,4,1,1,no
";
const CHANGES: &str = "score_date,cve,epss
2025-01-04,CVE-2023-0001,0.00100
2025-01-04,CVE-2024-0002,0.00200
2025-01-04,CVE-2024-0003,0.5
2025-01-11,CVE-2024-0002,0.00300
2025-01-18,CVE-2025-0004,9e-05
2025-01-18,CVE-2024-0002,0.93
";
const CATALOGUE: &str = r#"{"title":"KEV","catalogVersion":"2025.03.31","dateReleased":"2025-03-31T15:00:00Z","count":1,
"vulnerabilities":[{"cveID":"CVE-2024-0002","dateAdded":"2025-01-15","dueDate":"2025-02-05",
"vendorProject":"v","product":"p","vulnerabilityName":"n","shortDescription":"s","requiredAction":"r"}]}"#;
const KEV_CHANGES: &str = r#"{"catalogVersion":"1","dateReleased":"2025-01-20T10:00:00Z","event":"added","cveID":"CVE-2023-0001","dateAdded":"2025-01-20"}
{"catalogVersion":"2","dateReleased":"2025-01-27T10:00:00Z","event":"removed","cveID":"CVE-2023-0001"}
{"catalogVersion":"2","dateReleased":"2025-01-27T10:00:00Z","event":"changed","cveID":"CVE-2024-0002","field":"dueDate","old":"a","new":"b"}
"#;
const POC: &str = "cve,first_seen,source,first_seen_is_baseline,repos_listed_a,repos_named_b
CVE-2024-0002,2025-01-12,A,0,3,1
CVE-2023-0001,2021-04-14,A,1,3,1
";
const METASPLOIT: &str = "cve,first_seen,first_seen_is_baseline,modules
CVE-2024-0003,2025-01-13,0,exploits/x.rb
";
const TIMELINE: &str =
    "cve,published,published_source,epss_first_seen,github_poc,ssvc_exploitation,ssvc_at,kev_added
CVE-2025-0005,2025-01-14,nvd,,,,,
CVE-2025-0006,2025-01-14,kev,,,,,2025-02-01
CVE-2025-0007,2025-01-14,overrides,,,,,
CVE-2024-0002,2024-06-01,cve,,,active,2024-06-02,2025-01-15
";
const RECORDS: &str = r#"{"cve":"CVE-2024-0003","published":"2024-02-03T04:00:00","updated":"2024-08-01T00:00:00Z","cvss":[{"score":7.5},{"score":9.8}],"ssvc":{"exploitation":"active","automatable":"yes","technical_impact":"total","timestamp":"2024-03-01T00:00:00Z"}}
{"cve":"CVE-2024-0002","published":"2024-06-01","updated":"2025-01-15T00:00:00Z","cvss":[]}
"#;
const NVD: &str = r#"{"cve":"CVE-2023-0001","published":"2023-02-03T13:15Z","modified":"2023-05-03T13:15Z","cvss3":{"vector":"CVSS:3.1/AV:N","score":5.3}}
{"cve":"CVE-2024-0003","published":"2024-02-03T13:15Z","modified":"2025-01-16T13:15Z","cvss3":{"vector":"CVSS:3.1/AV:N","score":8.1}}
"#;

fn xz(text: &str) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::default();
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

fn gz(text: &str) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

fn put(folder: &Path, file: &str, bytes: &[u8]) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    put(path, "epss/epss_snapshots.csv", SNAPSHOTS.as_bytes());
    put(path, "epss/epss_changes.csv.xz", &xz(CHANGES));
    put(path, "epss/epss_withdrawn.csv", b"last_seen_score_date,cve\n2025-01-11,CVE-2024-0003\n");
    put(path, "kev/known_exploited_vulnerabilities.json", CATALOGUE.as_bytes());
    put(path, "kev/kev_changes.jsonl.gz", &gz(KEV_CHANGES));
    put(path, "exploits/github_poc.csv", POC.as_bytes());
    put(path, "exploits/metasploit_cve_modules.csv", METASPLOIT.as_bytes());
    put(path, "timeline/cve_timeline.csv.xz", &xz(TIMELINE));
    put(path, "cve/cve_records.jsonl.xz", &xz(RECORDS));
    put(path, "cve/nvd_records.jsonl.xz", &xz(NVD));
    folder
}

fn read(folder: &TempDir, depth: Depth) -> ReadHistory {
    let read = read_history(folder.path(), depth, &mut |_| ()).unwrap();
    assert_eq!(read.problems.listed(), []);
    read
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn known(history: &History, id: &str, on: &str) -> Option<Known> {
    history.on(day(on)).get(history.find(id.parse().unwrap())?)
}

fn score(history: &History, id: &str, on: &str) -> Option<u32> {
    known(history, id, on)?.score().map(tenon_model::Probability::ppm)
}

#[test]
fn scores_of_a_day_are_known_the_day_after() {
    let history = read(&folder(), Depth::Lists).history;
    let of = |on| score(&history, "CVE-2024-0002", on);
    assert_eq!((of("2025-01-04"), of("2025-01-05"), of("2025-01-11")), (None, Some(2_000), Some(2_000)));
    // The jump that follows a listing is not visible before its own day is over.
    assert_eq!(
        (of("2025-01-12"), of("2025-01-18"), of("2025-01-19")),
        (Some(3_000), Some(3_000), Some(930_000))
    );
    assert_eq!(score(&history, "CVE-2025-0004", "2025-01-19"), Some(90));
    // Last seen on the 11th: gone on the next day of scores.
    let gone = |on| score(&history, "CVE-2024-0003", on);
    assert_eq!((gone("2025-01-18"), gone("2025-01-19")), (Some(500_000), None));
    let days: Vec<_> = history.snapshots().iter().map(|one| (one.scored, one.known)).collect();
    assert_eq!(days[0], (day("2025-01-04"), day("2025-01-05")));
}

#[test]
fn a_file_of_a_whole_day_says_who_had_no_score_on_it() {
    let folder = folder();
    let whole = "#model_version:v3,score_date:2025-01-11T00:00:00Z\ncve,epss,percentile\n\
                 CVE-2024-0002,0.00300,0.5\nCVE-2024-0003,0.5,0.9\n";
    put(folder.path(), "epss/epss_scores-2025-01-11.csv.gz", &gz(whole));
    let history = read(&folder, Depth::Lists).history;
    let of = |on| score(&history, "CVE-2023-0001", on);
    assert_eq!(
        (of("2025-01-11"), of("2025-01-12"), of("2025-01-18"), of("2025-01-19")),
        (Some(1_000), None, None, Some(1_000))
    );
    assert_eq!(score(&history, "CVE-2024-0002", "2025-01-12"), Some(3_000));
}

#[test]
fn listings_count_from_their_day_until_they_are_taken_back() {
    let history = read(&folder(), Depth::Lists).history;
    let listed = |id, on| known(&history, id, on).unwrap().is_listed();
    assert!(!listed("CVE-2024-0002", "2025-01-14") && listed("CVE-2024-0002", "2025-01-15"));
    assert!(listed("CVE-2023-0001", "2025-01-20") && !listed("CVE-2023-0001", "2025-01-27"));
    assert_eq!(history.listings_until(), Some(day("2025-03-31")));
    let outcomes = Outcomes::of(&history);
    assert_eq!(
        outcomes.after(day("2025-01-14")).unwrap().len(),
        2,
        "what was taken back later had been listed"
    );
}

#[test]
fn exploits_are_known_from_the_day_a_list_has_them() {
    let history = read(&folder(), Depth::Lists).history;
    let seen =
        |id, sighting, on| known(&history, id, on).and_then(|known| known.seen(sighting)).map(|(day, _)| day);
    let poc = |on| seen("CVE-2024-0002", Sighting::PublicExploit, on);
    assert_eq!((poc("2025-01-11"), poc("2025-01-12")), (None, Some(day("2025-01-12"))));
    assert_eq!(seen("CVE-2024-0003", Sighting::Framework, "2025-01-14"), Some(day("2025-01-13")));
}

/// Files and columns that know the answer: none of them may change what is known on any day.
#[test]
fn nothing_that_was_written_with_the_answer_at_hand_is_read() {
    let plain = folder();
    let lists = read(&plain, Depth::Lists).history;
    let records = read(&plain, Depth::Records).history;
    let same = |what: &str, change: &dyn Fn(&Path)| {
        let folder = folder();
        change(folder.path());
        assert_eq!(read(&folder, Depth::Lists).history, lists, "{what}");
        assert_eq!(read(&folder, Depth::Records).history, records, "{what}");
    };
    same("dates of publication made from the catalogue", &|path| {
        put(path, "kev/kev_published.csv", b"cve,published\nCVE-2024-0003,2024-01-01\n");
        let timeline = TIMELINE.replace("CVE-2025-0006,2025-01-14,kev", "CVE-2025-0006,2025-01-02,kev");
        put(path, "timeline/cve_timeline.csv.xz", &xz(&timeline));
    });
    same("overrides", &|path| {
        put(path, "cve/nvd_overrides.jsonl.xz", &xz("{\"_annotation\":{\"cve_id\":\"CVE-2024-0003\"}}\n"));
        let timeline = TIMELINE.replace("CVE-2025-0007,2025-01-14", "CVE-2025-0007,2025-01-02");
        put(path, "timeline/cve_timeline.csv.xz", &xz(&timeline));
    });
    same("descriptions", &|path| {
        put(
            path,
            "cve/cve_descriptions.jsonl.xz",
            &xz("{\"cve\":\"CVE-2024-0003\",\"description\":\"x\"}\n"),
        );
    });
    same("counts of repositories, which are as of the file", &|path| {
        put(path, "exploits/github_poc.csv", POC.replace(",3,1", ",900,77").as_bytes());
    });
    same("SSVC's active and its date", &|path| {
        let timeline = TIMELINE.replace("active,2024-06-02", "poc,2024-05-01");
        put(path, "timeline/cve_timeline.csv.xz", &xz(&timeline));
        let active = RECORDS.replace("\"exploitation\":\"active\"", "\"exploitation\":\"none\"");
        put(path, "cve/cve_records.jsonl.xz", &xz(&active));
    });
    same("undated and discontinued lists", &|path| {
        put(path, "exploits/exploitdb_cve_map.csv", b"cve,edb_ids\nCVE-2024-0003,1\n");
        put(
            path,
            "exploits/inthewild_reports.csv",
            b"cve,first_reported\nCVE-2024-0003,2024-03-01T00:00:00Z\n",
        );
    });
    same("scores of listed CVEs only", &|path| {
        put(
            path,
            "epss/kev_epss_daily.csv.xz",
            &xz("observed_at,cve,epss,percentile\n2025-01-05,CVE-2024-0002,0.9,\n"),
        );
        put(path, "kev/kev_cvss3_base_scores.csv", b"cve,score\nCVE-2024-0002,9.8\n");
    });
}

/// Being in a file of records is no fact: lists read alike with and without them, and what records say waits for the
/// newest date of their file, whatever older date they bear.
#[test]
fn fields_of_records_are_known_from_the_date_of_their_file() {
    let folder = folder();
    let lists = read(&folder, Depth::Lists);
    let history = read(&folder, Depth::Records).history;
    let of = |id, on| known(&history, id, on).map(|known| (known.cvss(), known.published()));
    // CVE records: newest date 2025-01-15. NVD: ids of 2024 reach to 2025-01-16, ids of 2023 to 2023-05-03.
    assert_eq!(of("CVE-2024-0003", "2025-01-15").unwrap(), (None, None));
    assert_eq!(of("CVE-2024-0003", "2025-01-16").unwrap(), (Some(98), Some(day("2024-02-03"))));
    assert_eq!(of("CVE-2024-0003", "2025-01-17").unwrap().0, Some(81));
    assert_eq!(of("CVE-2023-0001", "2023-05-04").unwrap(), (Some(53), Some(day("2023-02-03"))));
    assert_eq!(known(&history, "CVE-2024-0003", "2025-01-15").unwrap().points(), None);
    let points = known(&history, "CVE-2024-0003", "2025-01-16").unwrap().points().unwrap();
    assert_eq!(points.exploitation, tenon_model::Exploitation::None, "active would be the answer");
    // A record that lists do not have yet is known from its publication.
    assert!(known(&history, "CVE-2025-0005", "2025-01-13").is_none());
    let fresh = known(&history, "CVE-2025-0005", "2025-01-14").unwrap();
    assert_eq!((fresh.first_named(), fresh.score()), (day("2025-01-14"), None));
    assert!(known(&history, "CVE-2025-0006", "2025-01-31").is_none(), "its date comes from the catalogue");
    assert!(known(&history, "CVE-2025-0007", "2025-01-31").is_none(), "overrides hold few");
    fs::remove_dir_all(folder.path().join("cve")).unwrap();
    fs::remove_dir_all(folder.path().join("timeline")).unwrap();
    assert_eq!(read(&folder, Depth::Lists).history, lists.history);
    assert_eq!(read(&folder, Depth::Lists).digest, lists.digest);
}

#[test]
fn lines_that_cannot_be_read_are_named_and_the_rest_is_kept() {
    let folder = folder();
    let broken =
        CHANGES.replace("CVE-2024-0003,0.5", "CVE-2024-0003,1.5").replace("2025-01-11,CVE", "someday,CVE");
    put(folder.path(), "epss/epss_changes.csv.xz", &xz(&broken));
    put(folder.path(), "kev/kev_changes.jsonl.gz", &gz(&format!("{{\n{KEV_CHANGES}")));
    let read = read_history(folder.path(), Depth::Lists, &mut |_| ()).unwrap();
    let places: Vec<_> = read.problems.listed().iter().map(|one| one.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "epss/epss_changes.csv.xz: line 4",
            "epss/epss_changes.csv.xz: line 5",
            "kev/kev_changes.jsonl.gz: line 1"
        ]
    );
    assert_eq!(score(&read.history, "CVE-2024-0002", "2025-01-19"), Some(930_000));
}

#[test]
fn a_file_that_is_missing_cut_or_of_another_shape_stops_with_its_name() {
    let fails = |change: &dyn Fn(&Path)| {
        let folder = folder();
        change(folder.path());
        read_history(folder.path(), Depth::Lists, &mut |_| ()).unwrap_err()
    };
    let missing = fails(&|path| fs::remove_file(path.join("epss/epss_changes.csv.xz")).unwrap());
    assert!(
        matches!(&missing, FeedError::NotMirrored { .. }) && missing.to_string().contains("epss_changes")
    );
    let cut = fails(&|path| put(path, "epss/epss_changes.csv.xz", &xz(CHANGES)[..60]));
    assert!(matches!(cut, FeedError::Archive { .. }), "{cut}");
    let shape = fails(&|path| put(path, "epss/epss_changes.csv.xz", &xz("date,cve,epss\n")));
    assert!(
        matches!(&shape, FeedError::Format { .. }) && shape.to_string().contains("score_date"),
        "{shape}"
    );
    let long = fails(&|path| put(path, "epss/epss_changes.csv.xz", &xz(&"x".repeat(2 << 20))));
    assert!(matches!(long, FeedError::Archive { .. }), "{long}");
}

#[test]
fn a_survey_tells_what_can_be_replayed_and_notices_another_file() {
    let folder = folder();
    let survey = || survey_history(folder.path(), None).unwrap();
    let (first, history) = (survey(), read(&folder, Depth::Lists).history);
    let days: Vec<Day> = history.snapshots().iter().map(|snapshot| snapshot.known).collect();
    assert_eq!((&first.days, first.listings_until), (&days, history.listings_until()));
    let outcomes = Outcomes::of(&history);
    let judged: Vec<Day> = days.into_iter().filter(|day| outcomes.after(*day).is_some()).collect();
    assert_eq!(first.complete().collect::<Vec<_>>(), judged);
    assert!(first.records);
    assert_eq!(
        (survey(), survey_history(folder.path(), Some(&first)).unwrap()),
        (first.clone(), first.clone())
    );
    put(folder.path(), "exploits/github_poc.csv", b"cve,first_seen\n");
    assert_ne!(survey().stamp, first.stamp);
    fs::remove_file(folder.path().join("cve/nvd_records.jsonl.xz")).unwrap();
    assert!(!survey().records);
    fs::remove_file(folder.path().join("epss/epss_snapshots.csv")).unwrap();
    let error = survey_history(folder.path(), Some(&first)).unwrap_err().to_string();
    assert!(error.contains("epss_snapshots.csv is not there"), "{error}");
}
