//! Detections: where attacks were seen, and what that leaves to do.
//!
//! ```text
//! a sensor reports --> exploited there, for certain --> the directives that close it there: decision, clock, loss
//!                  --> more likely in its zone, and everywhere, week by week less --> the loss of all that close it
//! a month without another, or a person dismisses it --> as likely again as feeds say
//! ```

mod near;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use tenon_model::{
    AssetId, AssetOrdinal, AssetSet, Detection, DetectionEnd, DetectionId, DetectionKind, DirectiveId, Event,
    Person, Refusal, RefusalCode, Timestamp, VulnerabilityId, ZoneName,
};

use crate::assets::AssetState;
use crate::context::Bearings;
use crate::decide::{refuse, worded};
use crate::directives::DirectiveState;
use crate::life;
use crate::priority::Reasons;
use crate::world::World;
pub(crate) use near::{Nearby, fade};

/// How long a detection counts, in days: as far as the probability of exploitation looks ahead.
pub const DETECTION_DAYS: u32 = 30;
/// Within this time, in days, another attack of the same kind on the same asset tells nothing new: sensors repeat themselves.
const SAME_DAYS: u32 = 1;
/// Longest name and reference of a sensor, in characters.
const MAX_NAME: usize = 200;

/// A detection and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct DetectionState {
    /// What was seen where.
    pub detection: Detection,
    /// The place of its asset in the order of enrolment; `None` of a honeypot.
    #[serde(default)]
    pub asset: Option<AssetOrdinal>,
    /// When it was reported.
    pub reported: Timestamp,
    /// How often what it says of others was halved by now.
    #[serde(default)]
    pub halved: u8,
    /// When and how it ended.
    pub ended: Option<(Timestamp, DetectionEnd)>,
}

impl DetectionState {
    /// One that is reported now.
    pub(crate) fn reported(detection: Detection, asset: Option<AssetOrdinal>, now: Timestamp) -> Self {
        let halved = near::halved_by(detection.seen, now);
        Self { detection, asset, reported: now, halved, ended: None }
    }

    fn place(&self) -> Place {
        Place::of(self.asset, self.detection.zone.as_ref())
    }

    /// When it ends by itself.
    pub fn until(&self) -> Timestamp {
        self.detection.seen.plus_days(DETECTION_DAYS)
    }

    /// Whether it leaves nothing to say for another one at its place.
    fn tells(&self, other: &Detection) -> bool {
        match self.ended {
            // Another sensor may well be right.
            Some((_, DetectionEnd::Dismissed { .. })) => {
                self.detection.sensor == other.sensor && other.seen < self.until()
            }
            // That it succeeded is news.
            _ if other.kind > self.detection.kind => false,
            _ => other.seen < self.detection.seen.plus_days(SAME_DAYS),
        }
    }
}

/// Where something was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// On an asset.
    Asset(AssetOrdinal),
    /// On a honeypot in a zone.
    Zone(ZoneName),
    /// On one of which nobody says where it stands.
    Estate,
}

impl Place {
    /// On an asset, whatever its zone; else on a honeypot.
    fn of(asset: Option<AssetOrdinal>, zone: Option<&ZoneName>) -> Self {
        match (asset, zone) {
            (Some(asset), _) => Self::Asset(asset),
            (None, Some(zone)) => Self::Zone(zone.clone()),
            (None, None) => Self::Estate,
        }
    }
}

/// Detections by place, each place's in the order in which they were reported.
type ByPlace = BTreeMap<Place, Vec<DetectionId>>;

/// All that were ever reported. Its clone is one reference count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Detections(Arc<Known>);

#[derive(Debug, Clone, Default)]
struct Known {
    all: BTreeMap<DetectionId, Arc<DetectionState>>,
    /// Where attacks by a vulnerability were ever seen.
    about: BTreeMap<VulnerabilityId, ByPlace>,
    /// Those of them that count.
    standing: BTreeMap<VulnerabilityId, ByPlace>,
}

impl Serialize for Detections {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Attacks by a vulnerability on assets on which a directive closes it.
#[derive(Debug, Clone)]
pub(crate) struct Attack<'w> {
    pub(crate) vulnerability: &'w VulnerabilityId,
    /// What of the context of these assets bears on priorities, and how many there are of each.
    pub(crate) bearings: Bearings,
    /// The last one on any of them.
    pub(crate) last: &'w Detection,
    /// The name of its asset.
    pub(crate) host: &'w str,
    /// Since when the first of them is known.
    pub(crate) since: Timestamp,
}

