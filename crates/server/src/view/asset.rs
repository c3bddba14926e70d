//! An asset as people see it.

use serde::{Deserialize, Serialize};
use tenon_engine::{AssetState, Finding, FindingState, Retired, World, findings, tally};
use tenon_model::{AssetContext, AssetId, Capability, OfferState, Retirement};
use utoipa::ToSchema;

use super::{AskedView, ControlView, DetectionView, PackageView, SaidView, mode, text};

/// An asset in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetView {
    /// Its id.
    pub id: String,
    /// The name it goes by.
    pub hostname: String,
    /// Its group.
    pub group: String,
    /// `observe` or `act`.
    pub mode: String,
    /// The operating system's own name.
    pub os: Option<String>,
    /// Installed packages.
    pub packages: u64,
    /// Open findings.
    pub findings: u64,
    /// Packages for which its own repositories offer a security update.
    pub security_updates: u64,
    /// What people state about it.
    pub context: ContextView,
    /// Running kernel release.
    pub kernel: Option<String>,
    /// Why the agent cannot act, where it cannot.
    pub observe_only: Option<String>,
    /// The signatures of people that it asks for before a change; absent where it asks for none.
    pub approval: Option<AskedView>,
    /// Other updaters at work on this host.
    pub updaters: Vec<String>,
    /// Packages that ask for a reboot.
    pub reboot_required_by: Vec<String>,
    /// Why it is not, or not wholly, assessed. Never read it as "not vulnerable".
    pub not_assessed: Vec<String>,
    /// What its agent could not find out.
    pub gaps: Vec<String>,
    /// When it last reported, RFC 3339.
    pub reported: Option<String>,
    /// The order that is out.
    pub order: Option<String>,
    /// The asset that stood on its machine before.
    pub replaces: Option<String>,
    /// Since when and why it counts nowhere; absent while it does.
    pub retired: Option<RetiredView>,
    /// Two hosts report under its key: what is shown is of one of them, and nothing is ordered.
    pub cloned: bool,
}

/// A retired asset counts nowhere, until it reports again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetiredView {
    /// Since when, RFC 3339.
    pub at: String,
    /// `by-person`, `superseded` or `silent`.
    pub reason: String,
    /// Who said so, where a person did.
    pub by: Option<String>,
    /// The asset that took its place, where one did.
    pub superseded_by: Option<String>,
    /// The same in words.
    pub said: String,
}

impl RetiredView {
    fn of(world: &World, retired: &Retired) -> Self {
        let (reason, by, superseded_by) = match &retired.why {
            Retirement::ByPerson { by, .. } => ("by-person", Some(by.to_string()), None),
            Retirement::Superseded { by } => ("superseded", None, Some(by.to_string())),
            Retirement::Silent { .. } => ("silent", None, None),
        };
        let said = crate::log::retired(world, &retired.why);
        Self { at: retired.at.to_string(), reason: reason.to_owned(), by, superseded_by, said }
    }
}

/// What people state about an asset; absent is what nobody states.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextView {
    /// Who can reach it: `small`, `controlled` or `open` (SSVC System Exposure).
    pub exposure: Option<String>,
    /// What its failure would do to people and mission: `low`, `medium`, `high` or `very high` (SSVC Human Impact).
    pub human_impact: Option<String>,
    /// How far essential functions and public well-being depend on it: `low`, `medium` or `high` (CISA).
    pub mission: Option<String>,
}

impl ContextView {
    pub(crate) fn of(context: &AssetContext) -> Self {
        Self {
            exposure: context.exposure.map(|value| value.to_string()),
            human_impact: context.human_impact.map(|value| value.to_string()),
            mission: context.mission.map(|value| value.to_string()),
        }
    }
}

