//! Putting it together: journal, writer, API, gateway, ticks.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tenon_feeds::Source;
use tenon_journal::{Durability, JournalError, Store};
use tenon_model::{Command, GroupName, Person};
use tenon_wire::EnrolToken;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::access::{Passwords, People, PeopleError, Rate, Rates};
use crate::api;
use crate::assessing;
use crate::authority::{Authority, AuthorityError};
use crate::backtesting::Backtests;
use crate::clock::clock;
use crate::demo::Demo;
use crate::doors::{self, TlsFiles, TlsFilesError};
use crate::feeding::Feeding;
use crate::folder::{DataFolder, FolderError};
use crate::gateway::{self, Gateway};
use crate::health::FeedHealth;
use crate::history;
use crate::messages::{
    self, Addressees, Courier, LOOK, Messages, MessagesError, Outbox, OutboxError, Poster,
};
use crate::past::Past;
use crate::replay::ReplayError;
use crate::tls::TlsListener;
use crate::writer::{SubmitError, Writer};

/// How often the clock is shown to the core, which writes an event only when something fell due.
const TICK: Duration = Duration::from_secs(5);
/// How often it is looked which hosts have been silent for so long that they count as gone.
const LOOK_FOR_SILENT: Duration = Duration::from_secs(60);

/// How long a World of the past is kept for whoever asks next: people look at several things of one time.
const PAST_IDLE: Duration = Duration::from_secs(300);

/// How many seconds' requests a caller may send at once.
const BURST_SECONDS: u32 = 6;
/// An office behind one address signs in in the morning; whoever guesses has some thousand tries a day.
const SIGNING_IN_FROM: Rate = Rate { burst: 30, every: Duration::from_secs(30) };
/// A person mistypes a few times; whoever guesses one password has some hundred tries a day, from however many addresses.
const SIGNING_IN_AS: Rate = Rate { burst: 10, every: Duration::from_secs(300) };

/// How to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder.
    pub data: PathBuf,
    /// Where the record is kept; `None` keeps it in the data folder.
    pub store: Option<Store>,
    /// Where people and the CLI connect.
    pub listen: SocketAddr,
    /// Where reports come from.
    pub hosts: Hosts,
    /// The name under which the owner of the data folder becomes the first user.
    pub person: Person,
    /// Whether reading takes no session. Refused unless `listen` is on loopback.
    pub open_reading: bool,
    /// Certificate and key of the API; without them it is served without TLS.
    pub tls: Option<TlsFiles>,
    /// How long the head, and then the body, of a request may take to arrive.
    pub patience: Duration,
    /// How many requests a second one caller may send.
    pub requests_per_second: NonZeroU32,
    /// Further names, with port, under which people reach the API.
    pub names: Vec<String>,
    /// Where advisories and intel come from; `None` asks no feed.
    pub feeds: Option<Source>,
    /// How many days of history are kept; `None` keeps all of it.
    pub keep_days: Option<NonZeroU32>,
    /// The file that says who is told what; `None` takes `messages.yaml` of the data folder, where there is one.
    pub messages: Option<PathBuf>,
    /// The folder of years of history over which policies are replayed; `None` replays none.
    pub history: Option<PathBuf>,
}

/// Where reports come from and orders go.
#[derive(Debug, Clone)]
pub enum Hosts {
    /// Agents.
    Real {
        /// Where they connect.
        gateway: SocketAddr,
        /// Names and addresses in the gateway's certificate; the agents' URL must use one of them.
        names: Vec<String>,
    },
    /// A demonstration. No gateway is opened, so that no order can leave.
    Played(Arc<dyn Demo>),
}

/// Why Tenon cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal's content.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Certificates.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The runtime ended before the record was read.
    #[error("the record was not read to its end: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
    /// The first command of this term.
    #[error(transparent)]
    Begin(#[from] SubmitError),
    /// An address is taken, or not ours.
    #[error("cannot listen on {address}: {source}; choose another with --listen or --gateway")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The failure.
        source: std::io::Error,
    },
    /// The file of people.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// The file that says who is told what.
    #[error(transparent)]
    Messages(#[from] MessagesError),
    /// How far they were told.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// Certificate or key of the API.
    #[error(transparent)]
    Tls(#[from] TlsFilesError),
    /// Passwords cannot be hashed.
    #[error("{0}")]
    Passwords(String),
    /// Reading would be open to the network.
    #[error(
        "reading can be open on loopback only, not on {0}: leave --open-reading out, or listen on 127.0.0.1"
    )]
    OpenReading(SocketAddr),
    /// A token could not be made.
    #[error("cannot make an enrolment token: {0}")]
    Token(String),
}

