//! Signing in and out, people, and tokens.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::{Value, json};
use tenon_server::{InvitationView, NewTokenView, Role, SessionView, TokenView, UserView};
use tenon_wire::Secret;

use crate::api::Api;
use crate::common::{Common, Format};
use crate::sessions::{Sessions, is_here};

/// Sign in.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon login --server https://tenon.example.org --name ada\n  tenon login < credentials   two lines: name, password"
)]
pub(crate) struct Login {
    /// The server; the one that is asked from then on [default: that of --url]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The name to sign in with.
    #[arg(long)]
    name: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum User {
    /// Add somebody, who sets a password with the code that is printed.
    #[command(after_help = "Example:\n  tenon user add ada --role analyst --role approver")]
    Add {
        /// The name to sign in with.
        name: String,
        /// What for.
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<Role>,
    },
    /// Everybody, with roles.
    List,
    /// Erase somebody with sessions and tokens. The record keeps an opaque id.
    Remove {
        /// The name.
        name: String,
    },
    /// Give somebody these roles in place of the ones they have.
    Role {
        /// The name.
        name: String,
        /// All roles that they are to have.
        #[arg(required = true)]
        roles: Vec<Role>,
    },
    /// Change your own password. Every session of yours ends.
    Password,
    /// A new code to set a password with, for a forgotten one.
    Invite {
        /// The name.
        name: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum Token {
    /// Make a token for a program; its secret is printed once. Programs hand it to `tenon` as TENON_TOKEN.
    #[command(after_help = "Example:\n  tenon token new --role viewer --expires 30d --label dashboard")]
    New {
        /// What it may be used for, as far as you may yourself.
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<Role>,
        /// How long it lives: `90m`, `12h`, `30d`; at most a year.
        #[arg(long, value_parser = seconds, value_name = "TIME")]
        expires: u32,
        /// What it is for.
        #[arg(long, default_value = "")]
        label: String,
    },
    /// Your tokens; an admin sees all.
    List,
    /// End a token.
    Revoke {
        /// `tok_...`
        id: String,
    },
}

/// Reads `90m`, `12h`, `30d`.
fn seconds(text: &str) -> Result<u32, String> {
    let known = || format!("{text:?} is no time: 90m, 12h, 30d");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(known)?;
    let unit = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(known()),
    };
    number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(known)
}

fn line(prompt: &str) -> Result<String> {
    if std::io::stdin().is_terminal() {
        eprint!("{prompt}: ");
        std::io::stderr().flush()?;
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("reading standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A line that is not shown while it is typed.
fn hidden(prompt: &str) -> Result<Secret> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return line(prompt).map(Secret::new);
    }
    let shown = tcgetattr(&stdin)?;
    let mut silent = shown.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
    let typed = line(prompt).map(Secret::new);
    tcsetattr(&stdin, OptionalActions::Flush, &shown)?;
    eprintln!();
    typed
}

impl Login {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        let url = match self.server {
            Some(server) => server.trim_end_matches('/').to_owned(),
            None => common.url(),
        };
        if !url.starts_with("https://") && !is_here(&url) {
            bail!(
                "a password would travel readable to {url}: serve Tenon with --tls-cert and use its https address"
            );
        }
        let name = match self.name {
            Some(name) => name,
            None => line("Name")?,
        };
        let password = hidden("Password")?;
        let api = Api::at(common, &url)?;
        let secret = api.sign_in(&json!({ "name": name, "password": password.expose() }))?;
        Sessions::read()?.keep(&url, &secret)?;
        let me: SessionView = Api::at(common, &url)?.get("/api/v1/session")?;
        println!("signed in to {url} as {} ({})", me.name, me.roles.join(", "));
        Ok(())
    }
}

/// Ends the session with the server.
pub(crate) fn logout(common: &Common) -> Result<()> {
    let url = common.url();
    // One that has ended already is forgotten all the same.
    let ended = Api::new(common)?.delete("/api/v1/session");
    Sessions::read()?.forget(&url)?;
    if let Err(error) = ended {
        eprintln!("the server did not end the session itself: {error:#}");
    }
    println!("signed out of {url}");
    Ok(())
}

/// Prints a thing as JSON, or its line.
fn print<T: serde::Serialize>(common: &Common, thing: &T, said: &str) -> Result<()> {
    match common.format {
        Format::Json => println!("{}", serde_json::to_string(thing)?),
        Format::Text => println!("{said}"),
    }
    Ok(())
}

fn by_name(api: &Api<'_>, name: &str) -> Result<UserView> {
    let users: Vec<UserView> = api.get("/api/v1/users")?;
    let user = users.into_iter().find(|user| user.name.eq_ignore_ascii_case(name) || user.id == name);
    user.with_context(|| format!("nobody signs in as {name:?}: `tenon user list` shows everybody"))
}

fn invited(common: &Common, invitation: &InvitationView) -> Result<()> {
    let InvitationView { user, code, expires } = invitation;
    let url = common.url();
    let said = format!(
        "{} sets a password at {url}/welcome with this code, once, until {expires}:\n{code}",
        user.name
    );
    print(common, invitation, &said)
}

fn names(roles: &[Role]) -> Vec<String> {
    roles.iter().map(Role::to_string).collect()
}

impl User {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        let api = Api::new(common)?;
        match self {
            Self::Add { name, roles } => {
                let body = json!({ "name": name, "roles": names(&roles) });
                invited(common, &api.post("/api/v1/users", &body)?)
            }
            Self::Password => {
                let old = hidden("Old password")?;
                let new = hidden("New password")?;
                let body = json!({ "old": old.expose(), "new": new.expose() });
                api.post_only("/api/v1/session/password", &body)?;
                print(common, &json!({ "changed": true }), "changed; sign in again: tenon login")
            }
            Self::Invite { name } => {
                let id = by_name(&api, &name)?.id;
                invited(common, &api.post(&format!("/api/v1/users/{id}/invitation"), &json!({}))?)
            }
            Self::List => {
                let users: Vec<UserView> = api.get("/api/v1/users")?;
                let line = |user: &UserView| {
                    let password = if user.has_password { "" } else { "  (no password set)" };
                    format!("{}  {:20}  {}{password}", user.id, user.name, user.roles.join(", "))
                };
                let lines: Vec<String> = users.iter().map(line).collect();
                print(common, &users, &lines.join("\n"))
            }
            Self::Remove { name } => {
                let user = by_name(&api, &name)?;
                api.delete(&format!("/api/v1/users/{}", user.id))?;
                print(common, &user, &format!("{} is erased; the record keeps {}", user.name, user.id))
            }
            Self::Role { name, roles } => {
                let id = by_name(&api, &name)?.id;
                let body = json!({ "roles": names(&roles) });
                let user: UserView = api.post(&format!("/api/v1/users/{id}/roles"), &body)?;
                print(common, &user, &format!("{} is {}", user.name, user.roles.join(", ")))
            }
        }
    }
}

impl Token {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        let api = Api::new(common)?;
        match self {
            Self::New { roles, expires, label } => {
                let body: Value =
                    json!({ "label": label, "roles": names(&roles), "expires_seconds": expires });
                let new: NewTokenView = api.post("/api/v1/tokens", &body)?;
                print(common, &new, &new.secret)
            }
            Self::List => {
                let tokens: Vec<TokenView> = api.get("/api/v1/tokens")?;
                let line = |token: &TokenView| {
                    let until = token.expires.as_deref().unwrap_or("revoked");
                    format!("{:16}  {}  until {until}  {}", token.id, token.roles.join(", "), token.label)
                };
                let lines: Vec<String> = tokens.iter().map(line).collect();
                print(common, &tokens, &lines.join("\n"))
            }
            Self::Revoke { id } => {
                api.delete(&format!("/api/v1/tokens/{id}"))?;
                print(common, &json!({ "revoked": id }), &format!("{id} is no token any more"))
            }
        }
    }
}
