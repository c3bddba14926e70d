//! The two doors: people and their programs, and agents. Both end in order when Tenon stops.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::serve::{ServeError, is_true};
use crate::tls::{Client, Peer, TlsListener};

/// How long requests that are under way may take when Tenon stops.
const GRACE: Duration = Duration::from_secs(5);
/// Most connections of people and their programs at a time; a browser holds some six.
const PEOPLE: usize = 2_048;
/// Most connections of agents at a time: each holds one.
const AGENTS: usize = 65_536;
/// Largest file of certificates or of a key that is read, in bytes.
const MAX_PEM: u64 = 1 << 20;

/// Certificate and key of the API, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate with its chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

/// Why the API cannot be served over TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsFilesError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The failure.
        source: io::Error,
    },
    /// A file does not hold what it must.
    #[error("{path} does not hold {expected} in PEM", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// Certificate and key do not go together, or are of a kind that is not known.
    #[error("{certificate} cannot be used with its key: {source}", certificate = certificate.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// What TLS says.
        source: rustls::Error,
    },
}

fn read(path: &Path) -> Result<Vec<u8>, TlsFilesError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_PEM).read_to_end(&mut bytes));
    read.map_err(|source| TlsFilesError::Read { path: path.to_owned(), source })?;
    Ok(bytes)
}

impl TlsFiles {
    /// TLS 1.3 with what the files hold.
    pub(crate) fn load(&self) -> Result<Arc<rustls::ServerConfig>, TlsFilesError> {
        let missing = |path: &Path, expected| TlsFilesError::Content { path: path.to_owned(), expected };
        let chain = CertificateDer::pem_slice_iter(&read(&self.certificate)?)
            .collect::<Result<Vec<_>, _>>()
            .ok()
            .filter(|chain| !chain.is_empty())
            .ok_or_else(|| missing(&self.certificate, "certificates"))?;
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?);
        let key = key.map_err(|_| missing(&self.key, "a private key"))?;
        let unusable = |source| TlsFilesError::Unusable { certificate: self.certificate.clone(), source };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(unusable)?;
        Ok(Arc::new(config))
    }
}

pub(crate) async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    Ok((listener, local))
}

/// Serves people, over TLS where there is a configuration for it.
pub(crate) async fn people(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    patience: Duration,
    stopped: watch::Receiver<bool>,
) {
    let door = Door { name: "the API", router, patience, stopped, most: PEOPLE };
    match tls {
        Some(config) => {
            let listener = TlsListener::start(listener, config);
            door.serve(listener, |peer: Peer| Client { address: peer.address }).await;
        }
        None => door.serve(listener, |address: SocketAddr| Client { address: address.ip() }).await,
    }
}

/// Serves agents.
pub(crate) async fn agents(
    listener: TlsListener,
    router: Router,
    patience: Duration,
    stopped: watch::Receiver<bool>,
) {
    let door = Door { name: "the gateway", router, patience, stopped, most: AGENTS };
    door.serve(listener, |peer: Peer| peer).await;
}

struct Door {
    name: &'static str,
    router: Router,
    /// How long the head of a request may take to arrive.
    patience: Duration,
    stopped: watch::Receiver<bool>,
    /// Most connections at a time; more wait to be accepted.
    most: usize,
}

impl Door {
    /// Serves until told to stop; what is under way then has a while to end. `who` is what handlers learn of a connection.
    async fn serve<L: Listener, C: Clone + Send + Sync + 'static>(
        self,
        mut listener: L,
        who: impl Fn(L::Addr) -> C,
    ) {
        let (graceful, permits) = (GracefulShutdown::new(), Arc::new(Semaphore::new(self.most)));
        let mut protocol = http1::Builder::new();
        protocol.timer(TokioTimer::new()).header_read_timeout(self.patience);
        loop {
            let accepted = async {
                let permit = permits.clone().acquire_owned().await;
                (permit, listener.accept().await)
            };
            let (permit, (stream, address)) = tokio::select! {
                accepted = accepted => accepted,
                () = is_true(self.stopped.clone()) => break,
            };
            let (inner, who) = (TowerToHyperService::new(self.router.clone()), ConnectInfo(who(address)));
            let service = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(who.clone());
                inner.call(request)
            });
            let connection = graceful.watch(protocol.serve_connection(TokioIo::new(stream), service));
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection broke");
                }
                drop(permit);
            });
        }
        drop(listener);
        tokio::select! {
            () = graceful.shutdown() => {}
            () = tokio::time::sleep(GRACE) => {
                tracing::warn!("{}: requests that did not end in time are cut off", self.name);
            }
        }
    }
}