/// A server at work.
pub struct Running {
    /// Handle to the writer.
    pub writer: Writer,
    /// The data folder.
    pub folder: DataFolder,
    /// Where the record is kept.
    pub store: Store,
    /// What an acknowledged command survives there.
    pub durability: Durability,
    /// Where people connect; the port is the real one where 0 was asked for.
    pub listen: SocketAddr,
    /// Where agents connect; `None` in a demonstration.
    pub gateway: Option<SocketAddr>,
    context: api::Shared,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Opens the data folder, replays its journal and begins to serve.
///
/// # Errors
/// A [`ServeError`]; nothing is left running then.
pub async fn serve(settings: Settings) -> Result<Running, ServeError> {
    if settings.open_reading && !settings.listen.ip().is_loopback() {
        return Err(ServeError::OpenReading(settings.listen));
    }
    let folder = DataFolder::open(&settings.data)?;
    let demo = match &settings.hosts {
        Hosts::Played(demo) => Some(demo.clone()),
        Hosts::Real { .. } => None,
    };
    folder.claim(demo.is_some())?;
    let store = settings.store.unwrap_or_else(|| folder.store());
    let opening = store.clone();
    // Opening and replaying block.
    let journal = tokio::task::spawn_blocking(move || opening.open()).await??;
    let addressees = match (&settings.messages, folder.path(messages::FILE)) {
        (Some(path), _) => Addressees::load(path)?,
        // What is played is told nobody who was not named for it.
        _ if demo.is_some() => Addressees::default(),
        (None, path) if path.exists() => Addressees::load(&path)?,
        _ => Addressees::default(),
    };
    let messages = Messages::of(addressees);
    let api_tls = settings.tls.as_ref().map(TlsFiles::load).transpose()?;
    let (listener, listen) = doors::bind(settings.listen).await?;
    let authority = Authority::open(&folder)?;
    let agents = match &settings.hosts {
        Hosts::Real { gateway, names } => {
            let (listener, address) = doors::bind(*gateway).await?;
            Some((listener, address, authority.gateway_tls(names)?))
        }
        Hosts::Played(_) => None,
    };
    let playing = demo.clone();
    let now = move || playing.as_ref().map_or_else(clock, |demo| demo.now());
    let (writer, durability) = tokio::task::spawn_blocking(move || {
        let durability = journal.durability()?;
        Ok::<_, ServeError>((Writer::start(journal, now)?, durability))
    })
    .await??;
    tracing::info!(%store, %durability, "the record is open");
    writer.submit(Command::BeginTerm, None).await?;
    let mut hosts = vec![
        listen.to_string(),
        format!("localhost:{}", listen.port()),
        format!("127.0.0.1:{}", listen.port()),
        format!("[::1]:{}", listen.port()),
    ];
    hosts.extend(settings.names);
    let people = People::open(&folder.path("people.sqlite"), &settings.person, clock())?;
    people.keep_operator_token(&folder.operator_token()?, clock())?;
    let owner = people.owner()?.map_or(settings.person, |owner| owner.id);
    let (stop, stopped) = watch::channel(false);
    let health = FeedHealth::default();
    let aside = api::Aside::default();
    let poster = Poster::new();
    let couriers = couriers(&messages, &folder, &poster, &writer, &people, look(&settings.hosts))?;
    let backtests = Backtests::over(settings.history, stopped.clone());
    let context = Arc::new(api::Context {
        writer: writer.clone(),
        past: Past::new(writer.clone(), PAST_IDLE),
        people,
        passwords: Passwords::new().map_err(|error| ServeError::Passwords(error.to_string()))?,
        owner,
        asking: Rates::new(Rate {
            burst: settings.requests_per_second.get().saturating_mul(BURST_SECONDS),
            every: Duration::from_secs(1) / settings.requests_per_second.get(),
        }),
        signing_in_from: Rates::new(SIGNING_IN_FROM),
        signing_in_as: Rates::new(SIGNING_IN_AS),
        open_reading: settings.open_reading,
        secure: api_tls.is_some(),
        stopped: stopped.clone(),
        patience: settings.patience,
        hosts,
        authority: authority.digest(),
        demo,
        health: health.clone(),
        messages: messages.clone(),
        poster,
        backtests,
        solved: api::Last::new(&aside),
        open: api::Last::new(&aside),
    });
    let mut tasks = vec![
        tokio::spawn(doors::people(
            listener,
            api_tls,
            api::router(context.clone()),
            settings.patience,
            stopped.clone(),
        )),
        tokio::spawn(ticks(writer.clone(), stopped.clone())),
        tokio::spawn(assessing::run(context.clone(), stopped.clone())),
    ];
    let gateway = agents.as_ref().map(|(_, address, _)| *address);
    if let Some((listener, _, tls)) = agents {
        let gateway = Arc::new(Gateway {
            writer: writer.clone(),
            authority,
            key: folder.directive_key()?,
            patience: settings.patience,
            stopped: stopped.clone(),
        });
        tasks.push(tokio::spawn(doors::agents(
            TlsListener::start(listener, tls),
            gateway::router(gateway),
            settings.patience,
            stopped.clone(),
        )));
    }
    tasks.extend(couriers.into_iter().map(|courier| tokio::spawn(courier.run(stopped.clone()))));
    if let Some(days) = settings.keep_days {
        tasks.push(tokio::spawn(history::keep_days(writer.clone(), days.get(), stopped.clone())));
    }
    if let Some(source) = settings.feeds {
        let feeding = Feeding { writer: writer.clone(), source, store: folder.path("feeds"), health };
        tasks.push(tokio::spawn(feeding.run(stopped)));
    }
    Ok(Running { writer, folder, store, durability, listen, gateway, context, stop, tasks })
}

/// One for each addressee. Who is new is told what happens from now on.
fn couriers(
    messages: &Messages,
    folder: &DataFolder,
    poster: &Poster,
    writer: &Writer,
    people: &People,
    look: Duration,
) -> Result<Vec<Courier>, OutboxError> {
    let to = &messages.addressees.to;
    if to.is_empty() {
        return Ok(Vec::new());
    }
    let outbox = Outbox::open(&folder.path("messages.sqlite"))?;
    let names: Vec<&str> = to.iter().map(|addressee| addressee.name.as_str()).collect();
    let mut standings = outbox.begin(&names, writer.world().seq() + 1)?;
    let couriers = to.iter().filter_map(|to| {
        Some(Courier {
            to: to.clone(),
            messages: messages.clone(),
            standing: standings.remove(&to.name)?,
            outbox: outbox.clone(),
            poster: poster.clone(),
            writer: writer.clone(),
            people: people.clone(),
            look,
        })
    });
    Ok(couriers.collect())
}

/// How often couriers look at the record: time passes faster where hosts are played, or only in steps.
fn look(hosts: &Hosts) -> Duration {
    match hosts {
        Hosts::Real { .. } => LOOK,
        Hosts::Played(demo) => LOOK.checked_div(demo.pace()).unwrap_or_default(),
    }
}

/// Waits until the watch says so. A dropped sender ends the server too.
pub(crate) async fn is_true(mut stopped: watch::Receiver<bool>) {
    let _stopped = stopped.wait_for(|stop| *stop).await;
}

async fn ticks(writer: Writer, mut stopped: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(TICK);
    let mut looked = tokio::time::Instant::now();
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        let mut due = vec![Command::Tick];
        if looked.elapsed() >= LOOK_FOR_SILENT {
            looked = tokio::time::Instant::now();
            due.push(Command::RetireSilent);
        }
        for command in due {
            match writer.submit(command, None).await {
                Ok(_) | Err(SubmitError::Refused(_)) => {}
                Err(error) => {
                    tracing::error!(%error, "ticks end");
                    return;
                }
            }
        }
    }
}

