//! A server whose disk is full at random points: nothing acknowledged is lost, nothing is applied twice, the chain is whole,
//! and once there is room it goes on.

use std::cell::{Cell, RefCell};
use std::fs::File;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use tempfile::TempDir;
use tenon_journal::JournalError;
use tenon_journal::postgres::server::{Server, Stop};
use tenon_journal::postgres::{PostgresJournal, PostgresUrl};

use super::faults::points;
use super::server;
use crate::random::Random;
use crate::workload::{OneMore, Place, Progress, Violation, Workload};

/// A cluster with the database of one run, and several files of the server's log.
const SIZE: u64 = 192 << 20;
const PAGE: u64 = 4_096;
/// A file of the server's log.
const LOG_FILE: u64 = 1 << 20;

/// A small file system in memory that only this thread sees, and the programs and threads that it starts.
struct Disk {
    folder: TempDir,
    /// Takes the room that the server shall not have.
    ballast: File,
}

impl Disk {
    /// The disk, or why there can be none on this machine.
    fn mount() -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        // SAFETY: what is dangerous is to part with the table of open files, which stays shared.
        #[allow(unsafe_code)]
        let parted = unsafe { unshare_unsafe(UnshareFlags::NEWNS) };
        let forbidden = |error| format!("no right to mount (CAP_SYS_ADMIN): {error}");
        parted.map_err(forbidden)?;
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).map_err(forbidden)?;
        let options = std::ffi::CString::new(format!("size={SIZE},mode=0755")).unwrap();
        let flags = MountFlags::NODEV | MountFlags::NOSUID;
        mount("tmpfs", folder.path(), "tmpfs", flags, Some(options.as_c_str())).map_err(forbidden)?;
        let ballast = File::create(folder.path().join("ballast")).unwrap();
        Ok(Self { folder, ballast })
    }

    fn free(&self) -> u64 {
        let space = rustix::fs::statvfs(self.folder.path()).unwrap();
        space.f_bavail * space.f_frsize
    }

    /// Leaves so much room.
    fn leave(&self, bytes: u64) {
        self.ballast.set_len(0).unwrap();
        let mut size = self.free().saturating_sub(bytes);
        while size > 0 {
            match fallocate(&self.ballast, FallocateFlags::empty(), 0, size) {
                Ok(()) => return,
                // The server took some in the same moment.
                Err(Errno::NOSPC) => size = size.min(self.free().saturating_sub(bytes)),
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn clear(&self) {
        self.ballast.set_len(0).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(self.folder.path(), UnmountFlags::DETACH).unwrap();
    }
}

/// How little room there is, and when there is more.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// After this step, from 0; before the first where there is none.
    after: Option<usize>,
    /// Bytes that are free then.
    left: u64,
    /// Bytes that are free in the file that the server's log goes to, where that is arranged: what goes beyond needs
    /// another file.
    log: Option<u64>,
    /// Whether all room is made as soon as a step is refused, before it is repeated with the same handle.
    at_once: bool,
    /// Bytes that are made free at first, when the workload cannot go on.
    more: Option<u64>,
}

/// A database on the disk.
struct Cramped<'a> {
    server: &'a Server,
    disk: &'a Disk,
    name: String,
    url: PostgresUrl,
    plan: Plan,
    /// How many processes of the server had panicked when room was made. Where no other has since, nothing may fail.
    roomy: Cell<Option<u64>>,
    met: &'a RefCell<Met>,
}

/// What runs met.
#[derive(Debug, Default)]
struct Met {
    /// Steps that were refused for want of space.
    refused: usize,
    /// Steps that were repeated with the same handle once there was room.
    repeated: usize,
    /// Steps of which nobody knew whether they had happened.
    unknown: usize,
    /// Opens that a server turned away which is out of room, or recovers from it.
    turned_away: usize,
}

impl Place for Cramped<'_> {
    type Journal = PostgresJournal;

    fn open(&self, _: Option<u32>) -> Result<PostgresJournal, JournalError> {
        PostgresJournal::open(&self.url)
    }

    fn is_sound(&self) -> bool {
        self.roomy.get().is_some_and(|panics| self.server.settle().unwrap() == panics)
    }

    fn end(&self) {}

    fn failed(&self, error: &JournalError) {
        let told = error.to_string();
        let mut met = self.met.borrow_mut();
        // Which database it was, and what to do.
        assert!(told.contains(&self.url.to_string()), "{told}");
        match error {
            JournalError::StorageFull { .. } => {
                assert!(told.contains("free some, then repeat the command"), "{told}");
                met.refused += 1;
                if self.plan.at_once {
                    self.disk.clear();
                }
            }
            JournalError::OutcomeUnknown { .. } => {
                assert!(told.contains("open the journal again"), "{told}");
                met.unknown += 1;
            }
            JournalError::Storage { .. } => {
                assert!(told.contains("its disk has room"), "{told}");
                met.turned_away += 1;
            }
            error => panic!("{error}"),
        }
    }
}

