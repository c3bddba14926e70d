//! An event as a sentence.

use tenon_engine::World;
use tenon_model::{
    ApplyOutcome, AssetId, Control, ControlEnd, Detection, DetectionEnd, DetectionKind, DirectiveChange,
    DirectiveId, Event, ExceptionEnd, IntelSource, Members, NoteKind, OrderAction, OrderId, Outcome, Person,
    ReachMove, RehearsalOutcome, Retirement, Rules, Timestamp, Wants,
};
use tenon_risk::regulation::Regulations;

/// The person behind it.
pub(super) fn by(event: &Event) -> Option<&Person> {
    match event {
        Event::TokenIssued { by, .. }
        | Event::ContextSet { by, .. }
        | Event::ContextTakenOver { by, .. }
        | Event::VexStated { by, .. }
        | Event::ExceptionEnded { end: ExceptionEnd::Revoked { by, .. }, .. }
        | Event::RulesSet { by, .. }
        | Event::GroupPromoted { by, .. }
        | Event::GroupDemoted { by, .. }
        | Event::PolicySet { by, .. }
        | Event::ApprovalGiven { by, .. }
        | Event::DirectiveApproved { by, .. }
        | Event::ChangesSigned { by, .. }
        | Event::TempoSet { by, .. }
        | Event::RolloutHalted { by: Some(by), .. }
        | Event::RolloutResumed { by, .. }
        | Event::DirectiveNoted { by, .. }
        | Event::DirectiveAssigned { by: Some(by), .. }
        | Event::EvidenceWaived { by, .. }
        | Event::RetryRequested { by, .. } => Some(by),
        Event::DetectionEnded { end: DetectionEnd::Dismissed { by, .. }, .. } => Some(by),
        Event::ExceptionGranted { exception, .. } => Some(&exception.by),
        Event::ControlRecorded { control, .. } => Some(&control.by),
        Event::ControlEnded { end: ControlEnd::Withdrawn { by, .. }, .. } => Some(by),
        Event::DetectionReported { detection, .. } => Some(&detection.by),
        Event::AssetRetired { why: Retirement::ByPerson { by, .. }, .. }
        | Event::DirectiveClosed { outcome: Outcome::Refused { by, .. }, .. } => Some(by),
        _ => None,
    }
}

/// Most vulnerabilities of a control that are named.
const MAX_NAMED: usize = 3;

/// What a control stands against.
fn stands_against(control: &Control) -> String {
    let vectors: Vec<&str> = control.vectors.iter().map(|vector| vector.as_str()).collect();
    let named: Vec<String> =
        control.vulnerabilities.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    match control.vulnerabilities.len().checked_sub(named.len()) {
        _ if named.is_empty() => format!("{} attacks", vectors.join(", ")),
        Some(more) if more > 0 => format!("{} and {more} more", named.join(", ")),
        _ => named.join(", "),
    }
}