impl Settings {
    /// What `patience` is where nobody says otherwise: a minute for a body, on whatever line.
    pub const PATIENCE: Duration = Duration::from_secs(60);
    /// What `requests_per_second` is where nobody says otherwise: a page refetches with every change, a script polls, and
    /// neither needs a tenth of it.
    pub const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(100).unwrap();

    /// A server for this machine alone: on a free port of loopback, in a data folder, and nothing else of what there is to choose.
    pub fn on_loopback(data: PathBuf, hosts: Hosts, person: Person) -> Self {
        Self {
            data,
            store: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            hosts,
            person,
            open_reading: false,
            tls: None,
            patience: Self::PATIENCE,
            requests_per_second: Self::REQUESTS_PER_SECOND,
            names: Vec::new(),
            feeds: None,
            keep_days: None,
            messages: None,
            history: None,
        }
    }
}

impl Running {
    /// The owner of the data folder, as the record names them.
    pub fn owner(&self) -> &Person {
        &self.context.owner
    }

    /// A one-time token for a host that joins this group.
    ///
    /// # Errors
    /// When the journal fails.
    pub async fn enrol_token(&self, group: GroupName) -> Result<EnrolToken, ServeError> {
        api::new_token(&self.context, group, self.context.owner.clone())
            .await
            .map_err(|error| ServeError::Token(error.detail().to_owned()))
    }

    /// Stops serving; the journal is closed when this returns.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // A task that panicked has been reported by the runtime.
            let _ended = task.await;
        }
        self.writer.stop().await;
    }
}
