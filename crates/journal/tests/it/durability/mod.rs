//! Nothing acknowledged is lost and nothing is half there, wherever the power fails.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenon_journal::{JournalError, SqliteJournal};

use crate::vfs::disk::{Disk, Kind};
use crate::vfs::{Remains, Vfs};
use crate::workload::{OneMore, Place, Progress, Violation, Workload};

/// The file that the workloads write.
const JOURNAL: &str = "journal.db";

impl Place for Vfs {
    type Journal = SqliteJournal;

    fn open(&self, checkpoint_after: Option<u32>) -> Result<SqliteJournal, JournalError> {
        let mut journal = SqliteJournal::open_with_vfs(Path::new(JOURNAL), self.name())?;
        if let Some(pages) = checkpoint_after {
            journal.checkpoint_after(pages)?;
        }
        Ok(journal)
    }

    fn is_sound(&self) -> bool {
        let disk = self.disk();
        disk.has_power() && !disk.sync_failed() && !disk.was_full()
    }

    fn end(&self) {
        self.disk().cut_power();
    }
}

fn soak() -> bool {
    std::env::var_os("TENON_SOAK").is_some()
}

/// Runs the workload on this disk until its power fails, then looks at what remains.
fn crash(vfs: &Vfs, workload: &Workload, disk: Disk, remains: Remains) -> Result<(), Violation> {
    *vfs.disk() = disk;
    let progress = workload.run(vfs, 0, |_| {})?;
    restart(vfs, remains);
    if let Remains::Subset(seed) | Remains::Torn(seed) = remains
        && seed % 4 == 0
    {
        // Recovery is interrupted as well: the power fails again while the journal is being opened.
        let disk = std::mem::take(&mut *vfs.disk());
        *vfs.disk() = disk.fail_at(1 + usize::try_from(seed / 4 % 8).unwrap());
        let outcome = workload.check(vfs, progress, OneMore::Absent);
        let one_more = if vfs.disk().has_power() {
            outcome?;
            OneMore::There
        } else {
            OneMore::Perhaps
        };
        restart(vfs, remains);
        return workload.check(vfs, progress, one_more).map(drop);
    }
    workload.check(vfs, progress, OneMore::Absent)?;
    restart(vfs, Remains::Synced);
    workload.check(vfs, progress, OneMore::There).map(drop)
}

/// Cuts the power, if it is still on, and starts again.
fn restart(vfs: &Vfs, remains: Remains) {
    let disk = std::mem::take(&mut *vfs.disk());
    *vfs.disk() = disk.restart(remains);
}

/// How many operations the workload takes, and how many checkpoints are among them, when nothing fails.
fn undisturbed(name: &str, workload: &Workload) -> (usize, usize) {
    let vfs = Vfs::register(name);
    let progress = workload.run(&vfs, 0, |_| {}).unwrap();
    assert_eq!(progress, Progress { acknowledged: workload.len(), possible: workload.len(), repeated: 0 });
    let disk = vfs.disk();
    (disk.operations().len(), checkpoints(&disk))
}

/// What a test of many power cuts found: for every violation the operation, the remainder and what is wrong.
struct Outcome {
    cuts: usize,
    violations: Vec<(usize, Remains, Violation)>,
}

impl Outcome {
    fn assert_none(&self) {
        let lines = self
            .violations
            .iter()
            .map(|(at, remains, violation)| format!("operation {at}, {remains:?}: {violation}\n"));
        assert!(self.violations.is_empty(), "{}", lines.collect::<String>());
    }

    fn lost(&self) -> usize {
        self.violations.iter().filter(|(_, _, violation)| matches!(violation, Violation::Lost(_))).count()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let half = |violation: &Violation| matches!(violation, Violation::Half(_));
        let half = self.violations.iter().filter(|(_, _, violation)| half(violation)).count();
        let (lost, broken) = (self.lost(), self.violations.len() - self.lost() - half);
        write!(
            f,
            "{} power cuts: acknowledged lost = {lost}, half there = {half}, unusable = {broken}",
            self.cuts
        )
    }
}

