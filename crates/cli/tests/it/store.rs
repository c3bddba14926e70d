//! The record in a PostgreSQL database, from the command line: started, verified, exported; no password shown.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use tenon_journal::postgres::server::{Server, ServerError};

/// The server, or nothing where this machine has none, which is then said.
fn server(test: &str) -> Option<Arc<Server>> {
    match Server::shared() {
        Ok(server) => Some(server),
        Err(error @ (ServerError::Absent | ServerError::NobodyElse)) => {
            println!("skipped: {test}: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn tenon(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenon"));
    command.env("TENON_DATA", data).env_remove("TENON_STORE").env_remove("TENON_FEEDS").env("HOME", data);
    command.stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A Tenon at work, ended when this is dropped.
struct Up {
    child: Child,
    greeting: Vec<String>,
}

impl Up {
    fn start(data: &Path, store: &str) -> Self {
        let mut command = tenon(data);
        command.args(["up", "--no-agent", "--feeds", "none"]);
        command.args(["--listen", "127.0.0.1:0", "--gateway", "127.0.0.1:0"]).env("TENON_STORE", store);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        // Its last line of greeting says where agents connect.
        let mut greeting = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let last = line.starts_with("agents");
            greeting.push(line);
            if last {
                break;
            }
        }
        Self { child, greeting }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // It is told in the harshest way, which the record must survive too.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

#[test]
fn the_record_in_a_database_is_verified_and_exported_while_a_server_writes_it() {
    let Some(server) = server("the_record_in_a_database") else { return };
    server.database("command_line").unwrap();
    let store = server.text("command_line");
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=2 {
        let up = Up::start(folder.path(), &store);
        let record = up.greeting.iter().find(|line| line.starts_with("record")).unwrap();
        assert!(record.contains("/command_line (kept on one machine"), "{record}");
        let output = tenon(folder.path()).args(["log", "verify", "--store", &store]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(text(&output).contains(&format!("{round} entries, every hash right")), "{output:?}");
    }
    let output = tenon(folder.path()).args(["log", "export"]).env("TENON_STORE", &store).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let export = folder.path().join("export.jsonl");
    std::fs::write(&export, &output.stdout).unwrap();
    let output = tenon(folder.path()).args(["log", "verify"]).arg(&export).output().unwrap();
    assert!(text(&output).contains("2 entries, every hash right"), "{output:?}");
}

#[test]
fn no_password_of_a_store_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "hunter2secret";
    for store in [
        format!("postgres://ops:{secret}@127.0.0.1:1/tenon"),
        format!("postgres://ops:{secret}@127.0.0.1:port/tenon"),
        format!("postgres://ops:{secret}@db.example.org/tenon"),
        format!("mysql://ops:{secret}@127.0.0.1/tenon"),
    ] {
        for words in [
            &["log", "verify"][..],
            &["log", "export"],
            &["up", "--no-agent", "--help"],
            &["up", "--no-agent"],
        ] {
            for by_flag in [true, false] {
                let mut command = tenon(folder.path());
                command.args(words);
                if by_flag {
                    command.args(["--store", &store]);
                } else {
                    command.env("TENON_STORE", &store);
                }
                let output = command.output().unwrap();
                let told = text(&output);
                assert_eq!(output.status.success(), words.contains(&"--help"), "{told}");
                assert!(!told.contains(secret), "{told}");
            }
        }
    }
}
