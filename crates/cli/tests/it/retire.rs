//! `tenon retire` at an estate that is played: a host goes, counts nowhere, and is back with its next report.

use tenon_server::{AssetsPage, DirectiveView, HeadView, Overview};

use crate::played::Played;

const WHY: &str = "switched off, ticket 4711";

/// What a command that must fail says.
fn refused(played: &Played, words: &[&str]) -> String {
    let output = played.run(words);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{words:?} succeeded: {}", String::from_utf8_lossy(&output.stdout));
    said
}

#[test]
fn a_host_is_retired_counts_nowhere_and_is_back_with_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    let id = played.at_rest();
    let directive = || played.get::<DirectiveView>(&format!("directives/{id}"));
    let all =
        || (played.get::<Overview>("overview").assets, played.get::<AssetsPage>("assets?limit=1").total);
    let hosts = all().0;
    let asked = directive();
    let host = asked.assets.iter().find(|asset| asset.stage.name == "awaiting-approval").unwrap();
    let (asset, hostname) = (host.id.as_str(), host.hostname.as_str());
    let entry = played.get::<HeadView>("head").seq.to_string();

    // What cannot be is refused, says what is wrong, and changes nothing.
    let unknown = format!("ast_{}", "0".repeat(32));
    for (words, wanted) in [
        (&["retire", asset][..], &["--why <WHY>"][..]),
        (&["retire", asset, "--why", "  "], &["a retirement needs a reason", "(bad-content)"]),
        (&["retire", &unknown, "--why", WHY], &[&unknown, "(unknown-asset)"]),
        (&["retire", hostname, "--why", WHY], &[hostname]),
        (&["retire", "--why", WHY], &["<ASSET>"]),
    ] {
        let said = refused(&played, words);
        assert!(wanted.iter().all(|part| said.contains(part)), "{words:?}: {said}");
    }
    assert_eq!(played.get::<HeadView>("head").seq.to_string(), entry);
    assert_eq!(played.ok(&["assets", "--retired"]), "");

    let says = played.said(asset);
    // Gone: from the assets, the counts, the directive; and listed with who and why.
    let said = played.ok(&["retire", asset, "--why", WHY]);
    assert!(said.contains(&format!("{asset} is retired; it is back if it reports again")), "{said}");
    assert_eq!(all(), (hosts - 1, hosts - 1));
    let there = played.ok(&["assets"]);
    assert!(
        !there.contains(asset)
            && there.lines().filter(|line| line.starts_with("ast_")).count() as u64 == hosts - 1
    );
    let gone = played.ok(&["assets", "--retired"]);
    assert!(gone.starts_with(&format!("{asset}  {hostname} (group ")), "{gone}");
    assert!(gone.contains(" by visitor: ") && gone.contains(WHY), "{gone}");
    assert_eq!(gone.lines().filter(|line| line.starts_with("ast_")).count(), 1);
    let left = directive();
    assert_eq!(left.asset_count, asked.asset_count - 1);
    assert!(!left.assets.iter().any(|other| other.id == asset), "{left:?}");
    assert!(!played.ok(&["show", &id]).contains(asset));
    let again = refused(&played, &["retire", asset, "--why", "once more"]);
    assert!(
        again.contains(&format!("{hostname} is retired since")) && again.contains("(nothing-to-do)"),
        "{again}"
    );
    // Then is then.
    let then = played.ok(&["assets", "--as-of", &entry]);
    assert!(then.contains(asset) && played.ok(&["assets", "--retired", "--as-of", &entry]).is_empty());

    // Its agent was not stopped: with its report it is back, and the record tells both.
    played.report(asset, says);
    assert_eq!(all(), (hosts, hosts));
    assert_eq!(played.ok(&["assets", "--retired"]), "");
    assert!(played.ok(&["assets"]).contains(asset));
    let back = played.wait("the host in the directive again", |_| {
        let now = directive();
        (now.asset_count == asked.asset_count).then_some(now)
    });
    assert!(back.closed.is_none());
    let told = played.ok(&["log", "--asset", asset, "--kind", "asset-ret"]);
    let lines: Vec<&str> = told.lines().filter(|line| line.contains(hostname)).collect();
    let [retired, returned] = lines[..] else { panic!("{told}") };
    assert!(retired.contains("visitor: ") && retired.contains(WHY), "{retired}");
    assert!(returned.contains("was retired and reports again"), "{returned}");
    played.end();
}
