//! Accepting TLS connections without letting a slow handshake hold up others.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tenon_model::AssetId;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Longest a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Most handshakes at a time.
const HANDSHAKES: usize = 256;

/// A person's or program's end of a connection to the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address.
    pub(crate) address: IpAddr,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The asset that the client certificate names; `None` without certificate.
    pub(crate) asset: Option<AssetId>,
    /// Its address.
    pub(crate) address: IpAddr,
}

/// A listener whose connections have finished their handshake.
pub(crate) struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, Peer)>,
}

impl TlsListener {
    /// Accepts on `tcp` from now on. Must be called inside the runtime.
    pub(crate) fn start(tcp: TcpListener, config: Arc<rustls::ServerConfig>) -> Self {
        let (sender, ready) = mpsc::channel(64);
        let acceptor = TlsAcceptor::from(config);
        let permits = Arc::new(Semaphore::new(HANDSHAKES));
        tokio::spawn(async move {
            loop {
                let Ok(permit) = permits.clone().acquire_owned().await else { return };
                let accepted = tokio::select! {
                    accepted = tcp.accept() => accepted,
                    () = sender.closed() => return,
                };
                let (stream, address) = match accepted {
                    Ok((stream, address)) => (stream, address.ip()),
                    Err(error) => {
                        // Out of descriptors, mostly: others end meanwhile.
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                };
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => {
                            let peer = Peer { asset: asset_of(&stream), address };
                            // The door is closing when nobody receives.
                            let _closing = sender.send((stream, peer)).await;
                        }
                        Ok(Err(error)) => tracing::debug!(%error, "handshake failed"),
                        Err(_) => tracing::debug!("handshake timed out"),
                    }
                    drop(permit);
                });
            }
        });
        Self { ready }
    }
}

/// The asset named by the key in the client certificate, which the handshake has verified.
fn asset_of(stream: &TlsStream<TcpStream>) -> Option<AssetId> {
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    certificate.and_then(|der| {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        Some(AssetId::of_public_key(parsed.public_key().raw))
    })
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = Peer;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task has ended with the runtime; nothing more will come.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(Peer { asset: None, address: IpAddr::from([0, 0, 0, 0]) })
    }
}