impl Detections {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.all.is_empty()
    }

    /// All of them, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (DetectionId, &DetectionState)> {
        self.0.all.iter().map(|(id, state)| (*id, state.as_ref()))
    }

    pub(crate) fn get(&self, id: DetectionId) -> Option<&DetectionState> {
        self.0.all.get(&id).map(Arc::as_ref)
    }

    fn next(&self) -> DetectionId {
        let last = self.0.all.last_key_value().map_or(0, |(id, _)| id.ordinal());
        DetectionId::new(last.saturating_add(1))
    }

    /// Keeps one; also of a snapshot.
    pub(crate) fn keep(&mut self, id: DetectionId, state: DetectionState) {
        let known = Arc::make_mut(&mut self.0);
        let about = &state.detection.vulnerability;
        let mut places = vec![&mut known.about];
        if state.ended.is_none() {
            places.push(&mut known.standing);
        }
        for place in places {
            place.entry(about.clone()).or_default().entry(state.place()).or_default().push(id);
        }
        known.all.insert(id, Arc::new(state));
    }

    /// One ended.
    pub(crate) fn end(&mut self, id: DetectionId, end: &DetectionEnd, now: Timestamp) -> Option<()> {
        let known = Arc::make_mut(&mut self.0);
        let state = Arc::make_mut(known.all.get_mut(&id)?);
        state.ended = Some((now, end.clone()));
        let about = &state.detection.vulnerability;
        let by_place = known.standing.get_mut(about)?;
        by_place.get_mut(&state.place())?.retain(|other| *other != id);
        by_place.retain(|_, ids| !ids.is_empty());
        if by_place.is_empty() {
            known.standing.remove(about);
        }
        Some(())
    }

    /// What one says of others was halved so often by now.
    pub(crate) fn fade(&mut self, id: DetectionId, halved: u8) -> Option<()> {
        let known = Arc::make_mut(&mut self.0);
        Arc::make_mut(known.all.get_mut(&id)?).halved = halved;
        Some(())
    }

    /// Those about a vulnerability at a place, also those that have ended.
    fn at<'d>(
        &'d self,
        about: &VulnerabilityId,
        place: &Place,
    ) -> impl Iterator<Item = (DetectionId, &'d DetectionState)> {
        let ids = self.0.about.get(about).and_then(|by_place| by_place.get(place)).into_iter().flatten();
        ids.filter_map(|id| Some((*id, self.get(*id)?)))
    }

    /// Whether any counts at all.
    pub(crate) fn any_stands(&self) -> bool {
        !self.0.standing.is_empty()
    }

    /// Those that count, by vulnerability and place.
    fn standing(&self) -> impl Iterator<Item = (DetectionId, &DetectionState)> {
        let ids = self.0.standing.values().flat_map(BTreeMap::values).flatten();
        ids.filter_map(|id| Some((*id, self.get(*id)?)))
    }

    /// Those about a vulnerability that count.
    fn standing_about(
        &self,
        about: &VulnerabilityId,
    ) -> impl Iterator<Item = (DetectionId, &DetectionState)> {
        let ids = self.0.standing.get(about).into_iter().flat_map(BTreeMap::values).flatten();
        ids.filter_map(|id| Some((*id, self.get(*id)?)))
    }

    /// Whether attacks by any of these were seen on any asset, and count.
    pub(crate) fn bear_on<'v>(&self, mut ids: impl Iterator<Item = &'v VulnerabilityId>) -> bool {
        self.any_stands() && ids.any(|id| self.0.standing.contains_key(id))
    }

    /// Those that say nothing any more.
    fn expired(&self, now: Timestamp) -> impl Iterator<Item = DetectionId> {
        self.standing().filter(move |(_, state)| state.until() <= now).map(|(id, _)| id)
    }
}

impl World {
    /// All detections that were ever reported, oldest first.
    pub fn detections(&self) -> impl DoubleEndedIterator<Item = (DetectionId, &DetectionState)> {
        self.detections.iter()
    }

    /// One detection.
    pub fn detection(&self, id: DetectionId) -> Option<&DetectionState> {
        self.detections.get(id)
    }

