//! What processes write, by the kernel's own account of their system calls: `strace -ff -y`, one file for each thread.
//!
//! Calls are parted into those that only look, those that write at paths which their arguments name, and those that change more than
//! files. What is none of these, or cannot be read, is told like a write to the wrong place: nothing passes by not being known.

use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// What is traced: every call with the name of a file, and what changes files by descriptors or more than files. `?`: not every
/// machine has the call.
const TRACED: &str = "trace=%file,?openat2,?open_by_handle_at,?fchmod,?fchown,?ftruncate,?fallocate,?utimensat,?futimesat,?fsetxattr,\
    ?fremovexattr,bind,?io_uring_setup,?move_mount,?mount_setattr,?fsmount,?open_tree,?sethostname,?setdomainname,?settimeofday,\
    ?clock_settime,?adjtimex,?clock_adjtime,?init_module,?finit_module,?delete_module,?kexec_load,?kexec_file_load,?reboot,?bpf";
/// Calls that take the name of a file and only look.
const LOOKING: [&str; 21] = [
    "access",
    "chdir",
    "execve",
    "execveat",
    "faccessat",
    "faccessat2",
    "fstatfs",
    "getcwd",
    "getxattr",
    "inotify_add_watch",
    "lgetxattr",
    "listxattr",
    "llistxattr",
    "lstat",
    "name_to_handle_at",
    "newfstatat",
    "readlink",
    "readlinkat",
    "stat",
    "statfs",
    "statx",
];
/// What may be opened for writing, since nothing stays of it: this device, and by their beginnings what has no place.
const NOTHING: &str = "/dev/null";
const NOWHERE: [&str; 4] = ["pipe:", "socket:", "anon_inode:", "/memfd:"];

/// The beginning of a command line that traces what follows it into files which begin with `out`, or the reason why that is not
/// possible here.
pub(crate) fn strace(out: &Path) -> Result<Vec<String>, String> {
    match Command::new("strace").args(["-o", "/dev/null", "true"]).output() {
        Err(error) => return Err(format!("strace cannot be started ({error}): apt-get install strace")),
        Ok(tried) if !tried.status.success() => {
            return Err(format!(
                "strace may not trace here: {}",
                String::from_utf8_lossy(&tried.stderr).trim()
            ));
        }
        Ok(_) => {}
    }
    let words =
        ["strace", "-ff", "-y", "-s", "4096", "-e", "signal=none", "-e", TRACED, "-o"].map(str::to_owned);
    Ok(words.into_iter().chain([out.display().to_string()]).collect())
}

/// What the threads of a trace wrote.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Threads that were looked at.
    pub(crate) threads: usize,
    /// Paths inside of the folder, each as often as it was written.
    pub(crate) inside: Vec<PathBuf>,
    /// Calls that wrote elsewhere, or may have.
    pub(crate) elsewhere: Vec<String>,
}

impl Written {
    /// Reads the files of a trace. Of a thread that became `program` only what came after that counts, and nothing of one that
    /// was `nsenter` and never became it: that is how the test itself gets onto a host.
    pub(crate) fn of(out: &Path, program: &str, folder: &Path) -> Self {
        let mut written = Self::default();
        let begin = format!("{}.", out.file_name().unwrap().to_str().unwrap());
        for entry in std::fs::read_dir(out.parent().unwrap()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&begin)) {
                let bytes = std::fs::read(entry.path()).unwrap();
                written.thread(&String::from_utf8_lossy(&bytes), program, folder);
            }
        }
        written
    }

    /// One thread's calls.
    fn thread(&mut self, text: &str, program: &str, folder: &Path) {
        let lines: Vec<&str> = text.lines().collect();
        let became =
            |name: &str| lines.iter().position(|line| line.starts_with("execve(") && executes(line, name));
        let first = match (became(program), became("nsenter")) {
            (Some(at), _) => at,
            (None, Some(_)) => return,
            (None, None) => 0,
        };
        self.threads += 1;
        for line in &lines[first..] {
            match writes(line) {
                Ok(paths) => {
                    let stays = |path: &&PathBuf| {
                        let known = |path: &str| {
                            path == NOTHING || NOWHERE.iter().any(|begin| path.starts_with(begin))
                        };
                        !path.to_str().is_some_and(known)
                    };
                    let paths: Vec<&PathBuf> = paths.iter().filter(stays).collect();
                    if paths.iter().all(|path| path.starts_with(folder)) {
                        self.inside.extend(paths.into_iter().cloned());
                    } else {
                        self.elsewhere.push((*line).to_owned());
                    }
                }
                Err(why) => self.elsewhere.push(format!("{why}: {line}")),
            }
        }
    }
}