/// An asset with its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetDetail {
    /// The line.
    #[serde(flatten)]
    pub asset: AssetView,
    /// Everything that is said of it: by hand, in the context document, by the inventory.
    pub said: Vec<SaidView>,
    /// Security updates that its own repositories offer.
    pub offers: Vec<PackageView>,
    /// Open findings.
    pub open: Vec<FindingView>,
    /// Findings that a supplier's statement takes off the list.
    pub suppressed: Vec<SuppressedView>,
    /// Findings whose risk somebody accepts here.
    pub accepted: Vec<AcceptedView>,
    /// The controls that stand before it.
    pub controls: Vec<ControlView>,
    /// Attacks that were seen on it and count, the last first.
    pub attacks: Vec<DetectionView>,
}

/// A finding whose risk somebody accepts on this asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AcceptedView {
    /// The finding.
    #[serde(flatten)]
    pub finding: FindingView,
    /// The exception: `exc_...`.
    pub exception: String,
    /// Until when, RFC 3339.
    pub until: String,
    /// Who answers for the risk.
    pub owner: String,
    /// What stands against it meanwhile.
    pub control: String,
}

/// A finding that a supplier's statement (VEX) takes off the list. The statement is a claim of its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuppressedView {
    /// The finding.
    #[serde(flatten)]
    pub finding: FindingView,
    /// What is stated.
    pub reason: String,
    /// Who states it.
    pub author: String,
    /// When it was known to be true, RFC 3339.
    pub made: String,
}

/// One vulnerability on one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    /// The vulnerability.
    pub vulnerability: String,
    /// The advisory that says so.
    pub advisory: String,
    /// Source package.
    pub source: String,
    /// Installed source version.
    pub installed: String,
    /// The version that fixes it, when one is published.
    pub fixed: Option<String>,
    /// Where it stands.
    pub state: FindingStateView,
    /// The same in words.
    pub said: String,
    /// Since when it is open, as far as Tenon knows.
    pub opened: String,
}

/// Where a finding stands on its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingStateView {
    /// The host's own repositories offer a fixed version.
    FixOffered,
    /// It is kept back by a hold.
    FixHeld,
    /// It is offered in phases, and this host's turn has not come.
    FixPhased,
    /// It is kept back by pins or dependencies.
    FixKeptBack,
    /// The advisory names a fix; what the host is offered is not known.
    FixPublished,
    /// The host's package index is missing or too old to say whether it is offered.
    IndexStale,
    /// The host's repositories do not offer it.
    FixNotOffered,
    /// No fix is published.
    NoFix,
    /// A kernel that is installed and does not run.
    NotRunning,
    /// A fixed kernel is installed; the running one is still vulnerable.
    RebootPending,
}

/// A state, and in words.
pub(super) fn stated(state: FindingState) -> (FindingStateView, String) {
    use FindingStateView as View;
    match state {
        FindingState::FixOffered { candidate } => (View::FixOffered, format!("fix offered: {candidate}")),
        FindingState::FixHeld { candidate } => {
            (View::FixHeld, format!("fix offered, kept back by a hold: {candidate}"))
        }
        FindingState::FixPhased { candidate } => {
            (View::FixPhased, format!("fix offered in phases, not yet to this host: {candidate}"))
        }
        FindingState::FixKeptBack { candidate } => {
            (View::FixKeptBack, format!("fix kept back by pins or dependencies: {candidate}"))
        }
        FindingState::FixPublished { version } => {
            (View::FixPublished, format!("fixed in {version}; what this host is offered is not known"))
        }
        FindingState::IndexStale => {
            (View::IndexStale, "fixed upstream; this host's package index is too old to tell".to_owned())
        }
        FindingState::FixNotOffered => {
            (View::FixNotOffered, "fixed upstream, not offered to this host".to_owned())
        }
        FindingState::NoFix => (View::NoFix, "no fix published".to_owned()),
        FindingState::NotRunning => (View::NotRunning, "installed kernel, not the running one".to_owned()),
        FindingState::RebootPending => {
            (View::RebootPending, "fixed kernel installed, reboot pending".to_owned())
        }
    }
}

/// Why the agent of an asset cannot act, where it cannot.
pub(super) fn observe_only(asset: &AssetState) -> Option<String> {
    match &asset.profile()?.capability {
        Capability::Act => None,
        Capability::ObserveOnly { reason } => Some(reason.clone()),
    }
}

