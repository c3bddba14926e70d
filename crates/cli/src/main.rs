//! `tenon`: one program for server, agent and command line.

mod account;
mod api;
mod assign;
mod backtest;
mod common;
mod context;
mod control;
#[cfg(feature = "demo")]
mod demo;
mod detection;
mod evidence;
mod exception;
mod explain;
mod feeds;
mod finding_why;
mod gaps;
mod host_plan;
mod hosts;
mod log;
mod measures;
mod messages;
mod people;
mod policy;
mod predict;
mod progress;
mod queue;
mod reach;
mod regulation;
mod risk;
mod rollout;
mod rules;
mod scan;
mod sessions;
mod shell;
mod show;
mod sign;
mod standing;
mod thread;
mod trend;
mod up;
mod vex;
mod vulnerabilities;
mod vulnerability;
mod watch;
mod why;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::common::{AsOf, Common};

/// A World is made of many small things that are shared and copied; the system's own allocator takes twice the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One record for IT and security: from disclosure to verified fix.
#[derive(Parser)]
#[command(
    name = "tenon",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  tenon up                 start Tenon, this machine as its first asset\n  tenon queue              what to do first, and why\n  \
                  tenon show dir_1         one directive to the last input\n  tenon approve dir_1      approve what the rehearsal showed\n  \
                  tenon log verify         prove that the record was not edited"
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start Tenon, with this machine as its first asset.
    Up(up::Up),
    /// What to do on this host, in order and why; needs no server.
    Scan(scan::Scan),
    /// The queue: what to do first, and why.
    Queue(queue::Queue),
    /// What cannot be seen: hosts that are silent or not assessed, what agents could not find out, feeds.
    #[command(
        after_help = "Examples:\n  tenon gaps\n  tenon gaps --as-of 2026-11-01   what could not be seen then\n  tenon --format json gaps"
    )]
    Gaps {
        #[command(flatten)]
        moment: AsOf,
    },
    /// Expected loss: how much, whose, and which entries of the record moved it.
    Risk(risk::Risk),
    /// Exposure over time: what is newly seen, what got worse, what was done.
    Trend(trend::Trend),
    /// Who is told what needs a person, in a chat, by mail or webhook, and how it stands with each.
    Messages(messages::Messages),
    /// How long it takes from what must be done to what is verified, what that time waited for, and whether changes hold.
    Measures(measures::Measures),
    /// Are we affected: where a vulnerability stands in the estate, what answers it, and what cannot be seen.
    #[command(
        after_help = "Examples:\n  tenon vulnerability CVE-2026-23631\n  tenon --format json vulnerability CVE-2026-23631"
    )]
    Vulnerability {
        /// Its id.
        id: String,
        #[command(flatten)]
        moment: AsOf,
    },
    /// What is open in the estate: exploited, attacked, and what nothing that is offered closes.
    Vulnerabilities(vulnerabilities::Vulnerabilities),
    /// Everything about one directive or asset.
    #[command(
        visible_aliases = ["asset", "directive"],
        after_help = "Examples:\n  tenon show dir_1\n  tenon show web1\n  tenon show ast_0123456789abcdef0123456789abcdef\n  tenon --format json show dir_1"
    )]
    Show {
        /// `dir_...`, or an asset: its host name, or `ast_...`.
        id: String,
        #[command(flatten)]
        moment: AsOf,
    },
    /// Why a directive, or a vulnerability on one asset, has its priority, and what would change it.
    #[command(
        after_help = "Examples:\n  tenon why dir_1\n  tenon why CVE-2026-23631 --asset web1   that alone, there: factors, table, clocks, the way an attacker takes\n  tenon why dir_1 --as-of 2026-11-01T06:00:00Z\n  tenon --format json why dir_1"
    )]
    Why {
        /// `dir_...`, or with --asset a vulnerability.
        id: String,
        /// On this asset: its host name, or `ast_...`.
        #[arg(long, value_name = "HOST")]
        asset: Option<String>,
        #[command(flatten)]
        moment: AsOf,
    },
    /// The assets, and how far each can be assessed.
    #[command(
        after_help = "Examples:\n  tenon assets\n  tenon assets --as-of 2026-11-01   those of then, as they were known\n  tenon assets --retired   those that are gone\n  tenon --format json assets"
    )]
    Assets(show::Assets),
    /// State what an asset is for, or what the whole estate is, from one file.
    Context(context::Context),
    /// Take over what suppliers state about exploitability (OpenVEX).
    Vex(vex::Vex),
    /// Risks that are accepted for a time: grant, list, take back.
    #[command(subcommand)]
    Exception(exception::Command),
    /// What stands against attacks meanwhile, and what it leaves over: add, list, end.
    #[command(subcommand)]
    Control(control::Command),
    /// Attacks that sensors saw: report, list, dismiss.
    #[command(subcommand)]
    Detection(detection::Command),
    /// Who an attacker can reach, by which flows, and what closing one would save.
    Reach(reach::Reach),
    /// Choose the published tables and due-date rules that count.
    Rules(rules::Choose),
    /// Due-date rules of a new regulation, a contract, or your own: one reviewed file each.
    #[command(subcommand)]
    Regulation(regulation::Command),
    /// Sign in to a server with name and password.
    Login(account::Login),
    /// End the session with the server.
    Logout,
    /// People and their roles.
    #[command(subcommand)]
    User(account::User),
    /// Tokens for programs.
    #[command(subcommand)]
    Token(account::Token),
    /// Approve a directive wherever its rehearsal passed.
    Approve(people::Approve),
    /// Refuse a directive; its findings stay open.
    Refuse(people::Refuse),
    /// Give a directive to somebody, take it, or give it back.
    Assign(assign::Assign),
    /// Say something of a directive, for both teams.
    Comment(thread::Comment),
    /// Dispute a directive: nothing of it is approved until that is answered.
    Dispute(thread::Dispute),
    /// Answer what was disputed.
    Answer(thread::Answer),
    /// Evidence that is preserved before anything of a host changes: what is sealed, and leave to go on without.
    Evidence(evidence::Evidence),
    /// Try again on an asset that stands still.
    Retry(people::Retry),
    /// Say that a host is gone for good; it is back if it reports again.
    Retire(people::Retire),
    /// Who approves what, when changes may begin, how fast they go.
    #[command(subcommand)]
    Policy(policy::Command),
    /// In which waves a directive reaches its hosts, and how far it is.
    #[command(subcommand)]
    Plan(rollout::Plan),
    /// Follow a directive while it is rolled out, until that ends.
    Watch(watch::Watch),
    /// Stop a rollout.
    Halt(rollout::Halt),
    /// Let a halted rollout go on.
    Resume(rollout::Resume),
    /// How fast rollouts go.
    Tempo(rollout::Choose),
    /// Let the agents of a group rehearse, and apply what is approved.
    Promote(people::Group),
    /// Take that back: the agents of a group only observe.
    Demote(people::Group),
    /// Make a one-time token with which one more host enrols.
    #[command(alias = "enroll-token")]
    EnrolToken(people::Token),
    /// The agent of this host.
    #[command(subcommand)]
    Agent(tenon_agent::command::Command),
    /// The record: what happened, when and by whom; verify or export it.
    Log(log::Log),
    /// What is known of a vulnerability; or one rule: versions, CVSS, decision tables, package-urls.
    Explain(explain::Explain),
    /// How probable it is that a CVE is listed as exploited within 30 days, and why.
    Predict(predict::Predict),
    /// Policies replayed over real history: effort, coverage, efficiency.
    #[command(subcommand)]
    Backtest(backtest::Backtest),
    /// Public feeds in a local store: fetch, look, carry.
    #[command(subcommand)]
    Feeds(feeds::Feeds),
    /// The API's OpenAPI document.
    Openapi,
    /// A page of the reference that the code gives, for `docs/reference`.
    #[command(hide = true)]
    Reference {
        /// Which page.
        page: Page,
    },
    /// Completions for a shell.
    Completions(shell::Completions),
    /// Write manual pages into a folder.
    Man(shell::Man),
}

