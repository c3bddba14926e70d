//! Whose hooks are believed, and the bounds of a program.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tenon_model::{HookEnd, HookMoment, HookRun};

use super::folder::seconds;
use super::program::OUTPUT;
use super::*;

/// A folder that this test's user owns, with hooks in it.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("hooks.d")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("hooks.d").join(name)
    }

    fn put(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        chmod(&path, mode);
        path
    }

    /// Each test has its own: what is left of another's is not killed.
    fn order(&self) -> String {
        self.dir.path().display().to_string()
    }

    fn owner(&self) -> u32 {
        fs::metadata(self.dir.path()).unwrap().uid()
    }

    fn folder(&self) -> HooksFolder {
        HooksFolder::at(&self.dir.path().join("hooks.d"), Whose::User(self.owner()))
    }

    /// Runs a shell script as the `before` of a hook.
    fn run(&self, script: &str, timeout_s: u32) -> HookRun {
        let path = self.put("lb/before", &format!("#!/bin/sh\n{script}\n"), 0o755);
        let about = [("TENON_ORDER", self.order()), ("TENON_PACKAGES", "a:all=1 b:all-".to_owned())];
        let (path, about) = (path.as_path(), about.as_slice());
        run(&Call { hook: "lb", moment: HookMoment::Before, path, timeout_s, about })
    }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn distrusted(place: &Place, path: &str, says: &str) {
    let Err(distrusted) = place.folder().read() else { panic!("{path} is believed") };
    let told = distrusted.to_string();
    assert!(told.starts_with("no order is carried out until root mends "), "{told}");
    let found = distrusted.problems.iter().find(|problem| problem.path.ends_with(path));
    let found = found.unwrap_or_else(|| panic!("{told}"));
    assert!(found.why.contains(says), "{found}");
}

#[test]
fn hooks_are_listed_in_the_order_in_which_they_run() {
    let place = Place::new();
    assert_eq!(place.folder().read(), Ok(Vec::new()), "an empty folder");
    for name in
        ["20-drain/before", "20-drain/after", "20-drain/undo", "10-silence/before", "10-silence/after"]
    {
        place.put(name, "#!/bin/sh\n", 0o755);
    }
    place.put("20-drain/timeout", "300\n", 0o644);
    place.put("30-count/after", "#!/bin/sh\n", 0o700);
    // An editor's draft, and a hook put aside.
    place.put("20-drain/.before.swp", "", 0o600);
    place.put(".40-later/befor", "", 0o666);
    let found = place.folder().look();
    assert_eq!(found.problems, []);
    let names = |moment| found.at(moment).iter().map(|hook| hook.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names(HookMoment::Before), ["10-silence", "20-drain"]);
    assert_eq!(names(HookMoment::After), ["30-count", "20-drain", "10-silence"]);
    assert_eq!(names(HookMoment::Undo), ["20-drain"]);
    let seconds: Vec<u32> = found.hooks.iter().map(|hook| hook.timeout_s).collect();
    assert_eq!(seconds, [USUAL_SECONDS, 300, USUAL_SECONDS]);
    let none = HooksFolder::at(&place.dir.path().join("none"), Whose::User(place.owner()));
    assert_eq!(none.read(), Ok(Vec::new()), "no folder");
}

