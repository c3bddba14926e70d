//! How the estate comes: the ten days before the visitor, played in some seconds.

use tenon_engine::World;
use tenon_model::{Command, Digest, GroupName, IdError, Person, Step, Timestamp};
use tenon_server::Writer;

use crate::context::document;
use crate::estate::{DATA, HERO};
use crate::feed::{BULLETINS, mended};
use crate::packages::invented;
use crate::player::{PlayError, Player, all};
use crate::story::{colleagues, publish};

/// How many days they are.
const DAYS: u32 = 10;
/// How many commands are sent at once.
const GROUP: usize = 256;
/// One in so many hosts comes later, so that the trend has hosts that are newly seen.
const LATE_SHARE: usize = 10;
/// How many days before the visitor those come.
const LATE_DAYS: u32 = 5;
/// One in so many hosts is mended by its owner, on the day after an advisory.
const MENDED_SHARE: u32 = 5;

/// Plays what is not in the record yet.
pub(crate) async fn arrive(player: &mut Player, writer: &Writer) -> Result<(), PlayError> {
    let by: Person = "demo".parse()?;
    let begin = writer.world().time().unwrap_or_else(|| player.clock.now());
    if writer.world().context().is_none() {
        let document = document().map_err(PlayError::Context)?;
        all(writer, vec![Command::TakeOverContext { document, compared: 0, by: by.clone() }]).await?;
    }
    let late = player.order.len() - player.order.len() / LATE_SHARE;
    enrol(player, writer, 0..late, &by).await?;
    for before in (0..DAYS).rev() {
        player.clock.forward_to(begin.plus_days(DAYS - before));
        if before == LATE_DAYS {
            enrol(player, writer, late..player.order.len(), &by).await?;
        }
        // A morning and an afternoon: who mends, mends what was published the day before.
        mend(player, writer, before + 1).await?;
        publish_of(player, writer, before).await?;
    }
    // A rollout is under way when the visitor comes: its first canary is watched.
    all(writer, vec![Command::Promote { group: DATA.parse()?, by: by.clone() }]).await?;
    player.hurry(writer, is_watched).await?;
    all(writer, vec![Command::Promote { group: HERO.parse()?, by }]).await
}

fn is_watched(world: &World) -> bool {
    let rollout = colleagues(world).and_then(|(_, state)| state.rollout.as_ref());
    rollout.is_some_and(|rollout| rollout.is_over() || matches!(rollout.step, Step::Soaking { .. }))
}

async fn publish_of(player: &Player, writer: &Writer, before: u32) -> Result<(), PlayError> {
    let world = writer.world();
    let known = |id: &str| world.advisories().any(|advisory| advisory.id.to_string() == id);
    // That of the story is published when its time comes.
    let of_day =
        BULLETINS.iter().filter(|bulletin| bulletin.days_before > 0 && bulletin.days_before == before);
    for bulletin in of_day.filter(|bulletin| !known(bulletin.id)) {
        all(writer, publish(bulletin, player.clock.now())?).await?;
    }
    Ok(())
}

/// Enrols hosts that are not, and lets them report.
async fn enrol(
    player: &Player,
    writer: &Writer,
    places: std::ops::Range<usize>,
    by: &Person,
) -> Result<(), PlayError> {
    for assets in player.order.get(places).unwrap_or_default().chunks(GROUP) {
        let world = writer.world();
        let now = player.clock.now();
        let (mut tokens, mut enrolments, mut reports) = (Vec::new(), Vec::new(), Vec::new());
        for (asset, played) in assets.iter().filter_map(|asset| Some((*asset, player.hosts.get(asset)?))) {
            let state = world.asset(&asset);
            if state.is_none() {
                let [token, enrolment] =
                    joining(player, asset, &played.host.name, played.host.role.team, now, by)?;
                tokens.push(token);
                enrolments.push(enrolment);
            }
            if state.is_none_or(|state| state.reported.is_none()) {
                let inventory = played.inventory(&Player::in_repositories(false));
                reports.push(Command::ReportInventory { asset, sequence: 1, inventory });
            }
        }
        all(writer, tokens).await?;
        all(writer, enrolments).await?;
        all(writer, reports).await?;
    }
    Ok(())
}

fn joining(
    player: &Player,
    asset: tenon_model::AssetId,
    name: &str,
    team: &str,
    now: Timestamp,
    by: &Person,
) -> Result<[Command; 2], IdError> {
    let group: GroupName = team.parse()?;
    let secret = Digest::of(format!("demo {} {name}", player.seed).as_bytes());
    let token: tenon_model::TokenId = format!("t{}", &secret.to_string()[..12]).parse()?;
    let expires = now.plus_days(1);
    Ok([
        Command::IssueToken { token: token.clone(), secret, group, expires, by: by.clone() },
        Command::Enrol { asset, hostname: name.to_owned(), token, secret, machine: None },
    ])
}

/// Owners mend a few of their hosts by themselves.
async fn mend(player: &mut Player, writer: &Writer, published: u32) -> Result<(), PlayError> {
    let of_day =
        BULLETINS.iter().filter(|bulletin| bulletin.days_before > 0 && bulletin.days_before == published);
    for bulletin in of_day {
        let Some(version) = invented(bulletin.source).map(mended) else { continue };
        let (mut reports, world) = (Vec::new(), writer.world());
        for asset in player.order.clone() {
            let Some(before) = player.hosts.get(&asset).filter(|played| played.has(bulletin.source)).cloned()
            else {
                continue;
            };
            if player.draw.below(MENDED_SHARE) != 0 || world.asset(&asset).is_none() {
                continue;
            }
            if let Some(played) = player.hosts.get_mut(&asset) {
                played.install(bulletin.source, &version);
            }
            reports.extend(player.report(&world, asset, &before, false)?);
        }
        all(writer, reports).await?;
    }
    Ok(())
}
