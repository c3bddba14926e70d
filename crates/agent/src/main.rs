//! `tenon-agent`: the agent of a host and nothing else, for hosts that need no more.

use std::process::ExitCode;

use tenon_agent::command::Standalone;

fn main() -> ExitCode {
    // The rehearsal starts this program again inside its namespaces.
    if let Some(code) = tenon_host::child_main() {
        std::process::exit(code);
    }
    match Standalone::from_arguments().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tenon-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}
