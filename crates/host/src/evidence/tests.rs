//! What is planted on this machine is in what is read of it, within every bound.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::hooks::{HooksFolder, Whose};
use crate::limits::LimitsFile;

/// Processes that end with the test.
struct Planted(Vec<Child>);

impl Planted {
    fn add(&mut self, arguments: &[&OsStr]) -> u32 {
        // `sh` waits for its input; what follows are its arguments, whatever they say.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "read -r line"]).args(arguments).stdin(Stdio::piped());
        let child = command.spawn().unwrap();
        let pid = child.id();
        self.0.push(child);
        pid
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ended = child.kill();
            let _reaped = child.wait();
        }
    }
}

fn asked(order: u64) -> AskedFor<'static> {
    AskedFor {
        order: OrderId::new(order),
        asset: AssetId::of_public_key(b"this host"),
        directive: DirectiveId::new(1),
        targets: &[],
    }
}

/// The document that an outcome holds, read as a server reads it.
fn document(outcome: &EvidenceOutcome) -> EvidenceDocument {
    let EvidenceOutcome::Preserved { digest, document } = outcome else { panic!("{outcome:?}") };
    EvidenceDocument::read(document.as_bytes(), *digest).unwrap()
}

/// Rules of a folder, with or without a file of limits.
fn rules(folder: &Path, text: Option<&str>) -> Rules {
    let file = folder.join("limits.toml");
    match text {
        Some(text) => std::fs::write(&file, text).unwrap(),
        None => drop(std::fs::remove_file(&file)),
    }
    let owner = std::fs::metadata(folder).unwrap().uid();
    Rules {
        limits: LimitsFile::at(&file, owner),
        hooks: HooksFolder::at(&folder.join("hooks.d"), Whose::User(owner)),
    }
}

#[test]
fn what_runs_and_listens_is_preserved_and_hostile_arguments_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut planted = Planted(Vec::new());
    let (odd, long) = (OsStr::from_bytes(b"caf\xff\x1b[2J"), "x".repeat(100_000));
    let (one, two) = (planted.add(&[odd]), planted.add(&[OsStr::new(&long)]));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();

    let outcome = preserve(asked(7), folder.path(), &rules(folder.path(), None));
    let read = document(&outcome);
    let process = |pid: u32| read.processes.iter().find(|process| process.pid == pid).unwrap();
    assert_eq!(process(one).cmdline.last().map(String::as_str), Some("caf\\xff\\x1b[2J"));
    assert_eq!(process(one).ppid, std::process::id());
    assert!(process(one).exe.is_some() && process(one).started > 0);
    let arguments: usize = process(two).cmdline.iter().map(|word| word.len() + 1).sum();
    assert!((4_000..=4_097).contains(&arguments), "{arguments}");
    assert!(
        read.gaps.iter().any(|gap| gap.what.contains("more than 4096 bytes of arguments")),
        "{:?}",
        read.gaps
    );

    let socket = read.sockets.iter().find(|socket| socket.local == address).unwrap();
    assert_eq!((socket.kind.as_str(), socket.state.as_str()), ("tcp", "0A"));
    assert!(socket.pids.contains(&std::process::id()), "{socket:?}");
    let own = read.maps.iter().find(|maps| maps.pid == std::process::id()).unwrap();
    let exe = std::env::current_exe().unwrap();
    assert!(own.files.iter().any(|file| Path::new(file) == exe), "{own:?}");
}

#[test]
fn a_flood_of_processes_pushes_out_none_that_is_unlike_them() {
    let mut planted = Planted(Vec::new());
    let many = "y".repeat(4_000);
    // More than the bound of the list holds.
    for _ in 0..300 {
        planted.add(&[OsStr::new(&many)]);
    }
    let odd = planted.add(&[OsStr::new("the one that matters")]);
    let mut gaps = Gaps::until(Instant::now() + DEADLINE);
    let found = processes::processes(&mut gaps);
    assert!(found.iter().any(|process| process.pid == odd), "pushed out");
    assert!(serde_json::to_string(&found).unwrap().len() <= (1 << 20) + 2);
    let told = gaps.told();
    assert!(told.iter().any(|gap| gap.what.contains("processes are left out")), "{told:?}");
}

#[test]
fn when_time_is_over_what_was_not_read_is_told() {
    let mut gaps = Gaps::until(Instant::now());
    assert_eq!(processes::processes(&mut gaps), []);
    assert_eq!(processes::maps(&mut gaps), []);
    drop(sockets::sockets(&mut gaps));
    let told = gaps.told();
    for part in [EvidencePart::Processes, EvidencePart::Maps, EvidencePart::Sockets] {
        let late = |gap: &&EvidenceGap| gap.part == part && gap.what.contains("before time");
        assert!(told.iter().any(|gap| late(&gap)), "{part}: {told:?}");
    }
}

#[test]
fn the_host_keeps_the_newest_copies_for_root_alone_and_says_where_it_keeps_none() {
    let folder = tempfile::tempdir().unwrap();
    let (work, without) = (folder.path(), rules(folder.path(), None));
    for order in 1..=10 {
        keep("{}", OrderId::new(order), work, &without.limits.read().unwrap()).unwrap();
    }
    let kept = work.join("evidence");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o700);
    let mut names: Vec<String> = std::fs::read_dir(&kept)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let wanted: Vec<String> = (3..=10).map(|order| format!("ord_{order}.json")).collect();
    assert_eq!(names.len(), 8);
    assert!(wanted.iter().all(|name| names.contains(name)), "{names:?}");

    std::fs::remove_dir_all(&kept).unwrap();
    std::fs::write(&kept, "in the way").unwrap();
    let read = document(&preserve(asked(11), work, &without));
    let copy = read.gaps.iter().find(|gap| gap.part == EvidencePart::Copy).unwrap();
    assert!(copy.what.starts_with("the host keeps no copy: "), "{copy:?}");
}

#[test]
fn a_limit_of_root_forbids_it_and_a_window_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |text: &str| match preserve(asked(1), folder.path(), &rules(folder.path(), Some(text))) {
        EvidenceOutcome::NotPreserved { reason } => reason,
        preserved => panic!("{preserved:?}"),
    };
    let said = refused("actions = [\"rehearse\", \"apply\"]");
    assert!(
        said.starts_with("the host refused (limits): ")
            && said.contains("no order to preserve evidence is carried out"),
        "{said}"
    );
    assert!(refused("actions = [").starts_with("the host refused (limits-distrusted): "));
    assert!(!folder.path().join("evidence").exists());
    // Nothing is changed, so that it may be at any time.
    let hour = now().as_millis() / 3_600_000 % 24;
    let (from, to) = ((hour + 6) % 24, (hour + 7) % 24);
    let closed = format!("[windows.later]\nfrom = \"{from:02}:00\"\nto = \"{to:02}:00\"\n");
    let rules = rules(folder.path(), Some(&closed));
    assert!(rules.limits.read().unwrap().begin(Action::Apply, now()).is_err());
    assert!(!document(&preserve(asked(2), folder.path(), &rules)).processes.is_empty());
}
