//! The two doors: people and their programs, and agents. Both end in order when Tenon stops.

use std::fs::File;
use std::future::IntoFuture as _;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::serve::{ServeError, is_true};
use crate::tls::{Client, Peer, TlsListener};

/// How long requests that are under way may take when Tenon stops.
const GRACE: Duration = Duration::from_secs(5);
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
    stopped: watch::Receiver<bool>,
) {
    match tls {
        Some(config) => {
            door::<_, Client>("the API", TlsListener::start(listener, config), router, stopped).await;
        }
        None => door::<_, Client>("the API", listener, router, stopped).await,
    }
}

/// Serves agents.
pub(crate) async fn agents(listener: TlsListener, router: Router, stopped: watch::Receiver<bool>) {
    door::<_, Peer>("the gateway", listener, router, stopped).await;
}

/// Serves until told to stop; what is under way then has a while to end.
async fn door<L, C>(what: &str, listener: L, router: Router, stopped: watch::Receiver<bool>)
where
    L: Listener,
    L::Addr: std::fmt::Debug,
    C: for<'a> Connected<IncomingStream<'a, L>>,
{
    let service = router.into_make_service_with_connect_info::<C>();
    let served = axum::serve(listener, service).with_graceful_shutdown(is_true(stopped.clone()));
    let late = async {
        is_true(stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = served.into_future() => if let Err(error) = served {
            tracing::error!(%error, "{what} ended");
        },
        () = late => tracing::warn!("{what}: requests that did not end in time are cut off"),
    }
}
