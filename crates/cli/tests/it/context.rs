//! `tenon context check`: a file is read whole or refused with every place, without a server.

use std::path::Path;
use std::process::{Command, Output};

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
