//! `tenon context check`: a file is read whole or refused with every place, without a server.

use std::path::Path;
use std::process::{Command, Output};

use tenon_server::{Hosts, Settings, serve};

fn check(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenon"));
    command.current_dir(folder).args(["context", "check"]).args(words).output().unwrap()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_context_file_is_checked_with_what_a_cmdb_adds() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("before.yaml", "services: { shop: { criticality: high } }\n");
    write(
        "context.yaml",
        "services: { shop: { criticality: critical } }\nassets: { web1: { services: shop } }\n",
    );
    write("servers.csv", "name;u_tier;rack\nweb1;prod;7\nweb2;dev;8\n");
    let words = [
        "context.yaml",
        "--before",
        "before.yaml",
        "--cmdb",
        "servers.csv",
        "--column",
        "u_tier=environment",
    ];
    let output = check(folder.path(), &words);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        lines(&output.stdout),
        [
            "0 zones, 0 of them where attacks begin; 0 flows",
            "0 teams, 1 services, 0 redundancy groups",
            "2 assets, 0 rules",
            "no defaults",
            "~ service shop: criticality high -> critical",
            "+ asset web1: environment production; services shop",
            "+ asset web2: environment development",
        ]
    );
    assert_eq!(
        lines(&output.stderr),
        [
            "servers.csv: 2 rows, 2 assets",
            "servers.csv: column \"name\" is host",
            "servers.csv: column \"u_tier\" is environment",
            "servers.csv: column \"rack\" is not known and left out; --column rack=FIELD says what it is",
        ]
    );
}

#[test]
fn a_context_file_with_mistakes_is_refused_with_every_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("context.yaml"), "zonse: {}\nassets:\n  web1: { zone: dmz }\n")
        .unwrap();
    let output = check(folder.path(), &["context.yaml"]);
    assert!(!output.status.success());
    let told = lines(&output.stderr);
    assert!(told[0].starts_with("context.yaml: line 1, column 1: \"zonse\" is not known here"), "{told:?}");
    assert!(told[1].starts_with("context.yaml: line 3, column 17: zone dmz is not defined"), "{told:?}");
    assert_eq!(told[2], "tenon: context.yaml: 2 problems; nothing is taken over");
}

#[test]
fn a_context_file_is_shown_first_and_taken_over_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let names = vec!["localhost".to_owned()];
    let hosts = Hosts::Real { gateway: "127.0.0.1:0".parse().unwrap(), names };
    let settings = Settings::on_loopback(data.clone(), hosts, "tester".parse().unwrap());
    let running = runtime.block_on(serve(settings)).unwrap();
    let url = format!("http://{}", running.listen);
    let tenon = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenon"));
        command.current_dir(folder.path()).env("TENON_DATA", &data).env("TENON_URL", &url);
        command.arg("context").args(words).output().unwrap()
    };
    std::fs::write(folder.path().join("context.yaml"), "services: { shop: { criticality: high } }\n")
        .unwrap();

    let seen = ["against context version 0:", "  + service shop: criticality high", "for 0 assets:"];
    let shown = tenon(&["apply", "context.yaml", "--diff"]);
    assert!(shown.status.success(), "{shown:?}");
    assert_eq!(lines(&shown.stdout), seen);
    let refused = tenon(&["apply", "context.yaml"]);
    assert!(!refused.status.success());
    assert_eq!(
        lines(&refused.stderr),
        ["tenon: nothing is taken over; --yes takes this over, --diff only shows it"]
    );
    assert_eq!(lines(&tenon(&["show"]).stdout)[0], "no context was taken over yet");
    let taken = tenon(&["apply", "context.yaml", "--yes"]);
    assert!(taken.status.success(), "{taken:?}");
    assert_eq!(
        lines(&taken.stdout).last().unwrap(),
        "context version 1 counts; every directive is ranked anew"
    );
    let again = tenon(&["apply", "context.yaml", "--yes"]);
    assert_eq!(lines(&again.stdout), ["nothing changes: context version 1 says that already"]);
    let shown = lines(&tenon(&["show"]).stdout);
    assert_eq!(shown[0], "context version 1:");
    assert!(
        shown.iter().any(|line| line.starts_with("0 of 0 hosts have no stated sensitivity")),
        "{shown:?}"
    );
    runtime.block_on(running.stop());
}