/// What happened.
pub(crate) fn said(event: &Event, world: &World) -> String {
    let host = |asset: &AssetId| host(world, asset);
    match event {
        Event::TermBegan { term } => format!("Tenon started, term {term}"),
        Event::AdvisoriesChanged { feed, published, withdrawn, as_of, .. } => {
            format!("feed {feed}: {published} new or changed, {withdrawn} withdrawn{}", of(*as_of))
        }
        Event::IntelChanged { source, changed, as_of, .. } => {
            let source = match source {
                IntelSource::Kev => "KEV",
                IntelSource::Epss => "EPSS",
                IntelSource::Profile => "CVE records and exploits",
                IntelSource::Forecast => "forecasts",
            };
            let changed = match changed {
                1 => "1 vulnerability".to_owned(),
                many => format!("{many} vulnerabilities"),
            };
            format!("{source}: {changed} changed{}", of(*as_of))
        }
        Event::ReachAssessed { zones, most, .. } => {
            let most = most.as_ref().map(|ReachMove { zone, before, now }| {
                let before = before.map(|before| format!(", before {before}")).unwrap_or_default();
                format!("; into {zone} with at most {now} within 30 days{before}")
            });
            let zones = if *zones == 1 { "1 zone".to_owned() } else { format!("{zones} zones") };
            format!("attackers get otherwise into {zones}{}", most.unwrap_or_default())
        }
        Event::TokenIssued { token, group, expires, .. } => {
            format!("enrolment token {token} made for group {group}, good until {expires}")
        }
        Event::AssetEnrolled { asset, hostname, group, replaces, .. } => {
            let instead =
                replaces.map(|before| format!(", in place of {}", host(&before))).unwrap_or_default();
            format!("{hostname} ({asset}) enrolled in group {group}{instead}")
        }
        Event::AssetRetired { asset, why } => format!("{} retired: {}", host(asset), retired(world, why)),
        Event::AssetReturned { asset } => format!("{} was retired and reports again", host(asset)),
        Event::AssetRenamed { asset, hostname } => format!("{asset} goes by the name {hostname}"),
        Event::AgentStarted { asset, .. } => format!("agent of {} started", host(asset)),
        Event::CloneSeen { asset, run } => {
            format!("{run}, which another replaced, speaks again for {}", host(asset))
        }
        Event::CloneGone { asset } => format!("only one host speaks for {} again", host(asset)),
        Event::ContextSet { asset, .. } => format!("context of {} stated", host(asset)),
        Event::ContextTakenOver { version, .. } => format!("context document {version} taken over"),
        Event::VexStated { document, count, .. } => {
            format!("supplier's document {document}: {count} statements count")
        }
        Event::ExceptionGranted { id, exception } => format!(
            "{id}: the risk of {} is accepted on {} until {}, {} answers for it; against it: {}; because: {}",
            exception.vulnerability,
            assets_of(exception.assets.len()),
            exception.until,
            exception.owner,
            exception.control,
            exception.why
        ),
        Event::ExceptionEnded { id, end } => {
            let about = world.exception(*id).map(|state| format!(" ({})", state.exception.vulnerability));
            let how = match end {
                ExceptionEnd::Expired => "its time is up".to_owned(),
                ExceptionEnd::Revoked { why, .. } => format!("taken back: {why}"),
            };
            format!("{id}{} has ended: {how}", about.unwrap_or_default())
        }
        Event::ControlRecorded { id, control } => format!(
            "{id}: a control ({}) stands before {} until {} against {}, lets {} through, {} answers for it: {}",
            control.kind,
            assets_of(control.assets.len()),
            control.until,
            stands_against(control),
            control.leaves,
            control.owner,
            control.what
        ),
        Event::ControlEnded { id, end } => {
            let about = world.control(*id).map(|state| format!(" ({})", stands_against(&state.control)));
            let how = match end {
                ControlEnd::Expired => "its time is up".to_owned(),
                ControlEnd::Withdrawn { why, .. } => format!("it does not stand any more: {why}"),
            };
            format!("{id}{} has ended: {how}", about.unwrap_or_default())
        }
        Event::DetectionReported { id, detection } => {
            let Detection { vulnerability, kind, sensor, seen, what, .. } = detection.as_ref();
            let happened = match kind {
                DetectionKind::Attack | DetectionKind::Honeypot => "an attack",
                DetectionKind::Incident => "a host taken over",
            };
            let place = seen_where(world, detection);
            format!("{id}: {sensor} saw {happened} by {vulnerability} {place} at {seen}: {what}")
        }
        Event::DetectionFaded { id, halved } => {
            let about = world.detection(*id).map(|state| &state.detection);
            let about = about.map(|about| format!(" ({} {})", about.vulnerability, seen_where(world, about)));
            format!("what {id}{} says of others is halved, {halved} times by now", about.unwrap_or_default())
        }
        Event::DetectionEnded { id, end } => {
            let about = world.detection(*id).map(|state| &state.detection);
            let about = about.map(|about| format!(" ({} {})", about.vulnerability, seen_where(world, about)));
            let how = match end {
                DetectionEnd::Expired => "it says nothing any more about what happens now".to_owned(),
                DetectionEnd::Dismissed { why, .. } => format!("dismissed: {why}"),
            };
            format!("{id}{} counts no more: {how}", about.unwrap_or_default())
        }
        Event::RulesSet { rules, .. } => chosen(rules),
        Event::InventoryReported { asset, sequence, .. } => {
            format!("{} reported its inventory, report {sequence}", host(asset))
        }
        Event::InventoryChanged { asset, sequence, delta } => {
            let (came, went) = (delta.added.len(), delta.removed.len());
            let packages = if came == 1 { "package" } else { "packages" };
            format!(
                "{} reported what changed, report {sequence}: {came} {packages} came, {went} went",
                host(asset)
            )
        }
        Event::GroupPromoted { group, .. } => format!("group {group} promoted: its agents may act"),
        Event::GroupDemoted { group, .. } => format!("group {group} demoted: its agents only observe"),
        Event::DirectiveRaised { id, directive, wants } => {
            let assets = count(wants) + directive.assets.len() as u64;
            format!(
                "{id} raised: {} on {}{}",
                directive.action,
                assets_of(assets),
                due(directive.priority.due)
            )
        }
        Event::DirectiveChanged { id, change } => format!("{}: {}", named(world, id), changed(change)),
        Event::DirectiveRevised { id, directive } => {
            let assets = directive.assets.len() as u64;
            format!("{id}: now {} on {}", directive.action, assets_of(assets))
        }
        Event::DirectiveClosed { id, outcome } => format!("{} closed: {}", named(world, id), ended(outcome)),
        Event::OrderIssued { order } => {
            let what = match &order.action {
                OrderAction::Rehearse { .. } => "rehearse",
                OrderAction::PreserveEvidence { .. } => "preserve evidence for",
                OrderAction::Apply { .. } => "apply",
            };
            format!("{} ordered to {what} {}", host(&order.asset), named(world, &order.directive))
        }
        Event::RehearsalRecorded { order, outcome, .. } => {
            format!("rehearsal {}: {}", ordered(world, order), rehearsed(outcome))
        }
        Event::PolicySet { version, policy, .. } => format!("policy version {version} ({policy}) set"),
        Event::ApprovalGiven { id, rehearsals, evidence_waived, .. } => {
            let waived =
                evidence_waived.as_ref().map(|why| format!("; evidence waived: {why}")).unwrap_or_default();
            format!(
                "{} approved on {} by one of several people whom the policy asks for{waived}",
                named(world, id),
                assets_of(rehearsals.len() as u64)
            )
        }
        Event::ApprovedByPolicy { id, version, rule, rehearsals, .. } => {
            format!(
                "{} approved by policy, rule {rule} of version {version}, on {}",
                named(world, id),
                assets_of(rehearsals.len() as u64)
            )
        }
        Event::DirectiveApproved { id, rehearsals, evidence_waived, .. } => {
            let waived =
                evidence_waived.as_ref().map(|why| format!("; evidence waived: {why}")).unwrap_or_default();
            format!("{} approved on {}{waived}", named(world, id), assets_of(rehearsals.len() as u64))
        }
        Event::ChangesSigned { id, key, leaves, .. } => {
            format!("{} signed with {key} for {}", named(world, id), assets_of(leaves.len() as u64))
        }
        Event::HistoryCut { base } => format!(
            "what was recorded before entry {} ({}) is let go, history is kept for {} days",
            base.seq, base.time, base.days
        ),
        Event::TempoSet { tempo, .. } => format!("rollouts are {tempo} from the next plan on"),
        Event::RolloutPlanned { id, plan } => {
            let held: u64 = plan.held_back.iter().map(|held| held.assets.len()).sum();
            let held = if held == 0 { String::new() } else { format!(", {} held back", assets_of(held)) };
            format!("{} planned in {} waves, {}{held}", named(world, id), plan.waves.len(), plan.tempo)
        }
        Event::WaveBegan { id, wave } => format!("{}: wave {} begins", named(world, id), wave + 1),
        Event::WaveEnded { id, wave, failed } => {
            format!("{}: wave {} ended, {failed} failed", named(world, id), wave + 1)
        }
        Event::RolloutHalted { id, why, .. } => format!("rollout of {} halted: {why}", named(world, id)),
        Event::DirectiveNoted { id, kind, text, .. } => {
            let did = match kind {
                NoteKind::Comment => "noted",
                NoteKind::Dispute => "disputed",
                NoteKind::Answer => "answered",
            };
            format!("{} {did}: {text}", named(world, id))
        }
        Event::DirectiveAssigned { id, to, by } => {
            let what = named(world, id);
            match (to, by) {
                (Some(to), Some(by)) if to == by => format!("{what} taken by {to}"),
                (Some(to), Some(_)) => format!("{what} given to {to}"),
                (Some(to), None) => format!("{what} stays with {to}, who did what it supersedes"),
                (None, _) => format!("{what} given back: nobody does it"),
            }
        }
        Event::RolloutResumed { id, .. } => format!("rollout of {} resumed", named(world, id)),
        Event::RetryRequested { id, asset, .. } => {
            format!("{} to be tried again on {}", named(world, id), host(asset))
        }
        Event::EvidenceSealed { order, document, bytes, gaps } => {
            let gaps: Vec<&str> = gaps.iter().map(|part| part.as_str()).collect();
            let gaps = if gaps.is_empty() { String::new() } else { format!("; gaps: {}", gaps.join(", ")) };
            format!("evidence sealed {}: {document}, {bytes} bytes{gaps}", ordered(world, order))
        }
        Event::EvidenceMissed { order, reason } => {
            format!("evidence missed {}: {reason}", ordered(world, order))
        }
        Event::EvidenceWaived { id, assets, why, .. } => {
            format!("evidence waived of {} for {}: {why}", assets_of(assets.len() as u64), named(world, id))
        }
        Event::ApplyRecorded { order, outcome, .. } => {
            format!("change {}: {}", ordered(world, order), applied(outcome))
        }
        Event::AssetVerified { id, asset, sequence } => {
            format!("{} verified on {} by report {sequence}", named(world, id), host(asset))
        }
        Event::OrderExpired { order } => format!("no answer in time {}", ordered(world, order)),
    }
}

