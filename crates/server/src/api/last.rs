//! What takes long to work out of a World, as it was last asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tenon_engine::World;
use tokio::sync::Mutex;

use super::ApiError;

/// What takes less is always done anew.
const QUICK: Duration = Duration::from_millis(50);
/// After one that took longer, so many times that passes before the next: pages that are live ask after every change.
const REST: u32 = 4;

/// Something that is worked out of a World.
pub(crate) trait OfWorld: Send + Sync + 'static {
    /// Works it out.
    fn of(world: &World) -> Self;

    /// Position of the journal that it shows.
    fn generation(&self) -> u64;
}

/// Works things out beside the requests that are answered at once, one after the other: of a large estate each takes a processor
/// for seconds.
#[derive(Clone, Default)]
pub(crate) struct Aside(Arc<Mutex<()>>);

impl Aside {
    pub(crate) async fn work_out<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let one = self.0.clone().lock_owned().await;
        let alone = move || {
            // Until it is done, also where nobody waits for it any more.
            let _one = one;
            work()
        };
        tokio::task::spawn_blocking(alone).await.map_err(|error| ApiError::internal(&error))
    }
}

/// Of which World something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Of this one, which may be any: what was.
    This,
    /// Of what is: the one before will do for a while where one takes long; it says of when it is.
    Now,
    /// Of what is, and of nothing before; whoever asks for what is has it for a while.
    Latest,
}

impl Of {
    /// Of what is, unless somebody asks for what was.
    pub(crate) fn now_unless(then: bool) -> Self {
        if then { Self::This } else { Self::Now }
    }
}

/// The last one that was worked out. Whoever asks for the same waits for it.
pub(crate) struct Last<T> {
    last: Mutex<Option<Made<T>>>,
    pub(super) aside: Aside,
}

struct Made<T> {
    made: Arc<T>,
    /// Not before then another is made for whoever asks for what is.
    rests: Option<Instant>,
}

impl<T: OfWorld> Last<T> {
    pub(crate) fn new(aside: &Aside) -> Self {
        Self { last: Mutex::default(), aside: aside.clone() }
    }

    /// That of a World.
    pub(crate) async fn of(&self, world: &Arc<World>, which: Of) -> Result<Arc<T>, ApiError> {
        let mut last = self.last.lock().await;
        if let Some(Made { made, rests }) = last.as_ref() {
            let resting = which == Of::Now && rests.is_some_and(|until| Instant::now() < until);
            let before = made.generation() < world.seq();
            if made.generation() == world.seq() || (resting && before) {
                return Ok(made.clone());
            }
        }
        let (started, world) = (Instant::now(), world.clone());
        let made = self.aside.work_out(move || Arc::new(T::of(&world))).await?;
        let took = started.elapsed();
        let rests = (which != Of::This && took > QUICK).then(|| Instant::now() + took * REST);
        *last = Some(Made { made: made.clone(), rests });
        Ok(made)
    }
}
