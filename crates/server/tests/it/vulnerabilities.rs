//! What is open in the estate, by vulnerability, a page at a time.

use serde_json::Value;
use tenon_model::{
    Advisory, AdvisoryDelta, Affected, AffectedRange, Command, IntelDelta, Kev, Probability, Timestamp,
};

use crate::gateway::reported_with;
use crate::running::{Server, code};

fn now() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000)
}

fn advisory(number: u32, package: &str, fixed: Option<&str>) -> Advisory {
    let range = AffectedRange { introduced: None, fixed: fixed.map(str::to_owned), last_affected: None };
    let affected = Affected {
        ecosystem: "Debian:12".to_owned(),
        package: package.to_owned(),
        module: None,
        ranges: vec![range],
        versions: Vec::new(),
    };
    Advisory {
        id: format!("DSA-{number}-1").parse().unwrap(),
        summary: package.to_owned(),
        published: Some(now()),
        addresses: vec![format!("CVE-2026-{number}").parse().unwrap()],
        affected: vec![affected],
    }
}

/// One host on which three are open: the fix of one is offered, one has none, and that of one is not offered.
fn three() -> Server {
    let server = Server::start();
    let submit = |command| server.runtime().block_on(server.running().writer.submit(command, None)).unwrap();
    reported_with(&server, &["openssl", "zlib", "bash"]);
    let published = vec![
        advisory(1001, "openssl", Some("2.0")),
        advisory(1002, "zlib", None),
        advisory(1003, "bash", Some("3.0")),
    ];
    let delta = AdvisoryDelta { published, withdrawn: Vec::new() };
    submit(Command::ChangeAdvisories { feed: "osv/Debian".to_owned(), delta, as_of: None });
    let listed = vec![("CVE-2026-1003".parse().unwrap(), Kev { added: now(), due: None, ransomware: false })];
    submit(Command::ChangeIntel { delta: IntelDelta::Kev { listed, retracted: Vec::new() }, as_of: None });
    let scores = vec![("CVE-2026-1001".parse().unwrap(), Probability::from_ppm(500_000).unwrap())];
    let delta = IntelDelta::Epss { model: "v1".to_owned(), scored: now(), scores, dropped: Vec::new() };
    submit(Command::ChangeIntel { delta, as_of: None });
    server
}

