//! People at the command line, with a server of their own and without any host: invited, signed in, scoped, erased.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const PASSWORD: &str = "correct horse battery staple";

/// `tenon up` in a folder of its own; ended and deleted when this is dropped.
struct Server {
    folder: tempfile::TempDir,
    process: Child,
    url: String,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = tenon(&folder.path().join("owner"));
        command.arg("up").args([
            "--no-agent",
            "--feeds",
            "none",
            "--listen",
            "127.0.0.1:0",
            "--gateway",
            "127.0.0.1:0",
        ]);
        command.arg("--data").arg(folder.path().join("data")).stdin(Stdio::null());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let said = lines.by_ref().map(|line| line.unwrap()).take_while(|line| !line.starts_with("agents"));
        let url =
            said.filter_map(|line| Some(line.strip_prefix("Tenon")?.trim().trim_end_matches('/').to_owned()));
        let url = url.last().unwrap();
        Self { folder, process, url }
    }

    /// One person's terminal: a home of their own. Only the owner reaches the data folder.
    fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, name: &str, words: &[&str], input: &str) -> Output {
        let mut command = tenon(&self.home(name));
        let data = if name == "owner" { "data" } else { "no-data" };
        command.arg("--data").arg(self.folder.path().join(data)).args(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.env("TENON_URL", &self.url).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn ok(&self, name: &str, words: &[&str], input: &str) -> String {
        let output = self.run(name, words, input);
        assert!(output.status.success(), "{name} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command that must fail says.
    fn refused(&self, name: &str, words: &[&str], input: &str) -> String {
        let output = self.run(name, words, input);
        assert!(!output.status.success(), "{name} {words:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// The program in an environment that knows nothing but a home.
fn tenon(home: &std::path::Path) -> Command {
    std::fs::create_dir_all(home).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenon"));
    command.env_clear().env("HOME", home).env("USER", "owner");
    command
}

#[test]
fn a_person_is_invited_signs_in_makes_a_token_and_is_erased() {
    let server = Server::start();
    let invited = server.ok("owner", &["user", "add", "ada", "--role", "analyst", "--role", "approver"], "");
    let code = invited.lines().last().unwrap();
    // On her own machine ada has nothing but the address.
    assert!(server.refused("ada", &["queue"], "").contains("not-signed-in"));
    let credentials = format!("ada\n{PASSWORD}\n");
    assert!(server.refused("ada", &["login"], &credentials).contains("name or password is wrong"));
    let agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(20))).build().new_agent();
    let form = [("name", "ada"), ("code", code), ("password", PASSWORD), ("again", PASSWORD)];
    agent.post(format!("{}/welcome", server.url)).config().max_redirects(0).build().send_form(form).unwrap();
    assert!(server.ok("ada", &["login"], &credentials).contains("as ada (analyst, approver)"));
    server.ok("ada", &["queue"], "");
    assert!(server.refused("ada", &["promote"], "").contains("takes the role operator or admin (no-rights)"));
    assert!(server.refused("ada", &["log", "export"], "").contains("auditor"));
    // Nobody but her can read the file of sessions.
    use std::os::unix::fs::PermissionsExt as _;
    let file = server.home("ada").join(".config/tenon/sessions.json");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);

    let wide = server.refused("ada", &["token", "new", "--role", "operator", "--expires", "1h"], "");
    assert!(wide.contains("ada may not operate"), "{wide}");
    let token =
        server.ok("ada", &["token", "new", "--role", "viewer", "--expires", "1h", "--label", "wall"], "");
    let with_token = |words: &[&str]| {
        let mut command = tenon(&server.home("wall"));
        command.env("TENON_URL", &server.url).env("TENON_TOKEN", token.trim()).args(words).output().unwrap()
    };
    assert!(with_token(&["queue"]).status.success());
    let beyond = with_token(&["promote"]).stderr;
    assert!(String::from_utf8_lossy(&beyond).contains("no-rights"));
    let longer = "correct horse battery staple and cart";
    let change = format!("{PASSWORD}\n{longer}\n");
    assert!(server.ok("ada", &["user", "password"], &change).contains("sign in again"));
    assert!(server.refused("ada", &["queue"], "").contains("the session has ended"));
    server.ok("ada", &["login"], &format!("ada\n{longer}\n"));
    server.ok("ada", &["logout"], "");
    assert!(server.refused("ada", &["queue"], "").contains("not-signed-in"));
    assert!(with_token(&["queue"]).status.success(), "a token does not end with a session");

    let listed = server.ok("owner", &["user", "list"], "");
    assert!(listed.contains("owner") && listed.contains("analyst, approver"), "{listed}");
    assert!(server.ok("owner", &["user", "remove", "ada"], "").contains("the record keeps usr_"));
    assert!(!with_token(&["queue"]).status.success());
    assert!(server.refused("owner", &["user", "remove", "owner"], "").contains("owns the data folder"));
}
