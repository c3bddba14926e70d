//! Names of people, and the ids under which the record knows them.

use std::collections::BTreeSet;

use tenon_model::{IdError, Person};

use super::people::{People, PeopleError};

/// Names of people by the opaque ids under which the record knows them. Who was erased keeps only the id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    pub(crate) fn of(people: &People) -> Result<Self, PeopleError> {
        let users = people.users()?;
        Ok(Self(users.into_iter().map(|user| (user.id.to_string(), user.name)).collect()))
    }

    /// Each id with its name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(id, name)| (id.as_str(), name.as_str()))
    }

    /// The name of an id; the id where it has none any more.
    pub(crate) fn of_id(&self, id: String) -> String {
        self.0.iter().find(|(known, _)| *known == id).map_or(id, |(_, name)| name.clone())
    }

    /// The person of a name or an id, as the record knows them. Who does not sign in here is known by the name alone.
    ///
    /// # Errors
    /// When it is nobody here, and no name that the record can hold.
    pub(crate) fn person(&self, said: &str) -> Result<Person, IdError> {
        let known = self.iter().find(|(id, name)| *id == said || *name == said);
        known.map_or(said, |(id, _)| id).parse()
    }

    /// All under whom the record may know the person of a name or an id: somebody who signs in today may have been known by the
    /// name alone before.
    ///
    /// # Errors
    /// As [`Self::person`].
    pub(crate) fn known_as(&self, said: &str) -> Result<BTreeSet<Person>, IdError> {
        let person = self.person(said)?;
        let name = self.of_id(person.to_string()).parse()?;
        Ok(BTreeSet::from([person, name]))
    }
}
