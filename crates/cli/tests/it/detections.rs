//! An attack is reported on a host of a played estate, seen everywhere, and found to be none.

use tenon_server::{
    AssetDetail, AssetsPage, DetectionView, DetectionsView, DirectiveView, DirectivesPage, LogPage,
    MovesView, VulnerabilityView,
};

use crate::played::Played;

const ABOUT: &str = "DEMO-2026-4471";

#[test]
fn an_attack_that_was_seen_leads_the_queue_until_it_is_dismissed() {
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    played.part(6);
    let view = || played.get::<VulnerabilityView>(&format!("vulnerabilities/{ABOUT}"));
    let before = view();
    let answered = |id: &str| played.get::<DirectiveView>(&format!("directives/{id}"));
    let host = before.standing.iter().flat_map(|standing| &standing.hosts).next().unwrap().clone();
    let fails = |words: &[&str]| {
        let output = played.run(words);
        assert!(!output.status.success(), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(played.ok(&["detection", "list"]), "no attack was reported that counts\n");
    let report = |host: &str| {
        let words = ["detection", "report", ABOUT, "--host", host, "--what", "lookup in a header"];
        words.map(str::to_owned)
    };
    let told = |host: &str, more: &[&str]| {
        let words = report(host);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        played.run(&words)
    };
    let refused = |host: &str, more: &[&str]| {
        let output = told(host, more);
        assert!(!output.status.success(), "{host} {more:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused("nobody", &[]).contains("no host is called \"nobody\""));
    assert!(refused("203.0.113.254", &[]).contains("or has that address"));
    assert!(refused(&host, &["--seen", "yesterday"]).contains("seen is a time"));
    assert!(refused(&host, &["--seen", "2026-01-01"]).contains("only the last 30 days count"));
    assert_eq!(view(), before, "nothing was reported");

    let asset = {
        let called = played.get::<AssetsPage>(&format!("assets?limit=500&q={host}"));
        called.items.into_iter().find(|asset| asset.hostname == host).unwrap()
    };
    let output = told(&host.to_uppercase(), &["--sensor", "waf-1", "--reference", "2034647"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let shown = format!("det_1: {ABOUT} counts as exploited on {}; dir_", host.to_uppercase());
    assert!(said.starts_with(&shown), "{said}");
    let again = told(&asset.id, &["--sensor", "edr"]);
    assert!(again.status.success());
    assert!(String::from_utf8(again.stdout).unwrap().contains("nothing has changed"));

    let now = view();
    assert_eq!((now.open, now.attacks.len()), (before.open, 1));
    let attack = &now.attacks[0];
    assert_eq!((attack.host.as_deref(), attack.sensor.as_str()), (Some(host.as_str()), "waf-1"));
    let directive = attack.directives[0].clone();
    let queue = played.get::<DirectivesPage>("directives?limit=500");
    let line = queue.items.iter().find(|line| line.id == directive).unwrap();
    assert_eq!(line.attacked, 1);
    assert!(played.ok(&["queue"]).contains("         an attack was seen on one of its hosts\n"));
    let priority = answered(&directive);
    assert!(priority.clocks.iter().any(|clock| clock.rule.contains("attack seen")), "{:?}", priority.clocks);
    let why = played.ok(&["why", &directive]);
    let attack = format!("attack    det_1: {ABOUT} on {host}, seen ");
    assert!(why.contains(&attack), "{why}");
    assert!(why.contains(" by waf-1: lookup in a header"), "{why}");
    // It was certain before, since it is listed: that moved it.
    let listed = |line: &str| {
        line.starts_with("  moved     2026-06-") && line.contains(": KEV: 1 vulnerability changed")
    };
    assert!(why.lines().any(listed), "{why}");
    moved_one_by_one(&played, &directive);
    let shown = played.ok(&["show", &directive]);
    assert!(shown.contains(&format!("{ABOUT}: attack seen on {host}: lookup in a header")), "{shown}");
    let listed = played.ok(&["detection", "list"]);
    assert!(listed.contains(&format!("  answered by {directive}; counts until ")), "{listed}");
    let zone = attack_zone(&now.attacks[0]);
    assert!(listed.contains(&format!(", more likely by 10% in zone {zone}, by 2% elsewhere\n")), "{listed}");
    assert!(played.ok(&["vulnerability", ABOUT]).contains(&format!("attack det_1: {ABOUT} on {host}")));
    let one = played.ok(&["show", &asset.id]);
    assert!(one.contains("lookup in a header"));
    // Both by the names that people have for them.
    assert_eq!(played.ok(&["asset", &asset.hostname]), one);
    assert_eq!(played.ok(&["directive", &directive]), shown);
    assert!(fails(&["asset", "no-such-host"]).contains("no host is called \"no-such-host\""));
    let detail = played.get::<AssetDetail>(&format!("assets/{}", asset.id));
    assert_eq!(detail.attacks, now.attacks);

    // What is not open there is recorded, and nothing answers it.
    let other = ["detection", "report", "CVE-1999-0001", "--host", &host, "--what", "an old one"];
    assert!(played.ok(&other).contains("nothing answers it"));
    assert!(played.ok(&["detection", "list"]).contains("  nothing answers it"));

    // On a honeypot, in a zone or in none; that the attack succeeded is news.
    let decoy = |more: &[&str]| {
        let words = ["detection", "report", ABOUT, "--what", "met a decoy", "--honeypot"];
        words.iter().chain(more).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let said = |words: Vec<String>| played.ok(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let taken = said(decoy(&["office"]));
    assert!(
        taken.starts_with("det_3: ") && taken.contains(" counts as more likely for a month; dir_"),
        "{taken}"
    );
    assert!(said(decoy(&[])).starts_with("det_4: "));
    assert!(fails(&["detection", "report", ABOUT, "--what", "x"]).contains("--host"));
    let attic = decoy(&["attic"]);
    let attic: Vec<&str> = attic.iter().map(String::as_str).collect();
    assert!(fails(&attic).contains("no zone is called attic"));
    let words = report(&host);
    let words: Vec<&str> = words.iter().map(String::as_str).chain(["--succeeded"]).collect();
    assert!(played.ok(&words).starts_with("det_5: "));
    let listed = played.ok(&["detection", "list"]);
    assert!(listed.contains(&format!("det_3: {ABOUT} on a honeypot in zone office, seen ")), "{listed}");
    assert!(listed.contains(&format!("det_4: {ABOUT} on a honeypot, seen ")), "{listed}");
    assert!(listed.contains(&format!("det_5: {ABOUT} on {host}, which it took over, seen ")), "{listed}");
    played.ok(&["detection", "dismiss", "det_5", "--why", "an exercise"]);

    assert!(fails(&["detection", "dismiss", "det_9", "--why", "no such"]).contains("unknown-detection"));
    played.ok(&["detection", "dismiss", "det_1", "--why", "our own scanner"]);
    assert_eq!(view().attacks.len(), 2, "those of the honeypots stand");
    assert!(answered(&directive).clocks.iter().all(|clock| !clock.rule.contains("attack seen")));
    let ended = played.ok(&["detection", "list", "--state", "ended"]);
    assert!(ended.contains(": our own scanner"), "{ended}");
    let all = played.get::<DetectionsView>(&format!("detections?state=all&vulnerability={ABOUT}"));
    assert_eq!((all.total, all.items[3].state.as_str()), (4, "dismissed"));
    for about in [format!("vulnerability={ABOUT}"), format!("asset={}", asset.id)] {
        let log = played.get::<LogPage>(&format!("log?limit=500&kind=detection&{about}"));
        let kinds: Vec<&str> = log.items.iter().map(|entry| entry.kind.as_str()).collect();
        assert!(
            kinds.starts_with(&["detection-ended"]) && kinds.ends_with(&["detection-reported"]),
            "{kinds:?}"
        );
    }
    played.end();
}

/// What moved a directive leads from where it was raised to what it removes now, each by an entry that followed from nothing.
fn moved_one_by_one(played: &Played, directive: &str) {
    let moves = played.get::<MovesView>(&format!("directives/{directive}/moves"));
    let (first, last) = (moves.items.first().unwrap(), moves.items.last().unwrap());
    let now = played.get::<DirectiveView>(&format!("directives/{directive}"));
    assert_eq!(first.points, now.removes);
    assert!(!moves.more && last.before.is_none(), "{moves:?}");
    for two in moves.items.windows(2) {
        assert_eq!(two[0].before.as_ref(), Some(&two[1].points), "{two:?}");
        assert!(two[0].seq > two[1].seq && two[0].before.as_ref() != Some(&two[0].points), "{two:?}");
    }
    let log = |seq: u64| {
        let page = played.get::<LogPage>(&format!("log?limit=1&cursor=e{}", seq + 1));
        page.items.into_iter().next().unwrap()
    };
    for one in &moves.items {
        let entry = log(one.seq);
        assert_eq!((&entry.said, &entry.time), (&one.said, &one.time));
        assert!(!entry.kind.starts_with("directive-") && entry.kind != "asset-verified", "{entry:?}");
    }
    assert!(moves.items.iter().any(|one| one.said.starts_with("KEV: 1 ")), "the listing: {moves:?}");
}

fn attack_zone(attack: &DetectionView) -> &str {
    attack.zone.as_deref().unwrap()
}
