//! Exploitation foreseen: of one CVE, and how the model for that is made.

mod one;
mod train;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::common::Common;

/// How probable it is that CISA lists a CVE as exploited within 30 days.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tenon predict CVE-2024-6387\n  tenon --format json predict CVE-2024-6387\n  \
                  tenon predict CVE-2024-6387 --history /srv/mirror --on 2025-01-15\n  \
                  tenon predict train --history /srv/mirror"
)]
pub(crate) struct Predict {
    #[command(subcommand)]
    work: Option<Work>,
    #[command(flatten)]
    one: one::One,
}

#[derive(Subcommand)]
enum Work {
    /// Make the model anew from public history, and the report of how well it foresees.
    Train(train::Train),
}

impl Predict {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        match self.work {
            None => self.one.run(common),
            Some(Work::Train(train)) => train.run(common),
        }
    }
}
