//! Telling the record how far attackers get, as soon as that moved.
//!
//! ```text
//! the record went on --> Terrain, solved (beside the writer) --what differs from what was told--> command --> journal
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use tenon_engine::World;
use tenon_model::Command;
use tokio::sync::watch;

use crate::api::{Of, Shared};
use crate::serve::is_true;
use crate::writer::SubmitError;

/// After one that took so long, so many times that passes before the next: of a large estate it takes seconds, in which one
/// processor does nothing else.
const REST: u32 = 4;
/// At least so long: what comes together is looked at together.
const LEAST: Duration = Duration::from_millis(100);

/// Looks again after whatever is recorded, until the server stops or takes no commands. What it told itself is looked at again,
/// too: something else may have come in between.
pub(crate) async fn run(context: Shared, stopped: watch::Receiver<bool>) {
    let mut follow = context.writer.follow();
    loop {
        let began = Instant::now();
        // Not under the watch's lock, for which the writer would wait.
        let world = follow.borrow_and_update().clone();
        if world.is_reach_stated()
            && let Err(error) = tell(&context, &world).await
        {
            tracing::error!(%error, "how far attackers get is told no more");
            return;
        }
        drop(world);
        let rest = (began.elapsed() * REST).max(LEAST);
        let next = async {
            tokio::time::sleep(rest).await;
            follow.changed().await
        };
        tokio::select! {
            changed = next => if changed.is_err() { return },
            () = is_true(stopped.clone()) => return,
        }
    }
}

/// Tells what moved.
async fn tell(context: &Shared, world: &Arc<World>) -> Result<(), SubmitError> {
    let delta = match context.solved.of(world, Of::Latest).await {
        Ok(solved) => solved.moved(world),
        Err(error) => {
            tracing::error!(
                error = error.detail(),
                "how far attackers get was not worked out; the next entry tries again"
            );
            return Ok(());
        }
    };
    if delta.about().next().is_none() {
        return Ok(());
    }
    match context.writer.submit(Command::AssessReach { delta }, None).await {
        Ok(_) | Err(SubmitError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
