//! What follows from the World as it now stands: directives raised, changed, closed; orders issued.
//!
//! ```text
//! events --> Dirty: what to look at, directives to rank --> direct: what changes of which directive
//!                                                         --> approve: what the policy approves by itself
//!                                                         --> roll: the next wave of what is approved
//!                                                         --> dispatch: the next order of idle assets
//! ```
//!
//! Only what an event may have changed is looked at again; [`recompute`] looks at everything and must find nothing.

mod approve;
mod direct;
mod dirty;
mod dispatch;
mod needs;
mod roll;
mod scope;

use tenon_model::{Event, Outcome, Timestamp};

use crate::world::World;
pub(crate) use approve::asks_people;
pub(crate) use dirty::Dirty;
pub(crate) use needs::{assess, wants_of};
pub(crate) use roll::due;

/// The consequences of the World as it stands; empty when nothing is left to conclude.
pub(crate) fn consequences(world: &World, dirty: &Dirty, now: Timestamp) -> Vec<Event> {
    let mut events = direct::direct(world, dirty, now);
    if events.is_empty() {
        close_finished(world, dirty, &mut events);
    }
    if events.is_empty() {
        approve::approve(world, dirty, now, &mut events);
    }
    if events.is_empty() {
        roll::roll(world, dirty, now, &mut events);
    }
    if events.is_empty() {
        dispatch::dispatch(world, dirty, now, &mut events);
    }
    events
}

/// How directives would change, and what the policy would approve, if every asset were looked at again. A World that decided incrementally has nothing left to
/// change: anything here is a defect of that.
pub fn recompute(world: &World, now: Timestamp) -> Vec<Event> {
    let now = world.time().map_or(now, |last| last.max(now));
    let mut anew = world.clone();
    anew.conclude_all();
    anew.weigh_all();
    let everything = Dirty::everything(&anew);
    let mut events = direct::direct(&anew, &everything, now);
    approve::approve(&anew, &everything, now, &mut events);
    events
}

fn close_finished(world: &World, dirty: &Dirty, events: &mut Vec<Event>) {
    for id in dirty.touched() {
        let Some(state) = world.directive(id).filter(|state| state.closed.is_none()) else { continue };
        if !state.members.is_empty() && state.members == state.done() {
            events.push(Event::DirectiveClosed { id: *id, outcome: Outcome::Fixed });
        }
    }
}