/// Whether a call executed a program of this name.
fn executes(line: &str, program: &str) -> bool {
    let name = line.split('"').nth(1).and_then(|path| path.rsplit('/').next());
    name == Some(program) && line.ends_with(" = 0")
}

/// An argument, or what a call returned.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    /// A text.
    Text(String),
    /// Anything else, with what strace says that a descriptor is.
    Other { said: String, is: Option<String> },
}

/// The paths that a call wrote to, with links as the kernel resolved them where it opened something.
fn writes(line: &str) -> Result<Vec<PathBuf>, &'static str> {
    if line.starts_with("+++ ") || line.is_empty() {
        return Ok(Vec::new());
    }
    let (name, rest) = line.split_once('(').ok_or("no call")?;
    if LOOKING.contains(&name) {
        return Ok(Vec::new());
    }
    let (words, rest) = words(rest)?;
    let returned = rest.trim_start().strip_prefix("= ").ok_or("its end is missing")?;
    if returned.starts_with("-1 ") {
        return Ok(Vec::new());
    }
    let said = |at: usize| match words.get(at) {
        Some(Word::Other { said, .. }) => said.as_str(),
        _ => "",
    };
    // A path that stands alone, one beside the descriptor of its folder, and a descriptor.
    let alone = |at: usize| match words.get(at) {
        Some(Word::Text(path)) if path.starts_with('/') => Ok(plain(Path::new(path))),
        _ => Err("no whole path"),
    };
    let of = |at: usize| match words.get(at) {
        Some(Word::Other { is: Some(is), .. }) => Ok(PathBuf::from(is)),
        _ => Err("no descriptor that is known"),
    };
    let beside = |at: usize| match words.get(at + 1) {
        Some(Word::Text(path)) if path.starts_with('/') => Ok(plain(Path::new(path))),
        Some(Word::Text(path)) if !path.is_empty() => Ok(plain(&of(at)?.join(path))),
        // Of the descriptor itself.
        _ => of(at),
    };
    let opened = |flags: &str| {
        let for_writing = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_TMPFILE", "O_APPEND"];
        if !for_writing.iter().any(|flag| flags.contains(flag)) {
            return Ok(Vec::new());
        }
        let path = returned.split_once('<').map(|(_, path)| path.trim_end().trim_end_matches("(deleted)"));
        let path = path.and_then(|path| path.strip_suffix('>'));
        Ok(vec![PathBuf::from(path.ok_or("what was opened is not told")?)])
    };
    match name {
        "open" => opened(said(1)),
        "openat" | "openat2" => opened(said(2)),
        "creat" => opened("O_CREAT"),
        "unlink" | "rmdir" | "mkdir" | "chmod" | "chown" | "lchown" | "truncate" | "mknod" | "utime"
        | "utimes" | "setxattr" | "lsetxattr" | "removexattr" | "lremovexattr" => Ok(vec![alone(0)?]),
        "rename" | "link" => Ok(vec![alone(0)?, alone(1)?]),
        "symlink" => Ok(vec![alone(1)?]),
        "fchmod" | "fchown" | "ftruncate" | "fallocate" | "fsetxattr" | "fremovexattr" => Ok(vec![of(0)?]),
        "unlinkat" | "mkdirat" | "fchmodat" | "fchmodat2" | "fchownat" | "mknodat" | "utimensat"
        | "futimesat" => Ok(vec![beside(0)?]),
        "renameat" | "renameat2" | "linkat" => Ok(vec![beside(0)?, beside(2)?]),
        "symlinkat" => Ok(vec![beside(1)?]),
        "bind" => match said(1).split_once("sun_path=") {
            Some((_, path)) if !path.starts_with('@') => Err("a socket with a path"),
            _ => Ok(Vec::new()),
        },
        _ => Err("not known to only look"),
    }
}

