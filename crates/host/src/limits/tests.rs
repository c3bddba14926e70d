use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use proptest::prelude::*;
use tenon_model::Unit;

use super::*;

/// Every key, as `docs/operations.md` and `docs/reference/limits.toml` have them.
const EVERYTHING: &str = r#"
actions = ["rehearse", "preserve-evidence", "apply"]
never_touch = ["libc6", "linux-image-*"]
never_restart = ["postgresql@*", "nginx"]
max_removals = 2
reboot = false
min_free = "2GB"

[windows.night]
days = ["saturday", "sunday"]
from = "22:00"
to = "04:00"
zone = "Europe/Berlin"

[windows.noon]
from = "12:00"
to = "13:00"
"#;

/// Two keys, of which nobody need hold the other half here.
const ALICE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB60hiG7AfHKRfKElNIUq8kjSp8NB6P9qfa3R9SrmXaj alice@example";
const BOB: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILEkMT74u9mSA0HAtLd7Ua/rl7cVdKKy3DByUYmY8TdR bob@example";

fn limits(text: &str) -> Limits {
    read(text).unwrap_or_else(|problems| panic!("{text}: {:?}", problems.listed()))
}

/// What is wrong with a text, a line each.
fn wrong(text: &str) -> Vec<String> {
    let Err(problems) = read(text) else { panic!("{text:?} reads") };
    problems.listed().iter().map(ToString::to_string).collect()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn everything_is_read_and_said() {
    assert_eq!(
        limits(EVERYTHING).sentences(),
        [
            "It never upgrades, installs or removes libc6, linux-image-*.",
            "It never makes a change that touches what postgresql@*, nginx.service runs.",
            "It never removes more than 2 packages in one change.",
            "It never begins a change outside night: Saturday, Sunday 22:00 to 04:00 (Europe/Berlin), or noon: every day 12:00 to \
             13:00 (UTC).",
            "It never makes a change whose packages ask for a reboot.",
            "It never begins a change with less than 2 GB free on a file system that the change writes to.",
            "It never reboots: there is no order for that.",
        ]
    );
    let nothing = ["It never removes a package.", "It never reboots: there is no order for that."];
    assert_eq!(limits("").sentences(), nothing);
    assert_eq!(limits("# only a comment"), Limits::default());
    assert_eq!(
        limits("actions = []").sentences()[..3],
        [
            "It never carries out an order to rehearse.",
            "It never carries out an order to preserve evidence.",
            "It never carries out an order to apply."
        ]
    );
    for (size, bytes) in
        [("\"2GB\"", 2_000_000_000), ("\"1 GiB\"", 1 << 30), ("0", 0), ("4096", 4096), ("\"7B\"", 7)]
    {
        assert_eq!(limits(&format!("min_free = {size}")).min_free, bytes, "{size}");
    }
}

#[test]
fn the_file_that_ships_as_an_example_reads() {
    let example =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/limits.toml"));
    let example = example.unwrap();
    assert_eq!(limits(&example), Limits::default(), "as it ships it changes nothing");
    // With its settings taken out of their comments it sets every key.
    let set: Vec<&str> = example.lines().filter_map(|line| line.strip_prefix("#: ")).collect();
    let all = limits(&set.join("\n"));
    let Limits {
        from: _,
        actions,
        never_touch,
        never_restart,
        max_removals: _,
        reboot,
        min_free,
        windows,
        approval,
    } = all;
    let asked = approval.unwrap().asked();
    assert_eq!((asked.needed, asked.keys.len()), (1, 1));
    assert!(
        actions.len() == 1 && !never_touch.is_empty() && !never_restart.is_empty() && !windows.is_empty()
    );
    assert!(!reboot && min_free > 0);
}

#[test]
fn keys_whose_signatures_are_asked_for_are_read_and_said() {
    let asks = limits(&format!("[approval]\nneeded = 2\nkeys = [{ALICE:?}, {BOB:?}]"));
    let asked = asks.approval.as_ref().unwrap().asked();
    assert_eq!(
        asks.sentences()[1],
        format!(
            "It never makes a change that is not signed by 2 of these keys: {} (alice@example), {} (bob@example).",
            asked.keys[0], asked.keys[1]
        )
    );
    let one = limits(&format!("approval = {{ keys = [{ALICE:?}] }}"));
    assert_eq!(one.approval.as_ref().unwrap().needed, 1, "where nothing is said one is needed");
    assert!(
        one.sentences()[1]
            .starts_with("It never makes a change that is not signed by one of these keys: SHA256:")
    );
    for (text, expected) in [
        ("approval = true".to_owned(), "line 1, column 12: a table is expected"),
        ("[approval]".to_owned(), "line 1, column 1: `keys` is missing"),
        ("[approval]\nneeded = 1".to_owned(), "line 1, column 1: `keys` is missing"),
        (
            "[approval]\nkeys = []".to_owned(),
            "line 1, column 1: 1 signatures are needed, and there are 0 keys",
        ),
        (
            format!("[approval]\nneeded = 2\nkeys = [{ALICE:?}]"),
            "line 2, column 10: 2 signatures are needed, and there are 1",
        ),
        (
            format!("[approval]\nneeded = 0\nkeys = [{ALICE:?}]"),
            "line 2, column 10: at least 1 signature is needed",
        ),
        (
            format!("[approval]\nneeded = -1\nkeys = [{ALICE:?}]"),
            "line 2, column 10: a whole number is expected",
        ),
        (
            format!("[approval]\nneded = 1\nkeys = [{ALICE:?}]"),
            "line 2, column 1: \"neded\" is not known here; did you mean needed?",
        ),
        (
            format!("[approval]\nneeded = 2\nkeys = [{ALICE:?},\n{ALICE:?}]"),
            "line 2, column 10: 2 signatures are needed",
        ),
        (format!("[approval]\nkeys = [{ALICE:?},\n{ALICE:?}]"), "line 3, column 1: SHA256:"),
        (
            "[approval]\nkeys = [\"ssh-rsa AAAA carol\"]".to_owned(),
            "line 2, column 9: ssh-rsa is not taken: ssh-ed25519 and sk-ssh-ed25519@openssh.com are",
        ),
        ("[approval]\nkeys = [\"alice\"]".to_owned(), "line 2, column 9: not the line of a public key"),
    ] {
        let told = wrong(&text);
        assert!(told.iter().any(|told| told.starts_with(expected)), "{text}: {told:?}");
    }
}

#[test]
fn a_change_that_nobody_signed_is_refused_where_signatures_are_asked_for() {
    use tenon_model::{AssetId, DirectiveId};
    let transaction = Transaction::default();
    let change = HostChange {
        asset: AssetId::of_public_key(b"this host"),
        hostname: "web1",
        directive: DirectiveId::new(10),
        targets: &[],
        transaction: &transaction,
        files: &[],
    };
    let now = at("2026-11-30T12:00:00Z");
    assert_eq!(Limits::default().approved(&change, &[], now), Ok(()));
    let mut asks = limits(&format!("[approval]\nkeys = [{ALICE:?}]"));
    asks.from = Some("/etc/tenon/limits.toml".into());
    let refusal = asks.approved(&change, &[], now).unwrap_err();
    assert_eq!(refusal.code(), "unapproved");
    assert_eq!(
        refusal.to_string(),
        "`approval` of /etc/tenon/limits.toml: 0 of the 1 signatures that it asks for are there, and the order carries no \
         other; sign with `tenon approve dir_10 --key FILE`"
    );
}

#[test]
fn what_is_not_understood_is_a_problem_with_its_place() {
    for (text, expected) in [
        ("never_tuch = []", "line 1, column 1: \"never_tuch\" is not known here; did you mean never_touch?"),
        (
            "\n  quota = 1",
            "line 2, column 3: \"quota\" is not known here; one of actions, never_touch, never_restart, ",
        ),
        (
            "actions = [\"rehearse\", \"reboot\"]",
            "line 1, column 24: \"reboot\" is none of rehearse, preserve-evidence, apply: there is no",
        ),
        ("actions = \"apply\"", "line 1, column 11: a list is expected"),
        ("actions = [1]", "line 1, column 12: a text in quotes is expected"),
        ("never_touch = [\"*\"]", "line 1, column 16: \"*\" is no name of a package"),
        ("never_touch = [\"a*b\"]", "line 1, column 16: \"a*b\" is no name of a package"),
        ("never_touch = [\"libc6:amd64\"]", "line 1, column 16: \"libc6:amd64\" is no name"),
        ("max_removals = -1", "line 1, column 16: a whole number is expected, 0 or more"),
        ("max_removals = \"1\"", "line 1, column 16: a whole number"),
        ("reboot = \"no\"", "line 1, column 10: true or false is expected"),
        ("min_free = \"2 Gb\"", "line 1, column 12: a size is expected"),
        ("min_free = 1.5", "line 1, column 12: a size"),
        ("min_free = \"99999999TiB\"", "line 1, column 12: a size"),
        ("min_free = \"GB\"", "line 1, column 12: a size"),
        ("[windows]", "line 1, column 1: 0 windows, from 1 to 500 are accepted"),
        ("windows = []", "line 1, column 11: named windows are expected"),
        ("[windows.a]\nfrom = \"1:00\"", "line 1, column 10: `to` is missing"),
        ("[windows.a]\nfrom = 1\nto = \"2:00\"", "line 2, column 8: a text in quotes"),
        ("[windows.a]\nfrom = \"24:00\"\nto = \"2:00\"", "line 2, column 8: \"24:00\" is no time of the day"),
        (
            "[windows.a]\nfrom = \"1:00\"\nto = \"2:00\"\ndays = []",
            "line 4, column 8: a window that opens on no day",
        ),
        (
            "[windows.a]\nfrom = \"1:00\"\nto = \"2:00\"\ndays = [\"sun\"]",
            "line 4, column 9: \"sun\" is none of monday",
        ),
        (
            "[windows.a]\nfrom = \"1:00\"\nto = \"2:00\"\nzone = \"Europe/Berln\"",
            "line 4, column 8: \"Europe/Berln\" is no time zone; an IANA name like Europe/Berlin, or UTC",
        ),
        (
            "[windows.a]\nfrom = \"1:00\"\nuntil = \"2:00\"\nto = \"3:00\"",
            "line 3, column 1: \"until\" is not known",
        ),
        ("reboot = true\nreboot = false", "line 2, column 1: duplicate key"),
        ("reboot = ", "line 1, column "),
        ("[[actions]]\nx = 1", "line 1, column 1: a list is expected"),
    ] {
        let found = wrong(text);
        assert!(found.first().is_some_and(|first| first.starts_with(expected)), "{text:?}: {found:?}");
    }
    // All of them at once, not one after the other.
    assert_eq!(wrong("reboot = 1\nmin_free = true\nx = 1\nnever_touch = [\"\", \"/\"]").len(), 5);
}

#[test]
fn a_hostile_text_is_refused_within_bounds() {
    let deep = [
        format!("x = {}{}", "[".repeat(10_000), "]".repeat(10_000)),
        format!("x = {}1{}", "{x=".repeat(9_000), "}".repeat(9_000)),
        format!("{}x = 1", "x.".repeat(30_000)),
        format!("[{}x]", "x.".repeat(30_000)),
        "[[windows.x]]\n".repeat(4_000),
        format!("never_touch = [{}]", "\"a\",".repeat(10_000)),
        format!("actions = [\"{}\"]", "é".repeat(20_000)),
        format!("{} = 1", "x".repeat(60_000)),
        "\u{feff}\0".to_owned(),
        (0..6_000).map(|key| format!("k{key}=1\n")).collect(),
    ];
    for text in deep {
        let found = wrong(&text);
        assert!(found.iter().all(|line| line.chars().count() < 400), "{found:?}");
    }
    let large = format!("# {}", "x".repeat(1 << 20));
    assert_eq!(wrong(&large), ["line 1, column 1: 1048578 bytes, more than the 65536 accepted"]);
}

fn name() -> impl Strategy<Value = Names> {
    ("[a-z0-9][a-z0-9+.-]{0,20}", any::<bool>()).prop_map(|(name, beginning)| match beginning {
        true => Names::Beginning(name),
        false => Names::Exactly(name),
    })
}

fn texts<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = items.into_iter().map(|item| format!("{:?}", item.to_string())).collect();
    format!("[{}]", texts.join(", "))
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(
        actions in prop::collection::btree_set(prop::sample::select(&Action::ALL[..]), 0..=2),
        never_touch in prop::collection::vec(name(), 0..5),
        (max_removals, reboot, min_free) in (0..9_u64, any::<bool>(), 0..(1_u64 << 62)),
    ) {
        let text = format!(
            "actions = {}\nnever_touch = {}\nmax_removals = {max_removals}\nreboot = {reboot}\nmin_free = {min_free}\n",
            texts(&actions), texts(&never_touch),
        );
        let written = Limits { actions, never_touch, max_removals, reboot, min_free, ..Limits::default() };
        prop_assert_eq!(limits(&text), written);
    }

    #[test]
    fn a_text_reads_or_says_where_it_does_not(at in 0..EVERYTHING.len(), put in "\\PC{0,3}", cut in 0..4_usize) {
        let end = (at + cut).min(EVERYTHING.len());
        let (before, after) = (&EVERYTHING[..at], &EVERYTHING[end..]);
        if let Err(problems) = read(&format!("{before}{put}{after}")) {
            prop_assert!(problems.listed().iter().all(|problem| problem.place.starts_with("line ")));
        }
    }
}

