//! What shells and `man` know of the program, generated from the program itself.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Completions for a shell.
#[derive(Args)]
#[command(after_help = "Example:\n  tenon completions bash > /etc/bash_completion.d/tenon")]
pub(crate) struct Completions {
    /// bash, zsh, fish...
    shell: Shell,
}

/// Manual pages.
#[derive(Args)]
#[command(after_help = "Example:\n  tenon man /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// Where the pages go, one a command.
    folder: PathBuf,
}

impl Completions {
    pub(crate) fn run(&self) {
        clap_complete::generate(self.shell, &mut crate::Cli::command(), "tenon", &mut std::io::stdout());
    }
}

impl Man {
    pub(crate) fn run(&self) -> Result<()> {
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("creating {}", self.folder.display()))?;
        clap_mangen::generate_to(crate::Cli::command(), &self.folder)
            .with_context(|| format!("writing manual pages to {}", self.folder.display()))
    }
}
