//! What an attack says of whoever was not attacked: of its zone, and of all the estate.
//!
//! Who tries a vulnerability on one host tries it on its neighbours, and a decoy is met by whoever looks around. How much more likely
//! that makes it elsewhere is a judgement of Tenon's own, not measured; it fades, orders work, and sets no date.

use std::cmp::Reverse;

use tenon_model::{
    Basis, Detection, DetectionId, DetectionKind, Event, Probability, Timestamp, VulnerabilityId, ZoneName,
};

use super::{DetectionState, Detections};
use crate::world::World;

/// After so many days it counts half as much as before.
const HALVED_AFTER_DAYS: u32 = 7;

/// How likely it is that the same is tried and succeeds elsewhere within the month, in parts per million, while what was seen is fresh.
struct Spread {
    /// In the same zone.
    zone: u32,
    /// In any other.
    estate: u32,
}

/// Of an attack nobody knows whether it was more than a scan of everybody. Nobody scans a decoy by mistake. Who has taken one host
/// goes on from there.
const fn spread(kind: DetectionKind) -> Spread {
    match kind {
        DetectionKind::Attack => Spread { zone: 100_000, estate: 20_000 },
        DetectionKind::Honeypot => Spread { zone: 200_000, estate: 50_000 },
        DetectionKind::Incident => Spread { zone: 500_000, estate: 100_000 },
    }
}

/// What was seen nearby, and how likely that makes it here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nearby<'w> {
    /// How likely it makes exploitation, whatever feeds say.
    pub(crate) probability: Probability,
    id: DetectionId,
    state: &'w DetectionState,
}

impl DetectionState {
    /// How likely it makes exploitation in the zone in which it was seen and everywhere else in the estate, by now. Nothing once it
    /// has ended.
    pub fn spreads(&self) -> (Probability, Probability) {
        let Spread { zone, estate } = spread(self.detection.kind);
        let halved = u32::from(self.halved);
        let now = |ppm: u32| {
            let ppm = if self.ended.is_some() { 0 } else { ppm.checked_shr(halved).unwrap_or_default() };
            Probability::from_ppm(ppm).unwrap_or(Probability::ZERO)
        };
        (now(zone), now(estate))
    }
}

/// How often what was seen then is halved by now.
pub(super) fn halved_by(seen: Timestamp, now: Timestamp) -> u8 {
    (1..=super::DETECTION_DAYS / HALVED_AFTER_DAYS)
        .take_while(|weeks| seen.plus_days(weeks * HALVED_AFTER_DAYS) <= now)
        .fold(0, |halved, _| halved + 1)
}

/// Those that count for less than before.
pub(crate) fn fade(world: &World, now: Timestamp) -> Vec<Event> {
    let faded = world.detections.standing().filter_map(|(id, state)| {
        let halved = halved_by(state.detection.seen, now);
        (halved > state.halved).then_some(Event::DetectionFaded { id, halved })
    });
    faded.collect()
}

impl Nearby<'_> {
    /// Two reasons of which either is enough (noisy or): what feeds say anyway, and what was seen.
    pub(crate) fn with(&self, usual: Probability) -> Probability {
        let (here, usual) = (u64::from(self.probability.ppm()), u64::from(usual.ppm()));
        let both = here + usual - here * usual / 1_000_000;
        u32::try_from(both).ok().and_then(Probability::from_ppm).unwrap_or(Probability::ONE)
    }

    /// Why it is as likely.
    pub(crate) fn basis(&self) -> Basis {
        let Detection { vulnerability, zone, kind, seen, what, sensor, .. } = &self.state.detection;
        let what_happened = match kind {
            DetectionKind::Attack => "an attack seen",
            DetectionKind::Honeypot => "a honeypot attacked",
            DetectionKind::Incident => "a host taken over",
        };
        let place = zone.as_ref().map_or("in the estate".to_owned(), |zone| format!("in zone {zone}"));
        let faded = match self.state.halved {
            0 => String::new(),
            1 => " (halved once since)".to_owned(),
            times => format!(" (halved {times} times since)"),
        };
        let likely = self.probability;
        Basis {
            fact: format!(
                "{vulnerability}: {what_happened} {place} makes it {likely} likely here{faded}: {what}"
            ),
            source: format!("reported by {sensor}, {}", self.id),
            as_of: Some(*seen),
        }
    }
}

impl Detections {
    /// What was seen of a vulnerability that says most about assets in a zone, or in none that is known.
    pub(crate) fn nearby(&self, about: &VulnerabilityId, zone: Option<&ZoneName>) -> Option<Nearby<'_>> {
        let all = self.standing_about(about).map(|(id, state)| {
            let (in_zone, elsewhere) = state.spreads();
            let same = zone.is_some() && state.detection.zone.as_ref() == zone;
            Nearby { probability: if same { in_zone } else { elsewhere }, id, state }
        });
        all.max_by_key(|nearby| (nearby.probability, Reverse(nearby.id)))
    }
}