fn page(server: &Server, query: &str) -> Value {
    let path = format!("/api/v1/vulnerabilities{query}");
    server.get(&path).call().unwrap().body_mut().read_json().unwrap()
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[test]
fn what_is_open_is_listed_with_what_nothing_closes() {
    let server = three();
    let all = page(&server, "");
    println!("{all:#}");
    // What is exploited somewhere costs most; the others as they are scored, or as is assumed where they are not.
    assert_eq!(ids(&all), ["CVE-2026-1003", "CVE-2026-1001", "CVE-2026-1002"]);
    let counts =
        ["open", "total", "exploited", "attacked", "not_offered"].map(|name| all[name].as_u64().unwrap());
    assert_eq!(counts, [3, 3, 1, 0, 2]);
    let of = |place: usize| {
        let one = &all["items"][place];
        ["assets", "not_offered", "no_fix"].map(|name| one[name].as_u64().unwrap())
    };
    assert_eq!([of(0), of(1), of(2)], [[1, 1, 0], [1, 0, 0], [1, 1, 1]]);
    assert_eq!(all["items"][1]["epss_ppm"], 500_000);
    for (query, wanted) in [
        ("?only=exploited", vec!["CVE-2026-1003"]),
        ("?only=not-offered&sort=id", vec!["CVE-2026-1002", "CVE-2026-1003"]),
        ("?only=no-fix", vec!["CVE-2026-1002"]),
        ("?only=attacked", vec![]),
        ("?sort=epss", vec!["CVE-2026-1001", "CVE-2026-1002", "CVE-2026-1003"]),
        ("?q=cve-2026-1001", vec!["CVE-2026-1001"]),
    ] {
        assert_eq!(ids(&page(&server, query)), wanted, "{query}");
    }
    // Page by page it is the same list.
    let (mut pages, mut query) = (Vec::new(), "?limit=1".to_owned());
    loop {
        let one = page(&server, &query);
        pages.extend(ids(&one).into_iter().map(str::to_owned));
        let Some(next) = one["next"].as_str() else { break };
        query = format!("?limit=1&cursor={next}");
    }
    assert_eq!(pages, ids(&all));
    for wrong in ["?only=some", "?sort=size", "?limit=0", "?cursor=x", "?cursor=n1&from=1"] {
        assert_eq!(
            code(server.get(&format!("/api/v1/vulnerabilities{wrong}")).call().unwrap()).0,
            400,
            "{wrong}"
        );
    }
}

#[test]
fn what_is_closed_since_was_open_then() {
    let server = three();
    let before = server.running().writer.world().seq();
    let delta = AdvisoryDelta { published: Vec::new(), withdrawn: vec!["DSA-1002-1".parse().unwrap()] };
    let command = Command::ChangeAdvisories { feed: "osv/Debian".to_owned(), delta, as_of: None };
    server.runtime().block_on(server.running().writer.submit(command, None)).unwrap();
    assert_eq!(ids(&page(&server, "?sort=id")), ["CVE-2026-1001", "CVE-2026-1003"]);
    let then = page(&server, &format!("?sort=id&as_of={before}"));
    assert_eq!(ids(&then), ["CVE-2026-1001", "CVE-2026-1002", "CVE-2026-1003"]);
}

#[test]
fn what_is_foreseen_counts_in_place_of_the_score() {
    let server = three();
    let submit = |command| server.runtime().block_on(server.running().writer.submit(command, None)).unwrap();
    let of = |id: &str| {
        let all = page(&server, "");
        let found = all["items"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap().clone();
        (found["points"].as_str().unwrap().to_owned(), found["foreseen_ppm"].clone())
    };
    let scored: f64 = of("CVE-2026-1001").0.parse().unwrap();
    let ppm = |ppm| Probability::from_ppm(ppm).unwrap();
    let foreseen =
        vec![("CVE-2026-1001".parse().unwrap(), ppm(40)), ("CVE-2026-1002".parse().unwrap(), ppm(1_200))];
    let (model, day) = ("five-2026-08-07".to_owned(), Timestamp::parse("2026-11-24").unwrap());
    let delta = IntelDelta::Forecast { model, day, foreseen, dropped: Vec::new() };
    submit(Command::ChangeIntel { delta, as_of: Some(day) });

    let (points, foreseen) = of("CVE-2026-1001");
    assert_eq!(foreseen, 40);
    let points: f64 = points.parse().unwrap();
    assert!(points > 0.0 && (points - scored * 40.0 / 500_000.0).abs() < points / 10.0, "{points} {scored}");
    assert_eq!(ids(&page(&server, "")), ["CVE-2026-1003", "CVE-2026-1002", "CVE-2026-1001"]);
    let likeliest = page(&server, "?sort=foreseen");
    assert_eq!(ids(&likeliest), ["CVE-2026-1003", "CVE-2026-1002", "CVE-2026-1001"]);

    let view: Value =
        server.get("/api/v1/vulnerabilities/CVE-2026-1001").call().unwrap().body_mut().read_json().unwrap();
    assert_eq!(
        [&view["foreseen_ppm"], &view["foreseen_model"], &view["foreseen_as_of"], &view["epss_ppm"]],
        [&Value::from(40), &"five-2026-08-07".into(), &"2026-11-24T00:00:00Z".into(), &Value::from(500_000)]
    );
    let directive = view["directives"][0].as_str().unwrap();
    // What answers it is told in words, with whose it is and where.
    let told = &view["answers"][0];
    assert_eq!((told["id"].as_str(), told["assets"].as_u64()), (Some(directive), Some(1)), "{told}");
    assert_eq!(told["hosts"].as_array().map(Vec::len), Some(1), "{told}");
    let title =
        format!("upgrade {} to {}", told["source"].as_str().unwrap(), told["version"].as_str().unwrap());
    assert_eq!(told["title"], title, "{told}");
    let why = server
        .get(&format!("/api/v1/directives/{directive}/why"))
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    assert!(why.contains("0.004% that CISA lists it within 30 days (EPSS 50.00%)"), "{why}");
    assert!(why.contains("forecast five-2026-08-07"), "{why}");
    let why: Value = serde_json::from_str(&why).unwrap();
    let rows = why["table"]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 16, "the table is told whole");
}

/// So that a vendor's update without a CVE stands where a new CVE stands of which as little is known.
#[test]
fn what_is_assumed_is_what_the_shipped_model_foresees_of_a_cve_a_week_old() {
    let models = tenon_predict::ModelFile::shipped().unwrap();
    let day: tenon_predict::Day = "2026-11-24".parse().unwrap();
    let known = tenon_predict::Known::from_facts("CVE-2026-70001".parse().unwrap(), &[], day, day.plus(-7));
    let foreseen = models.on(day).unwrap().forecast_only(&known).ppm();
    let assumed = tenon_engine::ASSUMED_THREAT.ppm();
    assert!(
        foreseen.abs_diff(assumed) <= assumed / 10,
        "the model foresees {foreseen} ppm, {assumed} are assumed"
    );
}