impl AssetView {
    pub(crate) fn of(world: &World, id: &AssetId, asset: &AssetState) -> Self {
        let (open, not_assessed) = tally(world, asset);
        Self::counted(world, id, asset, open, not_assessed)
    }

    fn counted(
        world: &World,
        id: &AssetId,
        asset: &AssetState,
        open: u64,
        not_assessed: Vec<String>,
    ) -> Self {
        let facts = asset.profile();
        let offers = world.offers_of(asset).unwrap_or_default();
        Self {
            id: id.to_string(),
            hostname: asset.hostname.clone(),
            group: asset.group.to_string(),
            mode: mode(world, &asset.group).to_owned(),
            os: facts.map(|facts| facts.os.pretty_name.clone()),
            packages: world.component_count(asset),
            findings: open,
            security_updates: offers.iter().filter(|offer| offer.security).count() as u64,
            context: ContextView::of(&asset.context),
            kernel: facts.map(|facts| facts.kernel.running.clone()),
            observe_only: observe_only(asset),
            approval: facts.and_then(|facts| AskedView::of(&facts.approval)),
            updaters: facts
                .map_or(Vec::new(), |facts| facts.updaters.iter().map(|u| u.name.clone()).collect()),
            reboot_required_by: facts.map_or(Vec::new(), |facts| facts.reboot_required_by.clone()),
            not_assessed,
            gaps: facts.map_or(Vec::new(), |facts| facts.gaps.clone()),
            reported: text(asset.reported.map(|(_, time)| time)),
            order: asset.outstanding.map(|order| order.to_string()),
            replaces: asset.replaces.map(|before| before.to_string()),
            retired: asset.retired.as_deref().map(|retired| RetiredView::of(world, retired)),
            cloned: asset.runs.is_cloned(),
        }
    }
}

impl AssetDetail {
    /// One asset of a World; `None` where it is not enrolled.
    pub fn of(world: &World, id: &AssetId) -> Option<Self> {
        let asset = world.asset(id)?;
        let security = world.offers_of(asset).unwrap_or_default().into_iter();
        let security = security.filter(|offer| offer.security && offer.state == OfferState::Offered);
        let offers = security
            .map(|offer| PackageView {
                package: offer.package,
                architecture: offer.architecture,
                from: offer.installed,
                to: offer.candidate,
            })
            .collect();
        let assessment = findings(world, asset);
        let view =
            AssetView::counted(world, id, asset, assessment.findings.len() as u64, assessment.not_assessed);
        let open = assessment.findings.into_iter().map(FindingView::of);
        let suppressed = assessment.suppressed.into_iter().map(|(finding, vex)| SuppressedView {
            finding: FindingView::of(finding),
            reason: vex.reason,
            author: vex.author,
            made: vex.made.to_string(),
        });
        let accepted = assessment.accepted.into_iter().filter_map(|(finding, id)| {
            let exception = &world.exception(id)?.exception;
            Some(AcceptedView {
                finding: FindingView::of(finding),
                exception: id.to_string(),
                until: exception.until.to_string(),
                owner: exception.owner.to_string(),
                control: exception.control.clone(),
            })
        });
        let (open, suppressed, accepted) = (open.collect(), suppressed.collect(), accepted.collect());
        let attacks = DetectionView::standing(world, |state| state.detection.asset == Some(asset.id));
        let controls = world.controls_before(asset).map(|(id, state)| ControlView::of(world, id, state));
        let (controls, said) = (controls.collect(), SaidView::of(world, asset));
        Some(Self { asset: view, said, offers, open, suppressed, accepted, controls, attacks })
    }
}

impl FindingView {
    pub(super) fn of(finding: Finding) -> Self {
        let (state, said) = stated(finding.state);
        Self {
            vulnerability: finding.vulnerability.to_string(),
            advisory: finding.advisory.to_string(),
            source: finding.source.name,
            installed: finding.source.version,
            fixed: finding.fixed,
            state,
            said,
            opened: finding.opened.to_string(),
        }
    }
}