#[test]
fn only_programs_that_nobody_else_can_write_are_believed() {
    let place = Place::new();
    let before = place.put("lb/before", "#!/bin/sh\n", 0o755);
    assert!(place.folder().read().is_ok());
    for (mode, says) in [
        (0o775, "others may write it (mode 775): chmod go-w"),
        (0o757, "others may write it (mode 757)"),
        (0o644, "it is not executable: chmod u+x"),
    ] {
        chmod(&before, mode);
        distrusted(&place, "lb/before", says);
        assert!(place.folder().program("lb", HookMoment::Before).is_err(), "also when it is about to run");
    }
    chmod(&before, 0o755);
    for folder in ["lb", ""] {
        chmod(&place.path(folder), 0o777);
        let told = place.folder().read().unwrap_err().to_string();
        assert!(told.contains("may be written by others (mode 777): chmod go-w"), "{told}");
        assert!(place.folder().program("lb", HookMoment::Before).is_err());
        chmod(&place.path(folder), 0o755);
    }
    chmod(place.dir.path(), 0o777);
    let told = place.folder().read().unwrap_err().to_string();
    assert!(told.contains("may be written by others"), "a folder on the way: {told}");
    chmod(place.dir.path(), 0o755);

    // Of somebody else.
    let other = HooksFolder::at(place.folder().path(), Whose::User(place.owner() + 1));
    assert!(other.read().is_err());
    assert!(other.program("lb", HookMoment::Before).is_err());
    assert!(HooksFolder::at(place.folder().path(), Whose::Anybody).read().is_ok());
    assert!(place.folder().read().is_ok(), "believed again");
}

#[test]
fn links_and_what_is_not_known_are_not_passed_over() {
    let place = Place::new();
    let outside = place.dir.path().join("outside");
    fs::write(&outside, "#!/bin/sh\n").unwrap();
    chmod(&outside, 0o755);
    fs::create_dir(place.path("lb")).unwrap();
    symlink(&outside, place.path("lb/before")).unwrap();
    distrusted(&place, "lb/before", "it is a link, which is not followed");
    assert!(place.folder().program("lb", HookMoment::Before).is_err());
    fs::remove_file(place.path("lb/before")).unwrap();

    fs::create_dir(place.path("lb/undo")).unwrap();
    distrusted(&place, "lb/undo", "it is not a regular file");
    fs::remove_dir(place.path("lb/undo")).unwrap();

    for (name, says) in [
        ("lb/befor", "it is not known here; before, after, undo and timeout are"),
        ("plain", "a hook is a folder with before, after or undo in it"),
        ("sp ace/before", "a hook's name has at most 64 letters"),
    ] {
        place.put(name, "#!/bin/sh\n", 0o755);
        let path = if name.starts_with("sp") { "sp ace" } else { name };
        distrusted(&place, path, says);
        fs::remove_file(place.path(name)).unwrap();
    }
    fs::remove_dir(place.path("sp ace")).unwrap();
    symlink(place.path("lb"), place.path("other")).unwrap();
    distrusted(&place, "other", "(no link)");
    fs::remove_file(place.path("other")).unwrap();
    assert!(place.folder().read().is_ok());

    for text in ["", "0", "901", "-1", "+5", "1.5", "2 minutes", "99999999999999999999"] {
        place.put("lb/timeout", text, 0o644);
        distrusted(&place, "lb/timeout", "a whole number of seconds from 1 to 900 is expected");
    }
    fs::remove_file(place.path("lb/timeout")).unwrap();
    symlink("/etc/hostname", place.path("lb/timeout")).unwrap();
    distrusted(&place, "lb/timeout", "it is a link");
    fs::remove_file(place.path("lb/timeout")).unwrap();

    for number in 0..=MOST_HOOKS {
        place.put(&format!("{number}/before"), "#!/bin/sh\n", 0o755);
    }
    let told = place.folder().read().unwrap_err().to_string();
    assert!(told.contains("hooks, more than the 32 that are carried out"), "{told}");

    let whole = HooksFolder::at(&outside, Whose::User(place.owner()));
    assert!(whole.read().unwrap_err().to_string().contains("is no folder"));
}

proptest! {
    #[test]
    fn a_timeout_is_within_its_bounds(text in prop::collection::vec(any::<u8>(), 0..8)) {
        if let Some(seconds) = seconds(&text) {
            prop_assert!((1..=MOST_SECONDS).contains(&seconds));
            let text = String::from_utf8(text).unwrap();
            prop_assert_eq!(text.trim().parse::<u32>().unwrap(), seconds);
        }
    }
}