/// A generated page of `docs/reference`.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Page {
    /// The codes of error answers.
    Refusals,
}

fn main() -> ExitCode {
    // The rehearsal starts this program again inside its namespaces.
    if let Some(code) = tenon_host::child_main() {
        std::process::exit(code);
    }
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tenon: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command; the exit status of one that succeeded says more only where its help says so.
fn run(cli: Cli) -> Result<ExitCode> {
    let common = &cli.common;
    // `tenon queue | head` ends quietly when nobody reads on. Not so for what serves: a closed connection is no reason to
    // end.
    if !matches!(cli.command, Command::Up(_) | Command::Agent(_)) {
        sigpipe::reset();
    }
    let done = match cli.command {
        Command::Scan(scan) => return scan.run(common),
        Command::Feeds(feeds) => return feeds.run(common),
        Command::Watch(watch) => return watch.run(common),
        Command::Up(up) => up.run(common),
        Command::Queue(args) => queue::run(&args, common),
        Command::Show { id, moment } => show::one(common, &id, &moment),
        Command::Vulnerability { id, moment } => vulnerability::run(common, &id, &moment),
        Command::Vulnerabilities(vulnerabilities) => vulnerabilities.run(common),
        Command::Gaps { moment } => gaps::run(common, &moment),
        Command::Risk(risk) => risk.run(common),
        Command::Trend(trend) => trend.run(common),
        Command::Measures(measures) => measures.run(common),
        Command::Messages(messages) => messages.run(common),
        Command::Why { id, asset: None, moment } => why::run(common, &id, &moment),
        Command::Why { id, asset: Some(host), moment } => finding_why::run(common, &id, &host, &moment),
        Command::Login(login) => login.run(common),
        Command::Logout => account::logout(common),
        Command::User(user) => user.run(common),
        Command::Token(token) => token.run(common),
        Command::Assets(assets) => assets.run(common),
        Command::Context(context) => context.run(common),
        Command::Vex(vex) => vex.run(common),
        Command::Exception(exception) => exception.run(common),
        Command::Control(control) => control.run(common),
        Command::Detection(detection) => detection.run(common),
        Command::Reach(reach) => reach.run(common),
        Command::Rules(choose) => choose.run(common),
        Command::Regulation(command) => command.run(common),
        Command::Approve(approve) => approve.run(common),
        Command::Refuse(refuse) => refuse.run(common),
        Command::Assign(assign) => assign.run(common),
        Command::Comment(comment) => comment.run(common),
        Command::Dispute(dispute) => dispute.run(common),
        Command::Answer(answer) => answer.run(common),
        Command::Evidence(answer) => answer.run(common),
        Command::Retry(retry) => retry.run(common),
        Command::Retire(retire) => retire.run(common),
        Command::Policy(policy) => policy.run(common),
        Command::Plan(plan) => plan.run(common),
        Command::Halt(halt) => halt.run(common),
        Command::Resume(resume) => resume.run(common),
        Command::Tempo(choose) => choose.run(common),
        Command::Promote(group) => group.run(common, "promote"),
        Command::Demote(group) => group.run(common, "demote"),
        Command::EnrolToken(token) => token.run(common),
        Command::Agent(agent) => agent.run(tenon_agent::Program::Tenon, common.format),
        Command::Log(log) => log.run(common),
        Command::Explain(explain) => explain.run(common),
        Command::Predict(predict) => predict.run(common),
        Command::Backtest(backtest) => backtest.run(common),
        Command::Completions(completions) => {
            completions.run();
            Ok(())
        }
        Command::Man(man) => man.run(),
        Command::Reference { page: Page::Refusals } => {
            print!("{}", tenon_server::refusals_reference());
            Ok(())
        }
        Command::Openapi => {
            println!("{}", serde_json::to_string_pretty(&tenon_server::openapi())?);
            Ok(())
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}
