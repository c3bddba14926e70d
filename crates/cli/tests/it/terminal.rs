//! `tenon watch` in a pseudo-terminal, made by `script` of util-linux: what a person sees on it, narrow and wide, and Ctrl-C.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tenon_server::DirectiveView;

use crate::played::Played;

/// How long it may take until what is waited for stands on a terminal.
const DEADLINE: Duration = Duration::from_secs(180);
/// The sign that the Ctrl-C key sends.
const CTRL_C: &[u8] = b"\x03";

/// What stands on a terminal that was sent some bytes. It knows what the program may send, and nothing else.
struct Screen {
    columns: usize,
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// How often it was drawn over.
    over: usize,
}

impl Screen {
    fn of(columns: usize, sent: &str) -> Self {
        let mut screen = Self { columns, lines: vec![Vec::new()], row: 0, column: 0, over: 0 };
        let mut rest = sent.chars().peekable();
        while let Some(sign) = rest.next() {
            match sign {
                '\r' => screen.column = 0,
                '\n' => screen.down(),
                '\x1b' => {
                    let begins = rest.next();
                    assert!(matches!(begins, Some('[') | None), "{begins:?} in {sent:?}");
                    let mut number = String::new();
                    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                        number.push(digit);
                    }
                    match rest.next() {
                        Some('A') => screen.up(number.parse().unwrap()),
                        Some('J') => screen.clear(),
                        // The end of what has arrived so far.
                        None => {}
                        other => panic!("{other:?} in {sent:?}"),
                    }
                }
                sign => screen.put(sign),
            }
        }
        screen
    }

    fn down(&mut self) {
        self.row += 1;
        if self.row == self.lines.len() {
            self.lines.push(Vec::new());
        }
    }

    fn up(&mut self, rows: usize) {
        self.over += 1;
        assert!(rows <= self.row, "drawn over from above the first line: {rows} rows up from {}", self.row);
        self.row -= rows;
    }

    fn clear(&mut self) {
        self.lines.truncate(self.row + 1);
        self.lines[self.row].truncate(self.column);
    }

    /// What is longer than a line goes on in the next one, as on a real terminal.
    fn put(&mut self, sign: char) {
        if self.column == self.columns {
            self.column = 0;
            self.down();
        }
        let line = &mut self.lines[self.row];
        line.resize(line.len().max(self.column + 1), ' ');
        line[self.column] = sign;
        self.column += 1;
    }

    fn text(&self) -> Vec<String> {
        let lines = self.lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    }

    fn has(&self, wanted: &str) -> bool {
        self.text().iter().any(|line| line.contains(wanted))
    }

    fn count(&self, wanted: &str) -> usize {
        self.text().iter().filter(|line| line.contains(wanted)).count()
    }
}

/// A command that runs in a terminal of its own.
struct Terminal {
    columns: usize,
    process: Child,
    keys: ChildStdin,
    arrives: Receiver<Vec<u8>>,
    sent: Vec<u8>,
}