#[test]
fn a_program_has_no_shell_no_arguments_no_input_and_its_own_environment() {
    let place = Place::new();
    let script = "echo $# arguments, $(wc -c) bytes in $(pwd); env | sort; echo to the other >&2; exit 3";
    let ran = place.run(script, 20);
    assert_eq!(ran.end, HookEnd::Exited { code: 3 });
    let lines: Vec<&str> = ran.output.lines().filter(|line| !line.starts_with("_=")).collect();
    assert_eq!(
        lines,
        [
            "0 arguments, 0 bytes in /",
            "HOME=/root",
            "LC_ALL=C",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PWD=/",
            "TENON_HOOK=lb",
            "TENON_MOMENT=before",
            &format!("TENON_ORDER={}", place.order()),
            "TENON_PACKAGES=a:all=1 b:all-",
            "to the other"
        ]
    );
    assert_eq!(place.run("kill -TERM $$", 20).end, HookEnd::Exited { code: 128 + 15 });
    let path = place.put("lb/undo", "no interpreter is named\n", 0o755);
    let call = Call { hook: "lb", moment: HookMoment::Undo, path: &path, timeout_s: 20, about: &[] };
    assert!(matches!(run(&call).end, HookEnd::NotStarted { reason } if reason.contains("Exec format")));
}

/// The state of a process by its number (`S`, `Z`...); `None` when it has gone.
fn state(pid: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).ok()?;
    Some(stat.rsplit_once(") ")?.1.split(' ').next()?.to_owned())
}

/// Waits until a process is killed; who should reap it is not this test's matter.
#[track_caller]
fn gone(pid: &str) {
    let until = Instant::now() + Duration::from_secs(10);
    while state(pid).is_some_and(|state| state != "Z") {
        assert!(Instant::now() < until, "process {pid} still runs");
        std::thread::yield_now();
    }
}

#[test]
fn when_its_time_is_over_the_whole_group_is_killed() {
    let place = Place::new();
    let began = Instant::now();
    let ran = place.run("trap '' TERM; sh -c 'echo $$; exec sleep 600' & sh -c 'echo $$; exec sleep 600'", 1);
    assert_eq!(ran.end, HookEnd::TimedOut { after_s: 1 });
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let pids: Vec<&str> = ran.output.lines().collect();
    assert_eq!(pids.len(), 2, "what it wrote until then is kept: {:?}", ran.output);
    pids.into_iter().for_each(gone);
}

#[test]
fn what_a_program_leaves_behind_neither_holds_it_up_nor_stays() {
    let place = Place::new();
    let began = Instant::now();
    let ran = place.run("sleep 600 & echo $!", 300);
    assert_eq!(ran.end, HookEnd::Exited { code: 0 });
    gone(&ran.output);
    // One that has left the group keeps the pipe open, and is not waited for either.
    let ran =
        place.run("setsid sh -c 'echo $$; exec sleep 600' & while ! pgrep -s $! >/dev/null; do :; done", 300);
    assert_eq!(ran.end, HookEnd::Exited { code: 0 });
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    // It carries the marks of the program that started it, by which an agent that was killed finds it.
    let about = [("TENON_ORDER", place.order())];
    kill_leftovers("lb", HookMoment::After, &about);
    let pid = ran.output.trim().to_owned();
    assert_eq!(state(&pid).as_deref(), Some("S"), "of another program: it is left alone");
    kill_leftovers("lb", HookMoment::Before, &about);
    gone(&pid);
}

#[test]
fn of_a_flood_the_end_is_kept_and_no_orders_to_a_terminal() {
    let place = Place::new();
    let ran = place.run("yes 0123456789 | head -c 3000000; printf 'the \\033[31mend\\000\\377'", 60);
    assert_eq!(ran.end, HookEnd::Exited { code: 0 });
    assert!(
        ran.output.starts_with("[...]\n") && ran.output.ends_with("the  [31mend \u{fffd}"),
        "{:?}",
        ran.output
    );
    assert!(ran.output.len() <= OUTPUT + 6 && ran.output.len() > OUTPUT / 2, "{}", ran.output.len());
    let ran = place.run("head -c 100000 /dev/zero | tr '\\0' '\\377'", 60);
    assert!(ran.output.len() <= OUTPUT + 6, "{} bytes, each of which has become three", ran.output.len());
}
