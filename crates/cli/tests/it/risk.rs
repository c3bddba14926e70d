//! What a played estate loses if nothing is done, whose that is, and what moved it.

use tenon_server::{LogPage, RiskView};

use crate::played::Played;

/// What is told in both forms of one state of the record: how far attackers get is told beside the story.
fn at_rest(played: &Played) -> (RiskView, String) {
    for _ in 0..50 {
        let before = played.get::<RiskView>("risk");
        let text = played.ok(&["risk"]);
        if played.get::<RiskView>("risk").generation == before.generation {
            return (before, text);
        }
    }
    panic!("the record never rests");
}

#[test]
fn what_is_lost_is_told_with_whose_it_is_and_what_moved_it() {
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    played.part(6);
    let (risk, text) = at_rest(&played);
    let points = |text: &str| text.parse::<f64>().unwrap();
    let groups: f64 = risk.groups.iter().map(|group| points(&group.points)).sum();
    assert!((groups - points(&risk.points)).abs() < 1.0, "{risk:?}");
    let sizes: Vec<f64> = risk.moved.iter().map(|one| points(&one.points).abs()).collect();
    assert!(sizes.len() > 3 && sizes.windows(2).all(|two| two[0] >= two[1]), "{sizes:?}");
    let said: Vec<&str> = risk.moved.iter().map(|one| one.said.as_deref().unwrap()).collect();
    assert!(
        said.iter().any(|said| said.starts_with("KEV: 1 ")),
        "the listing is among what moved it: {said:?}"
    );

    assert!(text.starts_with("now "), "{text}");
    assert!(
        text.contains(&format!("{} risk points, {} open directives on ", risk.points, risk.directives)),
        "{text}"
    );
    for part in ["30 days ago", "like for like", "\nby group\n", "\nwhat moved it most\n", "(entry "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let zones = ["front", "inside", "stores", "office"].map(|zone| {
        let of = played.get::<RiskView>(&format!("risk?zone={zone}"));
        assert_eq!(of.whole, risk.points);
        points(&of.points)
    });
    assert!(
        (zones.iter().sum::<f64>() - points(&risk.points)).abs() < 1.0,
        "every host stands in a zone: {zones:?}"
    );
    let shop = played.ok(&["risk", "--service", "storefront"]);
    assert!(shop.starts_with("service storefront: ") && shop.contains(" risk points of "), "{shop}");
    assert!(played.ok(&["risk", "--team", "nobody"]).contains("team nobody: no asset"));
    let clash = played.run(&["risk", "--team", "shop", "--zone", "front"]);
    assert_eq!(clash.status.code(), Some(2));

    // The estate states zones, so that how far attackers get is told, and ranks.
    let told = played.get::<LogPage>("log?kind=reach-assessed&limit=5");
    assert!(told.items[0].said.starts_with("attackers get otherwise into "), "{:?}", told.items[0]);
}
