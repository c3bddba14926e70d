//! Detections, as people see them.

use serde::{Deserialize, Serialize};
use tenon_engine::{DetectionState, World};
use tenon_model::{Detection, DetectionEnd, DetectionId};
use utoipa::ToSchema;

/// An attack that a sensor saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetectionView {
    /// `det_...`
    pub id: String,
    /// The vulnerability.
    pub vulnerability: String,
    /// `standing`, `expired` or `dismissed`.
    pub state: String,
    /// `attack` (on an asset; whether it succeeded is not said), `incident` (it succeeded) or `honeypot` (on a decoy, which is none).
    pub kind: String,
    /// The asset: `ast_...`; absent of a honeypot.
    pub asset: Option<String>,
    /// Its name.
    pub host: Option<String>,
    /// The zone in which it was seen; absent where nobody knows.
    pub zone: Option<String>,
    /// How likely it makes exploitation in that zone by now, whatever feeds say, in parts per million.
    pub zone_ppm: u32,
    /// The same everywhere else.
    pub estate_ppm: u32,
    /// When, by the sensor, RFC 3339.
    pub seen: String,
    /// When it was reported, RFC 3339.
    pub reported: String,
    /// When it ends by itself, RFC 3339.
    pub until: String,
    /// What was seen, in the sensor's words.
    pub what: String,
    /// The sensor.
    pub sensor: String,
    /// By what the sensor knows it.
    pub reference: Option<String>,
    /// Who reported it.
    pub by: String,
    /// Open directives that close the vulnerability there; none where it has ended, is not open there, or its risk is accepted.
    pub directives: Vec<String>,
    /// When it ended, RFC 3339.
    pub ended: Option<String>,
    /// Who dismissed it.
    pub ended_by: Option<String>,
    /// Why.
    pub ended_why: Option<String>,
}

impl DetectionView {
    /// A detection of a World.
    pub fn of(world: &World, id: DetectionId, state: &DetectionState) -> Self {
        let Detection { vulnerability, asset, zone, kind, seen, what, reference, sensor, by } =
            &state.detection;
        let (in_zone, in_estate) = state.spreads();
        let (said, ended_by, ended_why) = match &state.ended {
            None => ("standing", None, None),
            Some((_, DetectionEnd::Expired)) => ("expired", None, None),
            Some((_, DetectionEnd::Dismissed { by, why })) => {
                ("dismissed", Some(by.to_string()), Some(why.clone()))
            }
        };
        let answering = match &state.ended {
            None => world.directives_answering(state).iter().map(ToString::to_string).collect(),
            Some(_) => Vec::new(),
        };
        Self {
            id: id.to_string(),
            vulnerability: vulnerability.to_string(),
            state: said.to_owned(),
            kind: kind.name().to_owned(),
            asset: asset.map(|asset| asset.to_string()),
            host: asset.and_then(|asset| Some(world.asset(&asset)?.hostname.clone())),
            zone: zone.as_ref().map(ToString::to_string),
            zone_ppm: if zone.is_some() { in_zone.ppm() } else { 0 },
            estate_ppm: in_estate.ppm(),
            seen: seen.to_string(),
            reported: state.reported.to_string(),
            until: state.until().to_string(),
            what: what.clone(),
            sensor: sensor.clone(),
            reference: reference.clone(),
            by: by.to_string(),
            directives: answering,
            ended: state.ended.as_ref().map(|(at, _)| at.to_string()),
            ended_by,
            ended_why,
        }
    }

    /// Those that count and pass, the last first.
    pub(super) fn standing(world: &World, is: impl Fn(&DetectionState) -> bool) -> Vec<Self> {
        let standing = world.detections().rev().filter(|(_, state)| state.ended.is_none() && is(state));
        standing.take(MAX_LISTED).map(|(id, state)| Self::of(world, id, state)).collect()
    }
}

/// Most that another view lists.
const MAX_LISTED: usize = 20;
