//! The loop: report, poll, carry out, report.

use std::io::Read as _;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tenon_host::{AskedFor, Ordered, Rules, now};
use tenon_model::{AgentRun, ApplyReport, EvidenceOutcome, Order, OrderAction, RehearsalReport, TOO_LATE};
use tenon_wire::{
    ApplyAnswer, DirectivePublicKey, EvidenceAnswer, OrderGate, OrderRefusal, RehearsalAnswer,
    ReportAccepted, SignedOrder, path,
};

use crate::client::{Client, Trust};
use crate::error::AgentError;
use crate::report::Reporter;
use crate::state::{AgentState, Answer, Identity, Progress};

/// Waits after failures: doubled from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How a running agent is stopped, and whether now is a good moment.
#[derive(Debug, Default)]
pub struct Control {
    stop: AtomicBool,
    working: AtomicBool,
}

impl Control {
    /// Asks the agent to end after what it is doing.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Whether an order is being carried out: the process should not end now.
    pub fn is_working(&self) -> bool {
        self.working.load(Ordering::SeqCst)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// Runs until told to stop; a poll in progress ends first.
///
/// # Errors
/// When the host is not enrolled, another agent runs on this state, or the state cannot be kept. Failures of the
/// network or the server are waited out.
pub fn run(state: &AgentState, control: &Control) -> Result<(), AgentError> {
    let _one_agent = state.lock()?;
    let identity = state.identity()?.ok_or(AgentError::NotEnrolled)?;
    let mut agent = Agent::new(state, control, &identity)?;
    if let Err(distrust) = agent.rules.limits.read() {
        tracing::error!(%distrust, "the limits of this host are not believed");
    }
    if let Err(distrust) = agent.rules.hooks.read() {
        tracing::error!(%distrust, "the hooks of this host are not believed");
    }
    let mut pause = PAUSES.0;
    while !control.stopped() {
        match agent.turn() {
            Ok(()) => pause = PAUSES.0,
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, wait_s = pause.as_secs(), "waiting, then asking again");
                wait(pause, control);
                pause = (pause * 2).min(PAUSES.1);
            }
            Err(error @ AgentError::Refused { .. }) => {
                // Asking the same again does not help, yet the server may be put right meanwhile.
                tracing::error!(%error, "refused");
                wait(PAUSES.1, control);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn wait(pause: Duration, control: &Control) {
    let end = Instant::now() + pause;
    while Instant::now() < end && !control.stopped() {
        std::thread::sleep(Duration::from_millis(200));
    }
}

struct Agent<'a> {
    state: &'a AgentState,
    control: &'a Control,
    client: Client,
    gate: OrderGate,
    progress: Progress,
    reporter: Reporter,
    /// Read anew for each order.
    rules: Rules,
}

impl<'a> Agent<'a> {
    fn new(state: &'a AgentState, control: &'a Control, identity: &Identity) -> Result<Self, AgentError> {
        let file = |name: &str| state.text(name)?.ok_or(AgentError::NotEnrolled);
        let (authority, certificate, key) =
            (file("authority.pem")?, file("certificate.pem")?, file("key.pem")?);
        let trust = Trust::Authority { authority: &authority, identity: Some((&certificate, &key)) };
        let client = Client::new(&identity.server, &trust)?.of_run(this_run());
        let order_key: DirectivePublicKey = identity.order_key.parse().map_err(|_| AgentError::Content {
            path: state.root().join("identity.json"),
            expected: "an order key",
        })?;
        let progress: Progress = state.json("progress.json", "progress")?.unwrap_or_default();
        let gate = OrderGate { asset: identity.asset, key: order_key, last: progress.last };
        let (reporter, rules) = (Reporter::open(state), Rules::of_this_host());
        Ok(Self { state, control, client, gate, progress, reporter, rules })
    }

    /// One round: whatever is unanswered, the inventory if it may have changed, then a poll.
    fn turn(&mut self) -> Result<(), AgentError> {
        if let Some(order) = self.progress.begun.clone() {
            if self.state.text("answer.json")?.is_none() {
                let answer = self.after_interruption(&order);
                self.state.write_json("answer.json", &answer)?;
            }
            self.send_answer()?;
        }
        let asset = self.gate.asset;
        self.reporter.report_if_changed(asset, self.state, &mut self.progress, &self.client)?;
        if let Some(signed) = self.client.get_json::<SignedOrder>(path::ORDER)? {
            self.obey(&signed)?;
        }
        Ok(())
    }

    fn obey(&mut self, signed: &SignedOrder) -> Result<(), AgentError> {
        let order = match self.gate.admit(signed, now()) {
            Ok(order) => order,
            // The server waits for a word of it, and would count silence as failure.
            Err(OrderRefusal::Expired { order, now })
                if matches!(order.action, OrderAction::Apply { .. }) && self.gate.is_new(&order) =>
            {
                let late = OrderRefusal::Expired { order: order.clone(), now }.to_string();
                tracing::warn!(reason = late, "an order came too late and is not carried out");
                self.take(&order, || {
                    Answer::Apply(ApplyAnswer {
                        order: order.id,
                        report: ApplyReport::refused(TOO_LATE, late),
                    })
                })?;
                return self.send_answer();
            }
            Err(refusal) => {
                // The server keeps offering it until it expires there; do not spin.
                tracing::error!(%refusal, "an order is not carried out");
                wait(PAUSES.0 * 5, self.control);
                return Ok(());
            }
        };
        self.control.working.store(true, Ordering::SeqCst);
        // Whoever asks it to end looks at `working` after asking: either sees the other. The order is offered again.
        if self.control.stopped() {
            self.control.working.store(false, Ordering::SeqCst);
            return Ok(());
        }
        let obeyed = self.begin(&order);
        self.control.working.store(false, Ordering::SeqCst);
        obeyed?;
        self.send_answer()
    }

    /// Carries an order out and keeps the answer on disk.
    fn begin(&mut self, order: &Order) -> Result<(), AgentError> {
        tracing::info!(order = %order.id, generation = %order.generation, "order begun");
        let (work, rules) = (self.state.work(), self.rules.clone());
        self.take(order, || carry_out(order, &work, &rules))
    }

    /// Notes that an order is begun, so that it never is again, and then keeps the answer that it has.
    fn take(&mut self, order: &Order, answer: impl FnOnce() -> Answer) -> Result<(), AgentError> {
        self.progress.last = Some(order.generation);
        self.progress.begun = Some(order.clone());
        self.gate.last = Some(order.generation);
        self.state.write_json("progress.json", &self.progress)?;
        self.state.write_json("answer.json", &answer())
    }

    /// The answer to an order that was begun and cut off: by a power cut, a kill, a reboot.
    fn after_interruption(&self, order: &Order) -> Answer {
        let recovered = tenon_host::recover(&self.state.work(), &self.rules.hooks);
        match &order.action {
            OrderAction::Rehearse { .. } => Answer::Rehearsal(RehearsalAnswer {
                order: order.id,
                report: RehearsalReport::not_rehearsed(
                    "the agent was interrupted during the rehearsal; retry",
                ),
            }),
            OrderAction::PreserveEvidence { .. } => {
                let reason = "the agent was interrupted while it read the host".to_owned();
                Answer::Evidence(EvidenceAnswer {
                    order: order.id,
                    outcome: EvidenceOutcome::NotPreserved { reason },
                })
            }
            OrderAction::Apply { .. } => Answer::Apply(ApplyAnswer {
                order: order.id,
                report: recovered.unwrap_or_else(|| {
                    ApplyReport::refused(
                        "interrupted",
                        "the agent was interrupted before it began to change anything",
                    )
                }),
            }),
        }
    }

    fn send_answer(&mut self) -> Result<(), AgentError> {
        let Some(answer) = self.state.json::<Answer>("answer.json", "an answer")? else { return Ok(()) };
        let sent: Result<ReportAccepted, AgentError> = match &answer {
            Answer::Rehearsal(answer) => self.client.post(path::REHEARSAL, answer),
            Answer::Evidence(answer) => self.client.post(path::EVIDENCE, answer),
            Answer::Apply(answer) => self.client.post(path::APPLY, answer),
        };
        match sent {
            Ok(_) => {}
            // The server has an answer already, or gave the order up: this one is of no more use to it.
            Err(AgentError::Refused { problem, .. }) if problem.code == "unknown-order" => {
                tracing::warn!(reason = problem.detail, "the server no longer waits for this report");
            }
            // The document is none that the server takes: it waits to hear that, and not for the same again.
            Err(AgentError::Refused { problem, .. })
                if problem.code == "bad-content" && matches!(answer, Answer::Evidence(_)) =>
            {
                tracing::error!(reason = problem.detail, "the server does not take the evidence");
                let outcome = EvidenceOutcome::NotPreserved { reason: problem.detail };
                let order = answer.order();
                self.state.write_json("answer.json", &Answer::Evidence(EvidenceAnswer { order, outcome }))?;
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.progress.begun = None;
        self.state.write_json("progress.json", &self.progress)?;
        self.state.remove("answer.json")?;
        self.reporter.look_again();
        Ok(())
    }
}

/// Carries an admitted order out, as far as this host's own limits allow, with its own hooks around it.
fn carry_out(order: &Order, work: &Path, rules: &Rules) -> Answer {
    match &order.action {
        OrderAction::Rehearse { targets } => {
            let report = tenon_host::rehearse(targets, work, rules);
            Answer::Rehearsal(RehearsalAnswer { order: order.id, report })
        }
        OrderAction::PreserveEvidence { targets } => {
            let asked = AskedFor { order: order.id, asset: order.asset, directive: order.directive, targets };
            let outcome = tenon_host::preserve(asked, work, rules);
            Answer::Evidence(EvidenceAnswer { order: order.id, outcome })
        }
        OrderAction::Apply { targets, transaction, files, approvals } => {
            let ordered = Ordered {
                order: order.id,
                asset: order.asset,
                directive: order.directive,
                targets,
                transaction,
                files,
                approvals,
            };
            let report = tenon_host::apply(&ordered, work, rules);
            Answer::Apply(ApplyAnswer { order: order.id, report })
        }
    }
}

/// The number of this run, drawn by the kernel. Where it draws none the server is not told.
fn this_run() -> Option<AgentRun> {
    let mut number = [0; 8];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut number));
    if let Err(error) = read {
        tracing::warn!(%error, "copies of this host will not be noticed: /dev/urandom cannot be read");
        return None;
    }
    NonZeroU64::new(u64::from_le_bytes(number)).map(AgentRun::new)
}

#[cfg(test)]
mod tests {
    use tenon_host::hooks::{HooksFolder, Whose};
    use tenon_host::limits::LimitsFile;
    use tenon_model::{
        ApplyOutcome, AssetId, Change, DirectiveId, Generation, OrderId, PackageTarget, RehearsalOutcome,
        Timestamp, Transaction, TransactionStep,
    };
    use tenon_wire::DirectiveKey;

    use super::*;

    /// What a server that holds every key may sign for this host: to rehearse and to make a change with a package that goes, and to
    /// hand over evidence.
    fn orders(asset: AssetId) -> [Order; 3] {
        let target = PackageTarget {
            package: "toyd".to_owned(),
            architecture: "all".to_owned(),
            from: "1.0".to_owned(),
            to: "2.0".to_owned(),
        };
        let step = |package: &str, change| TransactionStep {
            package: package.to_owned(),
            architecture: "all".to_owned(),
            change,
        };
        let steps = vec![
            step("old", Change::Remove { from: "1.0".to_owned() }),
            step("toyd", Change::Upgrade { from: "1.0".to_owned(), to: "2.0".to_owned() }),
        ];
        let apply = OrderAction::Apply {
            targets: vec![target.clone()],
            transaction: Transaction { steps, kept_back: Vec::new() },
            files: Vec::new(),
            approvals: Vec::new(),
        };
        let evidence = OrderAction::PreserveEvidence { targets: vec![target.clone()] };
        [OrderAction::Rehearse { targets: vec![target] }, apply, evidence].map(|action| Order {
            id: OrderId::new(1),
            asset,
            directive: DirectiveId::new(1),
            generation: Generation { term: 1, counter: 1 },
            issued: Timestamp::from_millis(0),
            expires: Timestamp::from_millis(i64::MAX),
            action,
        })
    }

    #[test]
    fn a_server_with_every_key_cannot_order_what_root_forbids() {
        let (work, key) = (tempfile::tempdir().unwrap(), DirectiveKey::from_seed(&[7; 32]));
        let asset = AssetId::of_public_key(b"this host");
        let gate = OrderGate { asset, key: key.public(), last: None };
        let file = work.path().join("limits.toml");
        // Root's file is the folder's owner's here. Each of these forbids all orders; nothing on this machine is asked.
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(work.path()).unwrap());
        let hooks = work.path().join("hooks.d");
        let rules = Rules {
            limits: LimitsFile::at(&file, owner),
            hooks: HooksFolder::at(&hooks, Whose::User(owner)),
        };
        for (text, code, says) in [
            ("actions = []", "limits", "`actions` of "),
            ("actions = [\"rehearse\"", "limits-distrusted", "line 1, column "),
            ("forbid = \"everything\"", "limits-distrusted", "\"forbid\" is not known here"),
        ] {
            std::fs::write(&file, text).unwrap();
            for order in orders(asset) {
                let admitted = gate.admit(&key.sign(&order).unwrap(), now()).expect("the signature is right");
                let told = match carry_out(&admitted, work.path(), &rules) {
                    Answer::Rehearsal(answer) => match answer.report.outcome {
                        RehearsalOutcome::NotRehearsed { reason } => reason,
                        other => panic!("{text}: {other:?}"),
                    },
                    Answer::Evidence(answer) => match answer.outcome {
                        EvidenceOutcome::NotPreserved { reason } => reason,
                        other => panic!("{text}: {other:?}"),
                    },
                    Answer::Apply(answer) => match answer.report.outcome {
                        ApplyOutcome::Refused { code, detail } => {
                            format!("the host refused ({code}): {detail}")
                        }
                        other => panic!("{text}: {other:?}"),
                    },
                };
                assert!(told.starts_with(&format!("the host refused ({code}): ")), "{told}");
                assert!(told.contains(says), "{told}");
                assert!(told.contains(file.to_str().unwrap()), "{told}");
            }
        }
        std::fs::remove_file(&file).unwrap();
        // What has to run before a change is not known: root's hooks are a file.
        std::fs::write(&hooks, "").unwrap();
        for order in orders(asset).iter_mut().take(2) {
            // The defaults let nothing be removed, which would be said first.
            if let OrderAction::Apply { transaction, .. } = &mut order.action {
                transaction.steps.clear();
            }
            let told = match carry_out(order, work.path(), &rules) {
                Answer::Rehearsal(answer) => format!("{:?}", answer.report.outcome),
                Answer::Apply(answer) => format!("{:?}", answer.report.outcome),
                Answer::Evidence(answer) => panic!("{answer:?}"),
            };
            assert!(told.contains("hooks-distrusted") && told.contains("is no folder"), "{told}");
        }
        std::fs::remove_file(&hooks).unwrap();
        // Where there is no file the defaults let nothing be removed.
        let [_, apply, _] = orders(asset);
        let Answer::Apply(answer) = carry_out(&apply, work.path(), &rules) else { panic!() };
        assert!(
            matches!(&answer.report.outcome, ApplyOutcome::Refused { code, detail }
                if code == "limits" && detail.contains("`max_removals` by default")),
            "{answer:?}"
        );
    }

    /// A key of a person, as a line for the limits, and what it signs.
    fn person(seed: u8) -> (String, impl Fn(&str) -> String) {
        use ed25519_dalek::{Signer as _, SigningKey};
        use ssh_key::public::{Ed25519PublicKey, KeyData};
        use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, Signature, SshSig};
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let data = KeyData::Ed25519(Ed25519PublicKey(secret.verifying_key().to_bytes()));
        let line = PublicKey::new(data.clone(), "alice@example").to_openssh().unwrap();
        let sign = move |text: &str| {
            let name = tenon_approval::NAMESPACE;
            let message = SshSig::signed_data(name, HashAlg::Sha512, text.as_bytes()).unwrap();
            let signature = Signature::new(Algorithm::Ed25519, secret.sign(&message).to_bytes()).unwrap();
            let signed = SshSig::new(data.clone(), name, HashAlg::Sha512, signature).unwrap();
            signed.to_pem(LineEnding::LF).unwrap()
        };
        (line, sign)
    }

    #[test]
    fn a_stolen_server_cannot_make_a_change_that_nobody_signed() {
        use tenon_approval::{HostChange, Statement};
        use tenon_model::KeyApproval;

        let (work, key) = (tempfile::tempdir().unwrap(), DirectiveKey::from_seed(&[7; 32]));
        let asset = AssetId::of_public_key(b"this host");
        let gate = OrderGate { asset, key: key.public(), last: None };
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(work.path()).unwrap());
        let (file, hooks) = (work.path().join("limits.toml"), work.path().join("hooks.d"));
        let rules = Rules {
            limits: LimitsFile::at(&file, owner),
            hooks: HooksFolder::at(&hooks, Whose::User(owner)),
        };
        let ((alice, by_alice), (_, by_thief)) = (person(1), person(2));
        std::fs::write(&file, format!("[approval]\nneeded = 1\nkeys = [{alice:?}]\n")).unwrap();
        // Hooks that are not believed stop whatever got past the limits: nothing on this machine is asked or changed.
        std::fs::write(&hooks, "").unwrap();

        let hostname = tenon_host::inventory(&tenon_host::System::live(), None).unwrap().facts.hostname;
        let [_, mut order, _] = orders(asset);
        let OrderAction::Apply { targets, transaction, files, .. } = &mut order.action else { panic!() };
        transaction.steps.retain(|step| !matches!(step.change, Change::Remove { .. }));
        let directive = order.directive;
        let change = HostChange { asset, hostname: &hostname, directive, targets, transaction, files };
        let made = |change: &HostChange<'_>, by: &dyn Fn(&str) -> String| {
            let (issued, expires) = (now(), now().plus_days(7));
            let (root, changes) = (change.leaf(), 1);
            let statement =
                Statement { directive: change.directive, changes, root, issued, expires }.to_string();
            KeyApproval { signature: by(&statement), statement, place: 0, path: Vec::new() }
        };
        let good = made(&change, &by_alice);
        let others = made(&HostChange { hostname: "another", ..change }, &by_alice);
        let another = made(&HostChange { directive: DirectiveId::new(2), ..change }, &by_alice);
        let by_thief = made(&change, &by_thief);
        // The thief has the directive's key: every one of these orders is signed and admitted.
        let told = |approvals: Vec<KeyApproval>| {
            let mut order = order.clone();
            if let OrderAction::Apply { approvals: carried, .. } = &mut order.action {
                *carried = approvals;
            }
            let admitted = gate.admit(&key.sign(&order).unwrap(), now()).expect("the signature is right");
            match carry_out(&admitted, work.path(), &rules) {
                Answer::Apply(ApplyAnswer { report, .. }) => match report.outcome {
                    ApplyOutcome::Refused { code, detail } => (code, detail),
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            }
        };
        for (approvals, says) in [
            (vec![], "0 of the 1 signatures that it asks for are there, and the order carries no other"),
            (vec![by_thief.clone()], "which is none of this host's keys"),
            (vec![others], "does not cover this change of this host"),
            (vec![another], "it is about dir_2, not about dir_1"),
            (
                vec![KeyApproval { signature: by_thief.signature.clone(), ..good.clone() }],
                "none of this host's keys",
            ),
            (
                vec![KeyApproval {
                    statement: by_thief.statement.replace("changes: 1", "changes: 2"),
                    ..good.clone()
                }],
                "not over this",
            ),
        ] {
            let (code, detail) = told(approvals);
            assert_eq!(code, "unapproved", "{detail}");
            assert!(detail.contains(says) && detail.contains("`approval` of "), "{detail}");
        }
        // What alice signed gets past, beside whatever else.
        assert_eq!(told(vec![by_thief, good]).0, "hooks-distrusted");
        // And a rehearsal needs nobody's signature.
        let [rehearse, ..] = orders(asset);
        let Answer::Rehearsal(answer) = carry_out(&rehearse, work.path(), &rules) else { panic!() };
        assert!(format!("{:?}", answer.report.outcome).contains("hooks-distrusted"), "{answer:?}");
    }
}