impl Terminal {
    fn begin(played: &Played, columns: usize, rows: usize, words: &str) -> Self {
        let program = env!("CARGO_BIN_EXE_tenon");
        let inside = format!("stty cols {columns} rows {rows} && exec '{program}' {words}");
        let mut command = Command::new("script");
        command.env_clear().env("TERM", "xterm").env("SHELL", "/bin/sh");
        command.env("PATH", std::env::var_os("PATH").unwrap()).envs(played.env());
        command.args(["--quiet", "--flush", "--return", "--command", &inside, "/dev/null"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let (keys, mut out) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let (tell, arrives) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Its end, or that of the test.
            while let Ok(read @ 1..) = out.read(&mut bytes) {
                if tell.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { columns, process, keys, arrives, sent: Vec::new() }
    }

    fn screen(&self) -> Screen {
        Screen::of(self.columns, &String::from_utf8_lossy(&self.sent))
    }

    /// Waits until this stands on it.
    fn until(&mut self, wanted: &str) -> Screen {
        let begun = Instant::now();
        loop {
            let screen = self.screen();
            if screen.has(wanted) {
                return screen;
            }
            let left = DEADLINE.saturating_sub(begun.elapsed());
            let more = self.arrives.recv_timeout(left);
            self.sent
                .extend(more.unwrap_or_else(|error| panic!("{wanted:?}, {error}: {:#?}", screen.text())));
        }
    }

    fn press(&mut self, key: &[u8]) {
        self.keys.write_all(key).unwrap();
        self.keys.flush().unwrap();
    }

    /// What stands on it when the command has ended, and its exit status.
    fn end(mut self) -> (Screen, Option<i32>) {
        let begun = Instant::now();
        while let Ok(more) = self.arrives.recv_timeout(DEADLINE.saturating_sub(begun.elapsed())) {
            self.sent.extend(more);
        }
        assert!(begun.elapsed() < DEADLINE, "it does not end: {:#?}", self.screen().text());
        (self.screen(), self.process.wait().unwrap().code())
    }
}

/// Whether a terminal can be made here; says under the test's name why not.
fn can_run(test: &str) -> bool {
    for program in ["script", "stty"] {
        if Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_err()
        {
            println!("skipped: {test}: no {program}");
            return false;
        }
    }
    true
}

#[test]
fn a_rollout_is_drawn_in_place_on_narrow_and_wide_terminals_until_it_halts_or_ctrl_c() {
    if !can_run("a_rollout_is_drawn_in_place_on_narrow_and_wide_terminals_until_it_halts_or_ctrl_c") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let played = Played::begin(&folder.path().join("demo"));
    let id = played.part(6);
    let title = format!("{id} upgrade lanternd");
    let mut wide = Terminal::begin(&played, 120, 40, &format!("watch {id}"));
    let mut narrow = Terminal::begin(&played, 40, 24, &format!("watch {id} --through-halts"));

    // Before anything is approved: on one line where there is room, on several where there is not.
    let waits = format!("waits for 47 hosts to be approved (tenon approve {id})");
    let first = wide.until(&waits);
    let head = first.text().iter().position(|line| line.starts_with(&title)).unwrap();
    assert_eq!(first.text()[head + 1], "no-plan: 0 of 48 done, 1 failed, 47 waiting");
    let first = narrow.until("waits for 47 hosts");
    assert!(!first.has(&waits) && first.count(&title) == 1, "{:#?}", first.text());

    // It goes on, and what changes is drawn over what stood there.
    played.ok(&["approve", &id, "--waive-evidence", "its memory was saved"]);
    played.part(8);
    let (last, status) = wide.end();
    assert_eq!(status, Some(3), "{:#?}", last.text());
    assert!(last.over > 0 && last.count(&title) == 1, "in place: {:#?}", last.text());
    assert!(last.has("halted, plan 1, ") && last.has("halted: 1 of "), "{:#?}", last.text());
    let waves = |screen: &Screen| screen.text().iter().filter(|line| line.contains(" canary ")).count();
    assert!(waves(&last) >= 1 && last.has("# done  ! failed  > under way  . waiting"), "{:#?}", last.text());
    assert!(
        last.text().iter().any(|line| line.contains('!') && line.contains("1 failed")),
        "{:#?}",
        last.text()
    );

    // The other is not ended by the halt; Ctrl-C ends it, and nothing else.
    narrow.until("halted, plan 1");
    // The rest of that frame may still be on its way.
    let halted = narrow.until(" canary ");
    assert!(halted.has("halted, plan 1"), "{:#?}", halted.text());
    assert!(halted.over > 0 && halted.count(&title) == 1 && waves(&halted) >= 1, "{:#?}", halted.text());
    narrow.press(CTRL_C);
    let (last, status) = narrow.end();
    assert_eq!(status, Some(130), "{:#?}", last.text());
    assert!(
        last.has("not watched any more; the rollout goes") && last.count(&title) == 1,
        "{:#?}",
        last.text()
    );
    let directive = played.get::<DirectiveView>(&format!("directives/{id}"));
    assert_eq!((directive.closed, directive.rollout.unwrap().state.as_str()), (None, "halted"));
    played.end();
}
