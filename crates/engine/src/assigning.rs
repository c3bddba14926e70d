//! Who does a directive: given by people, taken over with the work, asked for by the queue.

use std::collections::BTreeSet;

use tenon_model::{Assignment, DirectiveId, Event, MayAssign, Person, Record, Refusal, RefusalCode};

use crate::apply::ApplyError;
use crate::decide::{Decided, open_directive, refuse};
use crate::directives::DirectiveState;
use crate::world::World;

/// Who does the directives that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssignedTo {
    /// Nobody.
    Nobody,
    /// One of these: a person may be known by an id and, from before there was one, by a name.
    OneOf(BTreeSet<Person>),
}

impl AssignedTo {
    pub(crate) fn holds(&self, state: &DirectiveState) -> bool {
        match (self, &state.assigned) {
            (Self::Nobody, None) => true,
            (Self::OneOf(people), Some(assigned)) => people.contains(&assigned.to),
            (Self::Nobody, Some(_)) | (Self::OneOf(_), None) => false,
        }
    }
}

/// What a name holds besides letters and digits.
const NAME_SIGNS: &str = " . _ @ + - ' ( ) , /";

/// Whether people would read a name as it is written: nothing in it is invisible, or turns the line around.
fn is_name(name: &str) -> bool {
    name.trim() == name && name.chars().all(|sign| sign.is_alphanumeric() || NAME_SIGNS.contains(sign))
}

/// What may be said of who does a directive.
pub(crate) fn assign(
    world: &World,
    id: DirectiveId,
    to: Option<Person>,
    by: Person,
    may: MayAssign,
) -> Result<Decided, Refusal> {
    let state = open_directive(world, id)?;
    let before = state.assigned.as_ref().map(|assigned| &assigned.to);
    if before == to.as_ref() {
        let who = before.map_or("nobody", Person::as_str);
        return refuse(RefusalCode::NothingToDo, format!("{id} is with {who} already"));
    }
    if let Some(name) = to.as_ref().map(Person::as_str).filter(|name| !is_name(name)) {
        let why = format!(
            "{name:?} is no name of a person: letters, digits and any of {NAME_SIGNS}, and no space at its ends"
        );
        return refuse(RefusalCode::BadContent, why);
    }
    // Who takes something has it from whoever had it: people fall ill.
    let is_own = to.as_ref().or(before) == Some(&by);
    if may == MayAssign::Themselves && !is_own {
        let why = format!(
            "{id}: to give it to somebody else, or to take it from somebody for nobody, takes the right to approve; \
             anybody may take it for themselves"
        );
        return refuse(RefusalCode::RoleNeeded, why);
    }
    Ok(Decided::of(Event::DirectiveAssigned { id, to, by: Some(by) }))
}

impl World {
    /// Somebody does a directive from now on, or nobody does any more.
    pub(crate) fn assign(
        &mut self,
        record: &Record,
        id: DirectiveId,
        to: Option<&Person>,
        by: Option<&Person>,
    ) -> Result<(), ApplyError> {
        let (by, since) = (by.cloned(), record.time);
        self.directive_mut(record.seq, id)?.assigned = to.map(|to| Assignment { to: to.clone(), by, since });
        self.read_anew(id);
        Ok(())
    }
}