/// A path without `.` and `..`, as it reads.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// The arguments of a call, and what follows its closing bracket.
fn words(text: &str) -> Result<(Vec<Word>, &str), &'static str> {
    let (mut words, mut depth, mut word, mut at) = (Vec::new(), 0_u32, String::new(), 0);
    let mut text_of_word: Option<String> = None;
    let mut is: Option<String> = None;
    let mut end = |word: &mut String, text: &mut Option<String>, is: &mut Option<String>| {
        let said = std::mem::take(word).trim().to_owned();
        words.push(match (text.take(), said.is_empty()) {
            (Some(text), true) => Word::Text(text),
            _ => Word::Other { said, is: is.take() },
        });
    };
    while let Some(character) = text[at..].chars().next() {
        at += character.len_utf8();
        match character {
            '"' => {
                let (unquoted, length) = unquoted(&text[at..])?;
                at += length;
                if text[at..].starts_with("...") {
                    return Err("a text was cut");
                }
                if depth == 0 {
                    text_of_word = Some(unquoted);
                } else {
                    word.push_str(&unquoted);
                }
            }
            // After a number or a name: what the descriptor is.
            '<' if depth == 0 && word.ends_with(|last: char| last.is_ascii_alphanumeric()) => {
                let length = text[at..].find('>').ok_or("a descriptor without an end")?;
                is = Some(text[at..at + length].to_owned());
                at += length + 1;
            }
            '(' | '[' | '{' => {
                depth += 1;
                word.push(character);
            }
            ')' if depth == 0 => {
                end(&mut word, &mut text_of_word, &mut is);
                return Ok((words, &text[at..]));
            }
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1).ok_or("a bracket too many")?;
                word.push(character);
            }
            ',' if depth == 0 => end(&mut word, &mut text_of_word, &mut is),
            character => word.push(character),
        }
    }
    Err("its end is missing")
}

/// A text up to its quote, and how long it was with its escapes and the quote.
fn unquoted(text: &str) -> Result<(String, usize), &'static str> {
    let (mut unquoted, mut characters) = (String::new(), text.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((unquoted, at + 1)),
            // What is escaped is no part of any path that is compared: it stays as it reads.
            '\\' => {
                unquoted.push('\\');
                unquoted.extend(characters.next().map(|(_, escaped)| escaped));
            }
            character => unquoted.push(character),
        }
    }
    Err("a text without an end")
}

