//! What shells and `man` know of the programs, generated from the programs themselves.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::Shell;
use tenon_agent::command::Standalone;

/// A program that is described.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Described {
    /// This one.
    Tenon,
    /// The agent as a program of its own.
    TenonAgent,
}

impl Described {
    fn command(self) -> clap::Command {
        match self {
            Self::Tenon => crate::Cli::command(),
            Self::TenonAgent => Standalone::described(),
        }
    }
}

/// Completions for a shell.
#[derive(Args)]
#[command(after_help = "Example:\n  tenon completions bash > /etc/bash_completion.d/tenon")]
pub(crate) struct Completions {
    /// bash, zsh, fish...
    shell: Shell,
    /// Of which program.
    #[arg(long, value_enum, default_value = "tenon")]
    program: Described,
}

/// Manual pages.
#[derive(Args)]
#[command(after_help = "Example:\n  tenon man /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// Where the pages go, one a command.
    folder: PathBuf,
    /// Of which program.
    #[arg(long, value_enum, default_value = "tenon")]
    program: Described,
}

impl Completions {
    pub(crate) fn run(&self) {
        let mut command = self.program.command();
        let name = command.get_name().to_owned();
        clap_complete::generate(self.shell, &mut command, name, &mut std::io::stdout());
    }
}

impl Man {
    pub(crate) fn run(&self) -> Result<()> {
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("creating {}", self.folder.display()))?;
        clap_mangen::generate_to(self.program.command(), &self.folder)
            .with_context(|| format!("writing manual pages to {}", self.folder.display()))
    }
}