    /// Whether there is a zone of this name: the context states it, or hosts stand in it.
    fn names_zone(&self, zone: &ZoneName) -> bool {
        let stated = self.context.as_ref().is_some_and(|known| known.document.zones.contains_key(zone));
        stated || !self.assets.in_zone(zone).is_empty()
    }

    /// The hosts that go by a name or an address, whatever the name's case; not those that are retired.
    pub fn assets_called(&self, named: &str) -> Vec<AssetId> {
        let address: Option<IpAddr> = named.parse().ok();
        let is = |asset: &AssetState| match address {
            Some(address) => asset.addresses.contains(&address),
            None => asset.hostname.eq_ignore_ascii_case(named),
        };
        self.live_assets().filter(|(_, asset)| is(asset)).map(|(id, _)| *id).collect()
    }

    /// The detection that leaves this one nothing to say.
    pub fn detection_like(&self, other: &Detection) -> Option<DetectionId> {
        let asset = match &other.asset {
            Some(asset) => Some(self.ordinal(asset)?),
            None => None,
        };
        let place = Place::of(asset, other.zone.as_ref());
        let mut there = self.detections.at(&other.vulnerability, &place);
        there.find(|(_, state)| state.tells(other)).map(|(id, _)| id)
    }

    /// Attacks by any of these vulnerabilities on assets on which it is to be closed.
    pub(crate) fn attacks<'w>(
        &'w self,
        ids: impl Iterator<Item = &'w VulnerabilityId>,
        closing: impl Fn(&VulnerabilityId) -> AssetSet,
    ) -> Vec<Attack<'w>> {
        if !self.detections.any_stands() {
            return Vec::new();
        }
        let attack = |vulnerability: &'w VulnerabilityId| {
            let mut seen = self.detections.standing_about(vulnerability).peekable();
            seen.peek()?;
            let to_close = closing(vulnerability);
            let on_assets = seen.filter_map(|(_, state)| Some((state.asset?, state)));
            let there: Vec<(AssetOrdinal, &DetectionState)> =
                on_assets.filter(|(asset, _)| to_close.contains(*asset)).collect();
            let (host, last) = there.iter().max_by_key(|(_, state)| state.detection.seen)?;
            let assets: AssetSet = there.iter().map(|(asset, _)| *asset).collect();
            Some(Attack {
                vulnerability,
                bearings: self.assets.bearings(&assets),
                last: &last.detection,
                host: self.asset_at(*host).map_or("", |asset| asset.hostname.as_str()),
                since: there.iter().map(|(_, state)| state.reported).min()?,
            })
        };
        ids.filter_map(attack).collect()
    }

    /// The assets of a directive on which attacks by what it closes there were seen.
    pub fn attacked(&self, state: &DirectiveState) -> AssetSet {
        let directive = &state.directive;
        let ids = directive.closes.iter().chain(&directive.claims);
        if !self.detections.any_stands() {
            return AssetSet::default();
        }
        let seen = ids.flat_map(|id| self.detections.standing_about(id));
        let on = seen.filter_map(|(_, seen)| Some((seen.asset?, &seen.detection.vulnerability)));
        on.filter(|(asset, about)| state.is_wanted_for(about, *asset)).map(|(asset, _)| asset).collect()
    }

    /// The open directives that answer a detection: where it was seen; everywhere, where that was on a honeypot.
    pub fn directives_answering(&self, state: &DetectionState) -> Vec<DirectiveId> {
        let about = &state.detection.vulnerability;
        match state.asset {
            Some(asset) => self.directives_closing(about, asset).collect(),
            None => self.directives_about(about).collect(),
        }
    }

    /// The open directives that close a vulnerability anywhere, or whose changelog claims to.
    pub(crate) fn directives_about<'w>(
        &'w self,
        about: &'w VulnerabilityId,
    ) -> impl Iterator<Item = DirectiveId> + 'w {
        let named = move |state: &DirectiveState| {
            Reasons::from(&state.directive).counted().any(|other| other == about)
        };
        self.open_directives().filter(move |(_, state)| named(state)).map(|(id, _)| id)
    }

    /// The open directives that close on an asset what attacks on it use.
    pub(crate) fn directives_of_attacks_on(&self, asset: AssetOrdinal) -> Vec<DirectiveId> {
        let place = Place::Asset(asset);
        let standing = self.detections.0.standing.iter().filter(|(_, at)| at.contains_key(&place));
        standing.flat_map(|(about, _)| self.directives_closing(about, asset)).collect()
    }

    /// The open directives that close a vulnerability on an asset, or whose changelog claims to.
    pub(crate) fn directives_closing<'w>(
        &'w self,
        about: &'w VulnerabilityId,
        asset: AssetOrdinal,
    ) -> impl Iterator<Item = DirectiveId> + 'w {
        let closing = self.open_directives().filter(move |(_, state)| state.is_wanted_for(about, asset));
        closing.map(|(id, _)| id)
    }
}

