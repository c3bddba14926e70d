//! Who may do what: people, their sessions and tokens, roles, and the right that each operation needs.
//!
//! ```text
//! request --credential--> people.sqlite --> Caller (opaque id, rights) --operations: is it allowed?--> handler
//! ```
//!
//! The record names a person by the opaque id alone; names, password hashes, sessions and tokens lie in a file of their own,
//! from which they can be erased.

mod caller;
mod names;
mod operations;
mod password;
mod people;
mod rates;
mod roles;
mod schema;
mod tokens;

pub(crate) use caller::{Caller, Via};
pub(crate) use names::Names;
pub use operations::operations;
pub(crate) use operations::{Need, methods_of, need_of};
pub(crate) use password::{MAX_PASSWORD, Passwords};
pub use people::PeopleError;
pub(crate) use people::{Invitation, People, User};
pub(crate) use rates::{Rate, Rates};
pub use roles::Role;
pub(crate) use roles::{Right, Roles};
pub(crate) use tokens::{NewToken, Token};
