//! The agent's command line: the same for the program `tenon-agent` and for `tenon agent`.

pub(crate) mod hooks;
pub(crate) mod limits;
mod live;
mod service;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use tenon_program::Format;
use tenon_wire::EnrolToken;

use crate::{AgentState, Identity};

/// Longest token that is read, in bytes.
const MAX_TOKEN: u64 = 4_096;
/// The agent's own folder, where nothing else is said.
const STATE: &str = "/var/lib/tenon-agent";

/// The program that these commands are part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `tenon-agent`, which is nothing else.
    Agent,
    /// `tenon`, which has them as `tenon agent`.
    Tenon,
}

impl Program {
    /// What comes before a command of the agent.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Agent => "tenon-agent",
            Self::Tenon => "tenon agent",
        }
    }

    /// The help of a command, which is written for `tenon agent`, in this program's words.
    #[must_use]
    pub fn told(self, command: clap::Command) -> clap::Command {
        let after =
            command.get_after_help().map(|text| text.to_string().replace(Self::Tenon.words(), self.words()));
        let command = match after {
            Some(after) => command.after_help(after),
            None => command,
        };
        command.mut_subcommands(|command| self.told(command))
    }
}

/// The agent of this host: reports what it is, carries out signed orders. It listens nowhere, and changes nothing that nobody
/// approved.
#[derive(Parser)]
#[command(
    name = "tenon-agent",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  tenon enrol-token | ssh host tenon-agent enrol --server https://tenon.example:8421\n  \
                  tenon-agent inventory       what would be reported\n  tenon-agent limits show     what this host never does"
)]
pub struct Standalone {
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value = "text")]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

impl Standalone {
    /// The program's command line, described.
    #[must_use]
    pub fn described() -> clap::Command {
        Program::Agent.told(Self::command())
    }

    /// What this process was asked for; ends it with an explanation where that is not understood.
    #[must_use]
    pub fn from_arguments() -> Self {
        Self::from_arg_matches(&Self::described().get_matches()).unwrap_or_else(|error| error.exit())
    }

    /// Does it.
    ///
    /// # Errors
    /// For people: what failed, and what to do.
    pub fn run(self) -> Result<()> {
        self.command.run(Program::Agent, self.format)
    }
}

/// A command of the agent.
#[derive(Subcommand)]
pub enum Command {
    /// Make this host an asset, and start its service where there is one. The token comes on standard input, so that no process
    /// list shows it.
    #[command(
        after_help = "Example:\n  tenon enrol-token | ssh host tenon agent enrol --server https://tenon.example:8421"
    )]
    Enrol {
        /// Address of the agents' gateway.
        #[arg(long, value_name = "URL")]
        server: String,
        /// The agent's own folder.
        #[arg(long, default_value = STATE, value_name = "FOLDER")]
        state: PathBuf,
    },
    /// Report, take orders, report again, until stopped.
    Run {
        /// The agent's own folder.
        #[arg(long, default_value = STATE, value_name = "FOLDER")]
        state: PathBuf,
        /// Stop, too, when standard input ends: with the program that started this one.
        #[arg(long)]
        until_input_ends: bool,
        /// Stop, too, after what it is doing, once a file that it runs was replaced by an upgrade: for a service manager, which
        /// then starts the new one.
        #[arg(long)]
        until_replaced: bool,
    },
    /// Make this one file a service of this host, without a package: enrols it, copies the program to /opt/tenon-agent, writes a
    /// unit, enables and starts it. Again with a newer program it upgrades.
    #[command(
        after_help = "Examples:\n  tenon enrol-token | ssh host /tmp/tenon agent install --server https://tenon.example:8421\n  \
                      ssh host /tmp/tenon agent install      a newer program, on a host that is enrolled"
    )]
    Install {
        /// Address of the agents' gateway; not needed on a host that is enrolled. The token comes on standard input.
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
    /// Take away what `install` made: service, program, identity. A change that is under way is finished first.
    #[command(after_help = "Example:\n  tenon agent uninstall\n\n\
        The asset stays in the record of the server: `tenon retire` there says that it is gone.")]
    Uninstall,
    /// Print what would be reported; sends and changes nothing.
    Inventory,
    /// What this host never does, whoever asks: root's own file.
    #[command(subcommand)]
    Limits(limits::Command),
    /// What runs around a change: root's own programs.
    #[command(subcommand)]
    Hooks(hooks::Command),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// For people: what failed, and what to do.
    pub fn run(self, program: Program, format: Format) -> Result<()> {
        // `tenon-agent inventory | head` ends quietly when nobody reads on. What serves, or changes this host, goes on.
        if matches!(self, Self::Inventory | Self::Limits(_) | Self::Hooks(_)) {
            sigpipe::reset();
        }
        match self {
            Self::Enrol { server, state } => {
                enrol(&server, &state)?;
                // With another folder it is somebody else's service.
                if state == Path::new(STATE) { service::start_enrolled(program) } else { Ok(()) }
            }
            Self::Run { state, until_input_ends, until_replaced } => {
                live::run(&state, live::Ends { with_input: until_input_ends, when_replaced: until_replaced })
            }
            Self::Install { server } => service::install(program, server.as_deref()),
            Self::Uninstall => service::uninstall(),
            Self::Limits(limits) => limits.run(format),
            Self::Hooks(hooks) => hooks.run(format),
            Self::Inventory => {
                let inventory = tenon_host::inventory(&tenon_host::System::live(), None)?;
                println!("{}", serde_json::to_string_pretty(&inventory)?);
                Ok(())
            }
        }
    }
}

/// Enrols this host with the token that comes on standard input.
fn enrol(server: &str, state: &Path) -> Result<Identity> {
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_TOKEN)
        .read_to_string(&mut text)
        .context("reading the token from standard input")?;
    let token: EnrolToken = text.parse()?;
    let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let identity = crate::enrol(&AgentState::open(state)?, server, &token, &hostname)?;
    println!("{hostname} is enrolled as {}", identity.asset);
    Ok(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_of_its_own_speaks_of_itself() {
        fn helps(command: &clap::Command, all: &mut String) {
            all.push_str(&command.get_after_help().map(ToString::to_string).unwrap_or_default());
            command.get_subcommands().for_each(|command| helps(command, all));
        }
        Standalone::described().debug_assert();
        let mut all = String::new();
        helps(&Standalone::described(), &mut all);
        assert!(
            all.contains("tenon-agent limits show") && all.contains("tenon-agent enrol --server"),
            "{all}"
        );
        assert!(!all.contains("tenon agent"), "{all}");
    }
}