/// Why an asset counts nowhere.
pub(crate) fn retired(world: &World, why: &Retirement) -> String {
    match why {
        Retirement::ByPerson { why, .. } => why.clone(),
        Retirement::Superseded { by } => {
            format!("its machine was installed anew and is {} ({by}) now", host(world, by))
        }
        Retirement::Silent { rule, version } => {
            format!("silent for as long as rule {rule} of policy version {version} gives it")
        }
    }
}

/// A host by the name it goes by.
fn host(world: &World, asset: &AssetId) -> String {
    world.asset(asset).map_or_else(|| asset.to_string(), |state| state.hostname.clone())
}

/// Where it was seen, in words.
fn seen_where(world: &World, Detection { asset, zone, .. }: &Detection) -> String {
    match (asset, zone) {
        (Some(asset), _) => format!("on {}", host(world, asset)),
        (None, Some(zone)) => format!("on a honeypot in zone {zone}"),
        (None, None) => "on a honeypot".to_owned(),
    }
}

fn named(world: &World, id: &DirectiveId) -> String {
    match world.directive(id) {
        Some(state) => format!("{id} ({})", state.directive.action),
        None => id.to_string(),
    }
}

fn ordered(world: &World, order: &OrderId) -> String {
    match world.order(order) {
        Some(state) => {
            format!("of {} on {}", named(world, &state.order.directive), host(world, &state.order.asset))
        }
        None => format!("of {order}"),
    }
}