impl Cramped<'_> {
    /// Makes room, as an operator does; the server is started where it ended by itself.
    fn make_room(&self) {
        self.disk.clear();
        self.roomy.set(Some(self.server.settle().unwrap()));
    }

    /// Which of the possible steps are there, once no process of the server is left that found the disk full.
    fn seen(&self, workload: &Workload, progress: Progress) -> Result<usize, Violation> {
        loop {
            let before = self.server.settle().unwrap();
            let seen = workload.seen(self, progress);
            if seen.is_ok() || self.server.settle().unwrap() == before {
                return seen;
            }
        }
    }

    /// Makes a journal in which what the workload writes is not compressed to next to nothing.
    fn make_journal(&self) {
        drop(self.open(None).unwrap());
        for column in ["entry ALTER payload", "blob ALTER content", "snapshot_part ALTER content"] {
            let sql = format!("ALTER TABLE tenon.{column} SET STORAGE EXTERNAL");
            self.server.execute(&self.name, &sql).unwrap();
        }
    }

    /// Writes to the server's log until so many bytes are free in its last file.
    fn fill_log(&self, left: u64) {
        let sql = format!(
            "DO $$ DECLARE free bigint := {LOG_FILE} - (pg_current_wal_insert_lsn() - '0/0') % {LOG_FILE}; BEGIN
                 PERFORM pg_logical_emit_message(false, '', repeat('x', mod(free - {left} + {LOG_FILE}, {LOG_FILE})::int));
             END $$"
        );
        self.server.execute("postgres", &sql).unwrap();
    }

    /// Runs the workload to its end, and looks twice at what is there.
    fn survive(&self, workload: &Workload) -> Result<(), Violation> {
        if self.plan.after.is_some() {
            self.make_journal();
        }
        let fill = |done| {
            if done == self.plan.after {
                if let Some(left) = self.plan.log {
                    self.fill_log(left);
                }
                self.disk.leave(self.plan.left);
            }
        };
        fill(None);
        let mut progress = workload.run(self, 0, |done| fill(Some(done)))?;
        self.met.borrow_mut().repeated += progress.repeated;
        if let Some(more) = self.plan.more
            && progress.acknowledged < workload.len()
        {
            self.disk.leave(more);
            // It may not be enough even for the server to start, or to answer.
            if self.server.settle().is_ok() {
                match workload.seen(self, progress) {
                    Ok(steps) => progress = workload.run(self, steps, |_| {})?,
                    Err(Violation::Broken(_)) => {}
                    Err(violation) => return Err(violation),
                }
            }
        }
        self.make_room();
        while progress.acknowledged < workload.len() {
            let steps = self.seen(workload, progress)?;
            progress = workload.run(self, steps, |_| {})?;
        }
        // What was acknowledged is there after a crash too.
        self.server.stop(Stop::Immediate).unwrap();
        self.server.start_again().unwrap();
        workload.check(self, progress, OneMore::Absent)?;
        workload.check(self, progress, OneMore::There)?;
        Ok(())
    }
}

#[test]
fn a_server_without_room_loses_nothing() {
    let Some(_) = server() else { return };
    let disk = match Disk::mount() {
        Ok(disk) => disk,
        Err(reason) => {
            println!("skipped: {}: {reason}", std::thread::current().name().unwrap_or("a test"));
            return;
        }
    };
    // Small files of the log, none of which is used twice: how far they go is where the server panics.
    let server = Server::start_with(disk.folder.path(), &["--wal-segsize=1"]).unwrap();
    for setting in ["wal_recycle = off", "min_wal_size = '2MB'", "max_wal_size = '4MB'", "autovacuum = off"] {
        server.execute("postgres", &format!("ALTER SYSTEM SET {setting}")).unwrap();
    }
    server.stop(Stop::Fast).unwrap();
    server.start_again().unwrap();
    let workload = Workload::mixed();
    let steps = workload.len() as u64;
    let met = RefCell::default();
    let place = |name: &str, plan| {
        // Copied, so that it writes little to the log.
        let create = format!("CREATE DATABASE \"{name}\" STRATEGY file_copy");
        server.execute("postgres", &create).unwrap();
        let url = server.url(name).unwrap();
        Cramped {
            server: &server,
            disk: &disk,
            name: name.to_owned(),
            url,
            plan,
            roomy: Cell::new(None),
            met: &met,
        }
    };
    let roomy = place("undisturbed", Plan { after: None, left: SIZE, log: None, at_once: false, more: None });
    let progress = workload.run(&roomy, 0, |_| {}).unwrap();
    assert_eq!(progress, Progress { acknowledged: workload.len(), possible: workload.len(), repeated: 0 });
    let mut random = Random::new(9);
    let count = points(30, 600);
    let mut violations = Vec::new();
    for n in 0..count {
        let log = (random.below(2) == 0).then(|| random.below(100_000));
        let plan = Plan {
            after: random.below(steps).checked_sub(1).map(|step| usize::try_from(step).unwrap()),
            // Not enough for another file of the log.
            left: random.below(if log.is_some() { LOG_FILE / PAGE } else { 30 }) * PAGE,
            log,
            at_once: random.below(2) == 0,
            more: (random.below(2) == 0).then(|| random.below(30) * PAGE),
        };
        let name = format!("full_{n}");
        if let Err(violation) = place(&name, plan).survive(&workload) {
            violations.push(format!("{plan:?}: {violation}"));
        }
        server.execute("postgres", &format!("DROP DATABASE \"{name}\" WITH (FORCE)")).unwrap();
    }
    let Met { refused, repeated, unknown, turned_away } = met.take();
    let panics = server.settle().unwrap();
    println!(
        "measured: durability, PostgreSQL: disk full {count} times at a random point, {refused} steps refused, {repeated} of them \
         repeated with the same handle, {unknown} outcomes unknown, {turned_away} opens turned away, {panics} processes of the \
         server panicked, violations = {}",
        violations.len()
    );
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(refused > 0 && repeated > 0 && unknown > 0 && panics > 0, "not every kind of end was met");
}