/// Cuts the power in every operation of the workload and once after the last, with every remainder that `remains`
/// names for it.
fn every_crash_point(
    name: &str,
    workload: &Workload,
    operations: usize,
    remains: impl Fn(usize) -> Vec<Remains> + Sync,
    disk: impl Fn() -> Disk + Sync,
) -> Outcome {
    let (next, cuts) = (AtomicUsize::new(1), AtomicUsize::new(0));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let violations = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|worker| {
                let (next, cuts, remains, disk) = (&next, &cuts, &remains, &disk);
                scope.spawn(move || {
                    let vfs = Vfs::register(&format!("{name}-{worker}"));
                    let mut violations = Vec::new();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at > operations + 1 {
                            return violations;
                        }
                        for remains in remains(at) {
                            cuts.fetch_add(1, Ordering::Relaxed);
                            if let Err(violation) = crash(&vfs, workload, disk().fail_at(at), remains) {
                                violations.push((at, remains, violation));
                            }
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    Outcome { cuts: cuts.into_inner(), violations }
}

/// A seed of its own for every crash point, so that the points do not all draw alike.
fn seed(at: usize, n: u64) -> u64 {
    (at as u64) << 16 | n
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing() {
    let workload = Workload::mixed();
    let (operations, checkpoints) = undisturbed("mixed-undisturbed", &workload);
    assert!(checkpoints > 4, "only {checkpoints} checkpoints");
    let seeds = if soak() { 200 } else { 6 };
    let remains = |at| {
        // The first operations make a file into a journal, once in its life: they get more attention.
        let drawn = (0..if at < 30 { 10 * seeds } else { seeds })
            .flat_map(|n| [Remains::Subset(seed(at, n)), Remains::Torn(seed(at, n))]);
        std::iter::once(Remains::Synced).chain(drawn).collect()
    };
    let outcome = every_crash_point("mixed", &workload, operations, remains, Disk::default);
    println!(
        "measured: durability: {} crash points, {checkpoints} checkpoints, {seeds} seeds for each of two remainders, \
         {outcome}",
        operations + 1
    );
    outcome.assert_none();
}

#[test]
fn a_power_cut_around_a_large_command_loses_nothing() {
    let workload = Workload::large();
    let (operations, checkpoints) = undisturbed("large-undisturbed", &workload);
    assert!(checkpoints > 0, "no checkpoint at SQLite's own threshold");
    // Every point with every remainder takes minutes; otherwise every fourth point, with remainders in rotation. The
    // mixed workload visits all of its points in any case.
    let remains = |at| {
        let all = [Remains::Synced, Remains::Subset(seed(at, 1)), Remains::Torn(seed(at, 1))];
        match (soak(), at % 4) {
            (true, _) => all.to_vec(),
            (false, 0) => vec![all[at / 4 % 3]],
            (false, _) => Vec::new(),
        }
    };
    let outcome = every_crash_point("large", &workload, operations, remains, Disk::default);
    println!(
        "measured: durability, large command: {operations} operations, {checkpoints} checkpoints, {outcome}"
    );
    outcome.assert_none();
}

/// The control: on a disk that ignores syncs the same harness must find losses, or it proves nothing.
#[test]
fn a_lying_disk_is_noticed() {
    let workload = Workload::mixed();
    let (operations, _) = undisturbed("lying-undisturbed", &workload);
    type Lies = fn(&Disk, &str) -> bool;
    let lies: [(&str, Lies); 3] = [
        ("every file", |_, _| true),
        ("the log", |_, name| on_the_log(name)),
        ("the database during checkpoints", checkpointed),
    ];
    for (what, lies) in lies {
        let remains = |_| vec![Remains::Synced];
        let disk = || Disk::default().lying_about(lies);
        let outcome = every_crash_point("lying", &workload, operations, remains, disk);
        println!("measured: durability, control, syncs of {what} ignored: {outcome}");
        assert!(outcome.lost() > 0, "a disk that ignores syncs of {what} went unnoticed");
    }
}

/// A sync that failed once is not repeated: what the journal shows and acknowledges after it was opened again does not
/// rest on pages that the kernel gave up.
#[test]
fn a_failed_sync_loses_nothing_acknowledged() {
    let workload = Workload::mixed();
    let (operations, _) = undisturbed("sync-undisturbed", &workload);
    let vfs = Vfs::register("sync");
    let (mut failures, mut violations) = (0, Vec::new());
    for at in 1..=operations {
        *vfs.disk() = Disk::default().fail_sync_at(at);
        let outcome = (|| {
            let mut progress = workload.run(&vfs, 0, |_| {})?;
            while vfs.disk().has_power() {
                let steps = workload.seen(&vfs, progress)?;
                progress = workload.run(&vfs, steps, |_| {})?;
            }
            let failed = vfs.disk().sync_failed();
            restart(&vfs, Remains::Synced);
            workload.check(&vfs, progress, OneMore::Absent)?;
            Ok(failed)
        })();
        match outcome {
            Ok(failed) => failures += usize::from(failed),
            Err::<_, Violation>(violation) => violations.push(format!("operation {at}: {violation}")),
        }
    }
    println!(
        "measured: durability: {} failed syncs, violations = {}",
        failures + violations.len(),
        violations.len()
    );
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(failures > 20, "only {failures} syncs failed");
}

/// A full disk refuses the command and damages nothing: once there is space, the same handle takes the command again where
/// it said that nothing was written, and a new one finds everything where it did not.
#[test]
fn a_full_disk_loses_nothing_acknowledged() {
    let workload = Workload::mixed();
    let (operations, _) = undisturbed("full-undisturbed", &workload);
    let vfs = Vfs::register("full");
    let (mut full, mut refused, mut violations) = (0, 0, Vec::new());
    for at in 1..=operations {
        *vfs.disk() = Disk::default().full_at(at);
        let outcome = (|| {
            let mut progress = workload.run(&vfs, 0, |_| {})?;
            let mut repeated = progress.repeated;
            while vfs.disk().has_power() {
                let steps = workload.seen(&vfs, progress)?;
                progress = workload.run(&vfs, steps, |_| {})?;
                repeated += progress.repeated;
            }
            let was_full = vfs.disk().was_full();
            restart(&vfs, Remains::Synced);
            workload.check(&vfs, progress, OneMore::Absent)?;
            Ok((was_full, repeated))
        })();
        match outcome {
            Ok((was_full, repeated)) => {
                full += usize::from(was_full);
                refused += repeated;
            }
            Err::<_, Violation>(violation) => violations.push(format!("operation {at}: {violation}")),
        }
    }
    println!(
        "measured: durability: disk full in {full} writes, {refused} commands refused and repeated, violations = {}",
        violations.len()
    );
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(full > 50 && refused > 20, "disk full in {full} writes only, {refused} refused");
}

#[test]
fn acknowledgement_follows_the_sync_of_the_log() {
    for (name, workload) in [("trace-mixed", Workload::mixed()), ("trace-large", Workload::large())] {
        let vfs = Vfs::register(name);
        let (mut observed, mut seen) = (0, 0);
        workload
            .run(&vfs, 0, |step| {
                let disk = vfs.disk();
                let operations = &disk.operations()[seen..];
                seen = disk.operations().len();
                let on_log = |kind: Kind| {
                    operations
                        .iter()
                        .rposition(|operation| operation.kind == kind && on_the_log(&operation.name))
                };
                if let Some(written) = on_log(Kind::Write) {
                    assert!(on_log(Kind::Sync) > Some(written), "{name}, step {step}: unsynced log");
                    observed += 1;
                }
                assert_eq!(
                    disk.unsynced(),
                    0,
                    "{name}, step {step}: acknowledged before everything was synced"
                );
            })
            .unwrap();
        println!("measured: durability, {name}: {observed} acknowledgements after the sync of the log");
        assert!(observed > 3, "{name}: only {observed} steps wrote the log");
    }
}

/// Whether this is the log of the journal.
fn on_the_log(name: &str) -> bool {
    name == "journal.db-wal"
}

/// Whether this is the database once there is a log: from then on only checkpoints write it.
fn checkpointed(disk: &Disk, name: &str) -> bool {
    name == JOURNAL && disk.operations().iter().any(|operation| on_the_log(&operation.name))
}

/// How often the log was written back into the database: syncs of the database after the first log.
fn checkpoints(disk: &Disk) -> usize {
    let operations = disk.operations();
    let first_log = operations.iter().position(|operation| on_the_log(&operation.name)).unwrap_or(0);
    operations[first_log..]
        .iter()
        .filter(|operation| operation.kind == Kind::Sync && operation.name == JOURNAL)
        .count()
}