#[test]
fn strace_lines_are_read_and_what_is_not_known_is_told() {
    let own = Path::new("/var/lib/own");
    let judged = |line: &str| {
        let mut written = Written::default();
        written.thread(line, "agent", own);
        (written.inside.len(), written.elsewhere.len())
    };
    // As strace 6.1 writes them.
    for quiet in [
        r#"openat(AT_FDCWD</>, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3</etc/passwd>"#,
        r#"openat(AT_FDCWD</>, "/etc/none", O_WRONLY|O_CREAT, 0666) = -1 EACCES (Permission denied)"#,
        r#"openat(AT_FDCWD</>, "/dev/null", O_RDWR) = 3</dev/null>"#,
        r#"newfstatat(3</etc/passwd>, "", {st_mode=S_IFREG|0644, st_size=1, ...}, AT_EMPTY_PATH) = 0"#,
        r#"execve("/bin/sh", ["sh", "-c", "echo \"(,\""], 0x7ffe /* 3 vars */) = 0"#,
        r#"bind(3<socket:[7]>, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0"#,
        r#"bind(3<socket:[7]>, {sa_family=AF_UNIX, sun_path=@"hidden"}, 12) = 0"#,
        "+++ exited with 0 +++",
    ] {
        assert_eq!(judged(quiet), (0, 0), "{quiet}");
    }
    for inside in [
        r#"openat(AT_FDCWD</>, "/var/lib/own/b c", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</var/lib/own/b c>"#,
        r#"openat(AT_FDCWD</var/lib/own>, "new", O_RDWR|O_CREAT|O_EXCL, 0600) = 4</var/lib/own/new>"#,
        r#"mkdir("/var/lib/own/work", 0700)        = 0"#,
        r#"utimensat(0</var/lib/own/d>, NULL, [{tv_sec=1, tv_nsec=0} /* 1970-01-01T00:00:01+0000 */, UTIME_OMIT], 0) = 0"#,
    ] {
        assert_eq!(judged(inside), (1, 0), "{inside}");
    }
    for planted in [
        r#"openat(AT_FDCWD</>, "/etc/passwd", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</etc/passwd>"#,
        // A link in its own folder that leads out of it.
        r#"openat(AT_FDCWD</>, "/var/lib/own/link", O_RDWR) = 3</etc/shadow>"#,
        r#"openat2(AT_FDCWD</>, "/etc/a", {flags=O_RDWR|O_CREAT, mode=0600, resolve=0}, 24) = 3</etc/a>"#,
        r#"open("/tmp", O_RDWR|O_TMPFILE, 0600) = 3</tmp/#12>(deleted)"#,
        r#"creat("/etc/a", 0666) = 3</etc/a>"#,
        r#"creat("/dev/nullx", 0666) = 3</dev/nullx>"#,
        r#"renameat2(AT_FDCWD</etc>, "b c", AT_FDCWD</etc>, "d", RENAME_NOREPLACE) = 0"#,
        r#"rename("/var/lib/own/a", "/etc/a") = 0"#,
        r#"unlinkat(AT_FDCWD</etc>, "passwd", 0) = 0"#,
        r#"mkdir("/var/lib/own/../elsewhere", 0777) = 0"#,
        r#"mkdir("relative", 0777) = 0"#,
        r#"mkdirat(AT_FDCWD</>, "var/lib/ownx", 0777) = 0"#,
        r#"fchmod(3</etc/passwd>, 0600) = 0"#,
        r#"fchmodat(AT_FDCWD</etc>, "g", 0700) = 0"#,
        r#"fchownat(3</etc/passwd>, "", 0, 0, AT_EMPTY_PATH) = 0"#,
        r#"linkat(AT_FDCWD</>, "/etc/shadow", AT_FDCWD</>, "/var/lib/own/f", 0) = 0"#,
        r#"symlinkat("/var/lib/own/d", AT_FDCWD</etc>, "e") = 0"#,
        r#"ftruncate(3</etc/h>, 5) = 0"#,
        r#"mknodat(AT_FDCWD</tmp>, "i", S_IFIFO|0666) = 0"#,
        r#"utimensat(0</etc/d>, NULL, NULL, 0) = 0"#,
        r#"utimensat(AT_FDCWD</>, "/etc/d", NULL, 0) = 0"#,
        r#"bind(3<socket:[7]>, {sa_family=AF_UNIX, sun_path="/run/a.sock"}, 110) = 0"#,
        r#"mount("none", "/", NULL, MS_REC|MS_PRIVATE, NULL) = 0"#,
        r#"io_uring_setup(8, {flags=0}) = 3<anon_inode:[io_uring]>"#,
        // What is not known, was cut, or has no end.
        r#"a_new_call("/etc/a") = 0"#,
        r#"mkdir("/var/lib/own/"..., 0777) = 0"#,
        r#"unlink("/etc/a" <unfinished ...>"#,
    ] {
        assert_eq!(judged(planted).1.min(1), 1, "{planted}");
    }
    let entered = "execve(\"/usr/bin/nsenter\", [\"nsenter\"], 0x1 /* 2 vars */) = 0\nchroot(\".\") = 0\n";
    assert_eq!(judged(entered), (0, 0), "how the test gets there");
    let agent = format!(
        "{entered}execve(\"/usr/bin/agent\", [\"agent\"], 0x1 /* 2 vars */) = 0\nmkdir(\"/etc/a\", 0777) = 0\n"
    );
    assert_eq!(judged(&agent), (0, 1));
}
