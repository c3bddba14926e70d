//! Policies.

use tenon_model::Timestamp;
use tenon_policy::{AssetFacts, DirectiveFacts, Expression, Facts, RehearsalFacts, Turn, read};

/// Instants around changes of clocks, in Berlin and in New York, and one far away.
const INSTANTS: [i64; 6] =
    [1_774_742_399_000, 1_792_886_400_000, 1_772_953_200_000, 1_793_512_800_000, 1_796_428_800_000, 0];

pub(crate) fn policy(bytes: &[u8]) {
    let Some(text) = crate::text(bytes) else { return };
    let _read = Expression::read(text);
    let Ok(policy) = read(text) else { return };
    let (directive, asset, rehearsal) =
        (DirectiveFacts::default(), AssetFacts::default(), RehearsalFacts::default());
    let facts = Facts { directive: &directive, asset: &asset, rehearsal: Some(&rehearsal), unknown: &[] };
    let verdict = policy.verdict(&facts).expect("everything is known after a rehearsal");
    for now in INSTANTS.map(Timestamp::from_millis) {
        match policy.turn(&verdict, &facts, now) {
            Turn::Open { until } => assert!(until.is_none_or(|until| until > now), "open is not over"),
            Turn::Closed { opens: None, .. } => {}
            Turn::Closed { opens: Some(opens), .. } => {
                assert!(opens > now, "what is closed opens later");
                let then = policy.turn(&verdict, &facts, opens);
                assert!(matches!(then, Turn::Open { .. }), "it opens when it says");
            }
        }
    }
}
