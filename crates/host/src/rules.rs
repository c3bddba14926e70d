//! What root of this host says, whatever a server orders.

use crate::hooks::HooksFolder;
use crate::limits::LimitsFile;

/// Root's own files, read anew for each order.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What this host never does.
    pub limits: LimitsFile,
    /// What it does around every change.
    pub hooks: HooksFolder,
}

impl Rules {
    /// Those of this host. No flag and no order names others to an agent.
    pub fn of_this_host() -> Self {
        Self { limits: LimitsFile::of_this_host(), hooks: HooksFolder::of_this_host() }
    }
}