/// What follows from the report of a sensor, or why it is refused. What is known already is refused as nothing to do.
pub(crate) fn report(world: &World, mut detection: Detection, now: Timestamp) -> Result<Event, Refusal> {
    let bad = |message: &str| refuse(RefusalCode::BadContent, message.to_owned());
    match (detection.kind, &detection.asset) {
        (DetectionKind::Honeypot, Some(_)) => {
            return bad("a honeypot is no host of the estate: say in which zone it stands, or nothing");
        }
        (DetectionKind::Honeypot, None) => {
            if let Some(zone) = detection.zone.as_ref().filter(|zone| !world.names_zone(zone)) {
                return bad(&format!("no zone is called {zone}: name one of `tenon context show`"));
            }
        }
        (DetectionKind::Attack | DetectionKind::Incident, None) => {
            return bad("say on which host it was seen; a honeypot alone needs none");
        }
        (DetectionKind::Attack | DetectionKind::Incident, Some(asset)) => {
            life::enrolled(world, asset)?;
            let zone = world.asset(asset).and_then(|state| state.zone.as_deref());
            detection.zone = zone.cloned();
        }
    }
    let Detection { what, sensor, reference, .. } = &mut detection;
    worded("a detection needs to say what was seen: a text", what)?;
    worded("a detection needs to name its sensor: a text", sensor)?;
    for text in [Some(&mut *sensor), reference.as_mut()].into_iter().flatten() {
        if text.chars().count() > MAX_NAME {
            let message = format!("sensors and their references are named in up to {MAX_NAME} characters");
            return refuse(RefusalCode::BadContent, message);
        }
    }
    // Alerts quote what attackers sent, and are shown in terminals.
    for text in [Some(what), Some(sensor), reference.as_mut()].into_iter().flatten() {
        *text = text.chars().map(|c| if misleads(c) { ' ' } else { c }).collect();
    }
    // A sensor's clock may be ahead.
    detection.seen = detection.seen.min(now);
    if detection.seen.plus_days(DETECTION_DAYS) <= now {
        let message = format!(
            "an attack seen at {} says nothing about now: only the last {DETECTION_DAYS} days count",
            detection.seen
        );
        return refuse(RefusalCode::BadContent, message);
    }
    if let Some(known) = world.detection_like(&detection) {
        return refuse(RefusalCode::NothingToDo, format!("{known} tells of it already"));
    }
    Ok(Event::DetectionReported { id: world.detections.next(), detection: Box::new(detection) })
}

/// Whether a character moves the cursor, or turns the direction of what is read (Unicode UAX #9, explicit formatting).
fn misleads(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What follows where a person finds that a detection was none: all that the same sensor said of the same attack at this place
/// ends with it.
pub(crate) fn dismiss(world: &World, id: DetectionId, by: &Person, why: &str) -> Result<Vec<Event>, Refusal> {
    let Some(state) = world.detection(id).filter(|state| state.ended.is_none()) else {
        return refuse(RefusalCode::UnknownDetection, format!("{id} is unknown or has ended"));
    };
    worded("to dismiss a detection needs a reason", why)?;
    let Detection { vulnerability, sensor, .. } = &state.detection;
    let place = state.place();
    let alike = world.detections.at(vulnerability, &place);
    let alike = alike.filter(|(_, other)| other.ended.is_none() && other.detection.sensor == *sensor);
    let end = DetectionEnd::Dismissed { by: by.clone(), why: why.to_owned() };
    Ok(alike.map(|(id, _)| Event::DetectionEnded { id, end: end.clone() }).collect())
}

/// The detections that say nothing any more.
pub(crate) fn expire(world: &World, now: Timestamp) -> Vec<Event> {
    let expired = world.detections.expired(now);
    expired.map(|id| Event::DetectionEnded { id, end: DetectionEnd::Expired }).collect()
}
