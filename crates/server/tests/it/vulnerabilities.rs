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
