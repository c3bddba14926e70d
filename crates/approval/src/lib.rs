//! What people sign with keys that no server has, so that a host can tell an approval from a server's word.
//!
//! ```text
//! change of one host --canonical bytes--> leaf \
//! change of another  --canonical bytes--> leaf --> root --> statement --ssh-keygen -Y sign--> signature
//!
//! host: its own change --> leaf --path--> root = the statement's? --> signed by so many keys of root's own file?
//! ```
//!
//! One signature covers the changes of many hosts, and each host checks its own with the path of its leaf alone. Pure: no
//! clock, no files, no programs.

mod change;
mod key;
mod required;
mod statement;
mod tree;

pub use change::{ChangeError, HostChange};
pub use key::{KeyError, PersonKey, SignatureError, Signed, verify};
pub use required::{MAX_KEYS, Required, Unapproved};
pub use statement::{MAX_CHANGES, MAX_DAYS, MAX_STATEMENT, NAMESPACE, Statement, StatementError};
pub use tree::{climb, path, root};