/// A folder that only its owner writes, and its owner.
fn folder() -> (tempfile::TempDir, u32) {
    let folder = tempfile::tempdir().unwrap();
    (folder, rustix::process::geteuid().as_raw())
}

#[test]
fn only_a_file_that_nobody_else_can_write_is_believed() {
    let (folder, me) = folder();
    let path = folder.path().join("limits.toml");
    let file = LimitsFile::at(&path, me);
    let why = || file.read().unwrap_err().why;
    assert_eq!(file.read(), Ok(Limits::default()), "there is none");
    fs::write(&path, "reboot = false").unwrap();
    let read = file.read().unwrap();
    assert_eq!((read.from.as_deref(), read.reboot), (Some(path.as_path()), false));
    fs::write(&path, "reboot = true").unwrap();
    assert!(file.read().unwrap().reboot, "read anew each time");

    for mode in [0o666, 0o664, 0o646, 0o602] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(why(), format!("others may write it (mode {mode:o}): chmod go-w"));
    }
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert!(file.read().is_ok());
    let another = me + 1;
    let theirs = LimitsFile::at(&path, another).read().unwrap_err();
    assert!(theirs.why.contains(&format!("belongs to user {me}")) || me == 0, "{theirs}");
    if me == 0 {
        assert_eq!(theirs.why, format!("it belongs to user 0, not to user {another}"));
    }

    for mode in [0o777, 0o775, 0o757] {
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        assert!(
            why().ends_with(&format!("may be written by others (mode {mode:o}): chmod go-w")),
            "{}",
            why()
        );
    }
    fs::remove_file(&path).unwrap();
    assert!(why().contains("may be written by others"), "whoever writes the folder may have taken it away");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(file.read(), Ok(Limits::default()));
}

