//! Plays the hosts, and the story on them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use tenon_engine::{GroupMode, World};
use tenon_formats::Problems;
use tenon_model::{
    AssetId, Command, IdError, OrderAction, OrderId, RefusalCode, Reported, Stage, Step, Timestamp,
};
use tenon_server::{SubmitError, Writer};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::estate::{Draw, Estate};
use crate::feed::{HERO as HERO_ADVISORY, HERO_SOURCE};
use crate::guide::guide;
use crate::host::{Ending, Played};
use crate::packages::INVENTED;
use crate::story::{Act, Part, arrived, colleague, commands, ending, next, offered};

/// Why a demonstration cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The record takes nothing any more.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// A name of the demonstration is none.
    #[error("the demonstration is defective: {0}")]
    Name(#[from] IdError),
    /// Its context document does not read.
    #[error("the demonstration's context is defective: {0:?}")]
    Context(Problems),
    /// A played inventory is none.
    #[error("a played inventory is defective: {0}")]
    Inventory(#[from] tenon_model::ManifestError),
}

/// Everybody who is not the visitor: the hosts, the feeds, and one colleague.
#[derive(Debug)]
pub struct Player {
    pub(crate) clock: Arc<Clock>,
    pub(crate) seed: u64,
    /// By asset, in the order in which they come.
    pub(crate) order: Vec<AssetId>,
    pub(crate) hosts: BTreeMap<AssetId, Played>,
    /// Whether the repositories have the story's fix.
    fix_offered: bool,
    part: (Part, Timestamp),
    /// When hosts answer orders.
    answers: BTreeMap<OrderId, Timestamp>,
    /// Orders that were answered, or cannot be.
    answered: BTreeSet<OrderId>,
    /// When hosts report after a change.
    reports: BTreeMap<AssetId, Timestamp>,
    pub(crate) draw: Draw,
}

impl Player {
    /// Everybody of an estate, by this clock.
    pub fn new(estate: Estate, clock: Arc<Clock>) -> Self {
        let order = estate.hosts.iter().map(|host| host.asset).collect();
        let hosts = estate.hosts.into_iter().map(|host| (host.asset, Played::new(host))).collect();
        let part = (Part::Arriving, clock.now());
        Self {
            clock,
            seed: estate.seed,
            order,
            hosts,
            fix_offered: false,
            part,
            answers: BTreeMap::new(),
            answered: BTreeSet::new(),
            reports: BTreeMap::new(),
            draw: Draw::new(estate.seed, 2),
        }
    }

    /// Plays until it is told to stop. In a folder in which it played before it goes on where it was.
    ///
    /// # Errors
    /// When the record takes nothing any more.
    pub async fn run(mut self, writer: Writer, mut stopped: watch::Receiver<bool>) -> Result<(), PlayError> {
        let world = writer.world();
        if let Some(time) = world.time() {
            self.clock.forward_to(time);
        }
        self.recall(&world);
        tokio::select! {
            arrived = self.arrive(&writer) => arrived?,
            _ = stopped.wait_for(|stop| *stop) => return Ok(()),
        }
        let mut follow = writer.follow();
        loop {
            let world = follow.borrow_and_update().clone();
            let now = self.clock.now();
            let (due, later) = self.due(&world, now)?;
            let seq = world.seq();
            drop(world);
            if !due.is_empty() {
                all(&writer, due).await?;
                // What was refused changed nothing: without this it would be tried for ever.
                if writer.world().seq() > seq {
                    continue;
                }
            }
            tokio::select! {
                changed = follow.changed() => if changed.is_err() { return Ok(()) },
                () = self.clock.until(later.unwrap_or(now)), if later.is_some() => {}
                _ = stopped.wait_for(|stop| *stop) => return Ok(()),
            }
        }
    }

    /// What the hosts of a World have, which was played before.
    fn recall(&mut self, world: &World) {
        for (id, asset) in world.assets() {
            let Some(played) = self.hosts.get_mut(id) else { continue };
            for component in world.components_of(asset).unwrap_or_default() {
                let first = INVENTED.iter().find(|package| package.source == component.source.name);
                if first.is_some_and(|package| package.version != component.source.version) {
                    played.install(&component.source.name, &component.source.version);
                }
            }
        }
        self.fix_offered =
            offered(world) || world.advisories().any(|advisory| advisory.id.to_string() == HERO_ADVISORY);
        let open = world.directives().filter(|(_, state)| state.closed.is_none());
        let applied = open.flat_map(|(_, state)| {
            let begun = state.begun().filter(|(_, stage)| matches!(stage, Stage::Applied { .. }));
            begun.map(move |(asset, _)| (asset, state.targets(asset).cloned()))
        });
        let now = self.clock.now();
        for (ordinal, targets) in applied.collect::<Vec<_>>() {
            let Some(asset) = world.asset_at(ordinal).map(|asset| asset.id) else { continue };
            self.install(asset, targets.iter().flat_map(|targets| targets.iter()));
            self.reports.insert(asset, now);
        }
    }

    fn install<'t>(&mut self, asset: AssetId, targets: impl Iterator<Item = &'t tenon_model::PackageTarget>) {
        let Some(played) = self.hosts.get_mut(&asset) else { return };
        for target in targets {
            let of = INVENTED.iter().find(|package| package.binaries.contains(&target.package.as_str()));
            if let Some(package) = of {
                played.install(package.source, &target.to);
            }
        }
    }

    /// Which fixes the repositories have.
    pub(crate) fn in_repositories(fix_offered: bool) -> impl Fn(&str) -> bool {
        move |source| source != HERO_SOURCE || fix_offered
    }

    /// A host's next report, as its agent would send it: what changed since the last one.
    pub(crate) fn report(
        &self,
        world: &World,
        asset: AssetId,
        before: &Played,
        offered_before: bool,
    ) -> Result<Option<Command>, PlayError> {
        let (Some(played), Some(state)) = (self.hosts.get(&asset), world.asset(&asset)) else {
            return Ok(None);
        };
        let offered = Self::in_repositories(self.fix_offered);
        let now = Reported::new(played.inventory(&offered))?;
        let sequence = state.reported.map_or(1, |(sequence, _)| sequence + 1);
        let last = Reported::new(before.inventory(&Self::in_repositories(offered_before)))?;
        let delta = (state.said == Some(last.sum())).then(|| now.since(&last)).flatten();
        Ok(Some(match delta {
            Some(delta) => Command::ReportDelta { asset, sequence, delta: Box::new(delta) },
            // Nothing is known that it could differ from.
            None => Command::ReportInventory { asset, sequence, inventory: now.inventory() },
        }))
    }

    /// What is due now, and when the next thing is.
    fn due(&mut self, world: &World, now: Timestamp) -> Result<(Vec<Command>, Option<Timestamp>), PlayError> {
        let mut due = Vec::new();
        let mut later: Vec<Timestamp> = Vec::new();
        self.see_orders(world, now);
        self.answer(world, now, &mut due);
        self.report_changes(world, now, &mut due)?;
        self.keep_in_touch(world, now, &mut due)?;
        later.extend(self.answers.values().chain(self.reports.values()));

        due.extend(colleague(world)?);
        let part = Part::of(world, self.fix_offered);
        if part != self.part.0 {
            tracing::info!(
                "part {} of {}: {}",
                part.number(),
                Part::Over.number(),
                guide(world, part).happens
            );
            self.part = (part, now);
        }
        if let Some((at, act)) = next(part, self.part.1) {
            if now >= at {
                due.extend(self.act(world, act, now)?);
            } else {
                later.push(at);
            }
        }
        for (_, state) in world.directives() {
            let Some(rollout) = &state.rollout else { continue };
            let watched =
                matches!(rollout.step, Step::Soaking { .. }).then(|| rollout.waits_until()).flatten();
            match watched {
                Some(until) if now >= until => due.push(Command::Tick),
                Some(until) => later.push(until),
                None => {}
            }
        }
        Ok((due, later.into_iter().min()))
    }

    /// Hosts take the orders that are out.
    fn see_orders(&mut self, world: &World, now: Timestamp) {
        for asset in &self.order {
            let Some(order) = world.asset(asset).and_then(|state| state.outstanding) else { continue };
            if self.answers.contains_key(&order) || self.answered.contains(&order) {
                continue;
            }
            let Some(state) = world.order(&order).filter(|state| !state.settled) else { continue };
            let takes = match state.order.action {
                OrderAction::Rehearse { .. } => 300 + self.draw.below(1_200),
                OrderAction::PreserveEvidence { .. } => 5,
                OrderAction::Apply { .. } => 60 + self.draw.below(120),
            };
            self.answers.insert(order, now.plus_seconds(takes));
        }
    }

    fn answer(&mut self, world: &World, now: Timestamp, due: &mut Vec<Command>) {
        let ready: Vec<OrderId> =
            self.answers.iter().filter(|(_, at)| **at <= now).map(|(order, _)| *order).collect();
        for id in ready {
            self.answers.remove(&id);
            self.answered.insert(id);
            let Some(order) = world.order(&id).filter(|order| !order.settled).map(|state| &state.order)
            else {
                continue;
            };
            let asset = order.asset;
            let Some(played) = self.hosts.get(&asset) else { continue };
            let ends = ending(world, played, order.directive, &order.action);
            match &order.action {
                OrderAction::Rehearse { .. } => {
                    due.push(Command::ReportRehearsal {
                        asset,
                        order: id,
                        report: played.rehearsal(order, ends),
                    });
                }
                OrderAction::PreserveEvidence { .. } => {
                    let outcome = played.evidence(order, now);
                    due.push(Command::ReportEvidence { asset, order: id, outcome });
                }
                OrderAction::Apply { .. } => {
                    due.push(Command::ReportApply { asset, order: id, report: played.change(order, ends) });
                    if ends == Ending::Well {
                        let after = 60 + self.draw.below(90);
                        self.reports.insert(asset, now.plus_seconds(after));
                    }
                }
            }
        }
    }

    /// Reports of hosts after their change.
    fn report_changes(
        &mut self,
        world: &World,
        now: Timestamp,
        due: &mut Vec<Command>,
    ) -> Result<(), PlayError> {
        let ready: Vec<AssetId> =
            self.reports.iter().filter(|(_, at)| **at <= now).map(|(asset, _)| *asset).collect();
        for asset in ready {
            self.reports.remove(&asset);
            let Some(before) = self.hosts.get(&asset).cloned() else { continue };
            for targets in changed(world, asset) {
                self.install(asset, targets.iter());
            }
            due.extend(self.report(world, asset, &before, self.fix_offered)?);
        }
        Ok(())
    }

    /// Agents report all day long that nothing has changed. Of that only what somebody waits for is played: nothing is rehearsed on a
    /// host that seems to be away.
    fn keep_in_touch(&self, world: &World, now: Timestamp, due: &mut Vec<Command>) -> Result<(), PlayError> {
        let acts = world.directives().filter(|(_, state)| {
            state.closed.is_none() && world.mode(&state.directive.group) == GroupMode::Act
        });
        let waiting = acts.flat_map(|(_, state)| {
            state.members.iter().filter(|asset| matches!(state.stage(*asset), Some(Stage::Proposed)))
        });
        let quiet = waiting.filter_map(|asset| world.asset_at(asset));
        let quiet = quiet.filter(|asset| asset.outstanding.is_none() && asset.quiet_since(now).is_some());
        for asset in quiet.map(|asset| asset.id).collect::<BTreeSet<_>>() {
            let Some(played) = self.hosts.get(&asset) else { continue };
            due.extend(self.report(world, asset, played, self.fix_offered)?);
        }
        Ok(())
    }

    fn act(&mut self, world: &World, act: Act, now: Timestamp) -> Result<Vec<Command>, PlayError> {
        if act != Act::Offer {
            return Ok(commands(act, now)?);
        }
        let before = std::mem::replace(&mut self.fix_offered, true);
        let told = self.order.iter().filter_map(|asset| self.hosts.get(asset).map(|played| (*asset, played)));
        let mut due = Vec::new();
        for (asset, played) in told.filter(|(_, played)| played.has(HERO_SOURCE)) {
            due.extend(self.report(world, asset, played, before)?);
        }
        Ok(due)
    }

    /// The estate: what is not there yet.
    async fn arrive(&mut self, writer: &Writer) -> Result<(), PlayError> {
        if arrived(&writer.world()) {
            return Ok(());
        }
        crate::arrival::arrive(self, writer).await
    }

    /// Plays on without waiting for the time to pass, until the World is as wanted or nothing is due any more.
    pub(crate) async fn hurry(
        &mut self,
        writer: &Writer,
        wanted: impl Fn(&World) -> bool,
    ) -> Result<(), PlayError> {
        loop {
            let world = writer.world();
            if wanted(&world) {
                return Ok(());
            }
            let (due, later) = self.due(&world, self.clock.now())?;
            let (seq, idle) = (world.seq(), due.is_empty());
            drop(world);
            all(writer, due).await?;
            if idle || writer.world().seq() == seq {
                let Some(later) = later else { return Ok(()) };
                self.clock.forward_to(later);
            }
        }
    }
}

/// The packages that open directives have changed on an asset, of which it has not reported since.
fn changed(world: &World, asset: AssetId) -> Vec<Arc<Vec<tenon_model::PackageTarget>>> {
    let Some(ordinal) = world.ordinal(&asset) else { return Vec::new() };
    let open = world.directives().filter(|(_, state)| state.closed.is_none());
    let applied = open.filter(|(_, state)| matches!(state.stage(ordinal), Some(Stage::Applied { .. })));
    applied.filter_map(|(_, state)| state.targets(ordinal).cloned()).collect()
}

/// Sends commands at once. A refusal is an answer; the end of the record is an error.
pub(crate) async fn all(writer: &Writer, commands: Vec<Command>) -> Result<(), PlayError> {
    for sent in join_all(commands.into_iter().map(|command| writer.submit(command, None))).await {
        match sent {
            Ok(_) => {}
            Err(SubmitError::Refused(refusal)) if refusal.code == RefusalCode::NothingToDo => {}
            Err(SubmitError::Refused(refusal)) => {
                tracing::debug!(%refusal, "the demonstration is refused something");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