fn of(as_of: Option<Timestamp>) -> String {
    as_of.map(|as_of| format!(", as of {as_of}")).unwrap_or_default()
}

fn due(due: Option<Timestamp>) -> String {
    due.map(|due| format!(", due {due}")).unwrap_or_default()
}

fn assets_of(count: u64) -> String {
    match count {
        1 => "1 asset".to_owned(),
        count => format!("{count} assets"),
    }
}

fn count(wants: &Wants) -> u64 {
    match wants {
        Wants::Classes(classes) => classes.iter().map(|class| class.assets.len()).sum(),
        Wants::Each(each) => each.len() as u64,
    }
}

fn members(members: &Members) -> u64 {
    match members {
        Members::Set(set) => set.len(),
        Members::Ids(ids) => ids.len() as u64,
    }
}

fn changed(change: &DirectiveChange) -> String {
    let mut parts = Vec::new();
    let mut counted = |count: u64, what: &str| {
        if count > 0 {
            parts.push(format!("{} {what}", assets_of(count)));
        }
    };
    counted(count(&change.joined), "joined or changed");
    counted(members(&change.settled), "settled");
    counted(members(&change.left), "left");
    if let Some(grounds) = &change.grounds {
        parts.push(format!("closes {} vulnerabilities", grounds.closes.len()));
    }
    if let Some(priority) = &change.priority {
        let outcome = &priority.decision.outcome;
        parts.push(format!("decided {outcome}{}, removes {}", due(priority.due), priority.removes));
    }
    parts.join("; ")
}

fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Fixed => "every asset shows the fix".to_owned(),
        Outcome::Superseded { by } => format!("superseded by {by}"),
        Outcome::Withdrawn { reason } => format!("withdrawn: {reason}"),
        Outcome::Refused { why, .. } => format!("refused: {why}"),
    }
}

fn rehearsed(outcome: &RehearsalOutcome) -> String {
    match outcome {
        RehearsalOutcome::Passed => "passed".to_owned(),
        RehearsalOutcome::Failed { reason } => format!("failed: {reason}"),
        RehearsalOutcome::NotRehearsed { reason } => format!("not rehearsed: {reason}"),
    }
}

fn applied(outcome: &ApplyOutcome) -> String {
    match outcome {
        ApplyOutcome::Verified => "done and verified by the host".to_owned(),
        ApplyOutcome::RolledBack { reason } => format!("taken back: {reason}"),
        ApplyOutcome::Failed { reason, remedy } => format!("failed: {reason}; {remedy}"),
        ApplyOutcome::Refused { code, detail } => format!("refused by the host ({code}): {detail}"),
    }
}

/// The rules that count from now on; regulations by their names, their files are long.
fn chosen(rules: &Rules) -> String {
    let published = serde_json::json!(Rules { regulations: Vec::new(), ..rules.clone() });
    let adopted = Regulations::read(rules.regulations.iter().map(String::as_str)).unwrap_or_default();
    let names: Vec<String> = adopted.all().iter().map(|one| one.table().to_string()).collect();
    match names.as_slice() {
        [] => format!("rules chosen: {published}"),
        names => format!("rules chosen: {published}, and regulations: {}", names.join(", ")),
    }
}