#[test]
fn what_is_no_plain_file_of_plain_text_is_not_believed() {
    let (folder, me) = folder();
    let path = folder.path().join("limits.toml");
    let why = |path: &Path| LimitsFile::at(path, me).read().unwrap_err().why;
    let other = folder.path().join("other.toml");
    fs::write(&other, "reboot = false").unwrap();
    symlink(&other, &path).unwrap();
    assert!(why(&path).starts_with("it is a link, which is not followed"), "{}", why(&path));
    fs::remove_file(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    assert!(why(&path).starts_with("it is a link"), "a link to nothing is not nothing: {}", why(&path));
    fs::remove_file(&path).unwrap();

    fs::create_dir(&path).unwrap();
    assert_eq!(why(&path), "it is not a regular file");
    assert!(why(&other.join("limits.toml")).contains("other.toml is no folder"));
    let linked = folder.path().join("linked");
    symlink(&path, &linked).unwrap();
    assert!(why(&linked.join("limits.toml")).contains("linked is no folder (a link is not followed)"));
    fs::remove_dir(&path).unwrap();

    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    assert_eq!(why(&path), "it is not a regular file", "and a pipe is not waited for");
    fs::remove_file(&path).unwrap();

    fs::write(&path, "x".repeat(1 << 20)).unwrap();
    assert_eq!(why(&path), "it is larger than the 65536 bytes accepted");
    fs::write(&path, b"reboot = false\n# \xff").unwrap();
    assert_eq!(why(&path), "line 2, column 3: not UTF-8");
    fs::write(&path, "reboot = 0\nx = 1").unwrap();
    let distrust = LimitsFile::at(&path, me).read().unwrap_err();
    assert_eq!(distrust.problems.len(), 2);
    assert!(distrust.to_string().starts_with("no order is carried out until root mends "), "{distrust}");
    assert!(
        distrust.to_string().ends_with("line 1, column 10: true or false is expected (and 1 more)"),
        "{distrust}"
    );
}

fn step(package: &str, change: Change) -> TransactionStep {
    TransactionStep { package: package.to_owned(), architecture: "amd64".to_owned(), change }
}

/// An upgrade that a dependency joins, and one that removes something.
fn transactions() -> [Transaction; 2] {
    let upgrade = |package| step(package, Change::Upgrade { from: "1".to_owned(), to: "2".to_owned() });
    let new = step("nginx-common", Change::Install { to: "2".to_owned() });
    let gone = step("old-modules", Change::Remove { from: "1".to_owned() });
    [vec![upgrade("nginx"), new.clone()], vec![upgrade("nginx"), new, gone]]
        .map(|steps| Transaction { steps, kept_back: Vec::new() })
}

/// What a limit says of an order that has passed every other one: `None` lets it begin.
fn asked(limits: &Limits, action: Action, transaction: &Transaction, now: &str) -> Option<String> {
    let room = |path: &str, free| Room { path: PathBuf::from(path), free };
    let answer = limits
        .begin(action, at(now))
        .and_then(|()| limits.transaction(transaction))
        .and_then(|()| {
            limits.units(&[Unit("nginx.service".to_owned()), Unit("postgresql@15-main.service".to_owned())])
        })
        .and_then(|()| limits.rooms(&[room("/", 5_000_000_000), room("/var", 1_000_000_000)]))
        .and_then(|()| limits.reboot(Some(true)));
    let refusal = answer.err()?;
    assert_eq!(refusal.code(), "limits");
    let text = refusal.to_string();
    Some(text.strip_prefix("this host's own limits forbid it: ").unwrap().to_owned())
}

#[test]
fn each_limit_refuses_what_it_names_and_nothing_else() {
    let [plain, removing] = transactions();
    // A Saturday.
    let (noon, night) = ("2026-11-28T12:30:00Z", "2026-11-28T22:30:00Z");
    for (text, action, transaction, now, expected) in [
        ("", Action::Apply, &plain, noon, None),
        ("", Action::Rehearse, &plain, noon, None),
        (
            "",
            Action::Apply,
            &removing,
            noon,
            Some(
                "`max_removals` by default: at most 0 packages are removed, and this would remove 1, old-modules first; remove them by hand",
            ),
        ),
        ("max_removals = 1", Action::Apply, &removing, noon, None),
        (
            "actions = [\"rehearse\"]",
            Action::Apply,
            &plain,
            noon,
            Some("`actions` by default: no order to apply is carried out; a person does it by hand"),
        ),
        ("actions = [\"rehearse\"]", Action::Rehearse, &plain, noon, None),
        (
            "actions = [\"apply\"]",
            Action::Rehearse,
            &plain,
            noon,
            Some("`actions` by default: no order to rehearse is carried out; a person does it by hand"),
        ),
        (
            "never_touch = [\"apache2\", \"nginx\"]",
            Action::Rehearse,
            &plain,
            noon,
            Some(
                "`never_touch` by default: nginx is never touched, and this would upgrade nginx 1 -> 2; leave it out",
            ),
        ),
        (
            "never_touch = [\"nginx-*\"]",
            Action::Apply,
            &plain,
            noon,
            Some(
                "`never_touch` by default: nginx-* is never touched, and this would install nginx-common 2; leave it out",
            ),
        ),
        (
            "never_touch = [\"old-modules\"]\nmax_removals = 5",
            Action::Apply,
            &removing,
            noon,
            Some(
                "`never_touch` by default: old-modules is never touched, and this would remove old-modules 1; leave it out",
            ),
        ),
        ("never_touch = [\"ngin\", \"nginx-common-\"]", Action::Apply, &plain, noon, None),
        (
            "never_restart = [\"postgresql@*\"]",
            Action::Apply,
            &plain,
            noon,
            Some(
                "`never_restart` by default: postgresql@* is never restarted, and this replaces what postgresql@15-main.service \
                 runs; upgrade by hand when it may stop",
            ),
        ),
        ("never_restart = [\"postgresql\", \"ssh.service\"]", Action::Apply, &plain, noon, None),
        (
            "min_free = \"2GB\"",
            Action::Apply,
            &plain,
            noon,
            Some(
                "`min_free` by default: 2 GB stay free, and the file system of /var has 1 GB; free room there, then retry",
            ),
        ),
        ("min_free = 1_000_000_000", Action::Apply, &plain, noon, None),
        (
            "reboot = false",
            Action::Apply,
            &plain,
            noon,
            Some(
                "`reboot` by default: no change is made that asks for a reboot, and this one does; upgrade by hand",
            ),
        ),
        ("windows.n = { from = \"22:00\", to = \"04:00\" }", Action::Apply, &plain, night, None),
        ("windows.n = { from = \"22:00\", to = \"04:00\" }", Action::Rehearse, &plain, noon, None),
        (
            "windows.n = { from = \"22:00\", to = \"04:00\" }",
            Action::Apply,
            &plain,
            noon,
            Some(
                "`windows` by default: changes begin in n: every day 22:00 to 04:00 (UTC) alone, it is 2026-11-28T12:30:00Z and the \
                 next begins at 2026-11-28T22:00:00Z: retry then",
            ),
        ),
        (
            "windows.n = { from = \"22:00\", to = \"04:00\", days = [\"sunday\"], zone = \"America/New_York\" }",
            Action::Apply,
            &plain,
            night,
            Some(
                "`windows` by default: changes begin in n: Sunday 22:00 to 04:00 (America/New_York) alone, it is \
                 2026-11-28T22:30:00Z and the next begins at 2026-11-30T03:00:00Z: retry then",
            ),
        ),
    ] {
        let found = asked(&limits(text), action, transaction, now);
        assert_eq!(found.as_deref(), expected, "{text} {action}");
    }
    let file = Limits { from: Some(PathBuf::from("/etc/tenon/limits.toml")), ..limits("actions = []") };
    let found = asked(&file, Action::Apply, &plain, noon).unwrap();
    assert!(found.starts_with("`actions` of /etc/tenon/limits.toml: "), "{found}");
    // A hostile server may leave the rehearsal out: what was not rehearsed here is not known to ask for no reboot.
    assert!(limits("reboot = false").reboot(None).is_err());
    assert!(limits("reboot = false").reboot(Some(false)).is_ok());
    assert!(limits("").reboot(None).is_ok());
}

#[test]
fn the_file_systems_that_a_change_writes_to_are_found_once() {
    let work = tempfile::tempdir().unwrap();
    let written = written_by(&[], work.path());
    assert!(written.contains(work.path()) && written.contains(Path::new("/var/lib/dpkg")));
    let found = rooms(&written);
    assert!(!found.is_empty() && found.len() <= written.len());
    assert_eq!(rooms(&["/".into(), "/.".into(), "/not/there".into()].into()).len(), 1);
}
