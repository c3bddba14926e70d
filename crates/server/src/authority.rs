//! The certificate authority of this instance: certifies the gateway and the keys that hosts enrol with.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use tenon_model::{AssetId, Digest};

use crate::folder::{DataFolder, FolderError, Secrecy};

/// Largest certificate request that is looked at, in bytes.
const MAX_REQUEST: usize = 16 * 1024;

/// Why a certificate cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The data folder fails.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Making or reading a certificate failed.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS cannot be set up with it.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The stored authority does not load.
    #[error("authority.pem does not hold a certificate: restore it from a backup")]
    Stored,
    /// The client verifier cannot be built.
    #[error("client verification: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    /// A host's request is larger than any request is.
    #[error("a certificate request of {0} bytes is above the limit of {MAX_REQUEST}")]
    RequestTooLarge(usize),
}

/// The authority, with its key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    /// The authority of this folder, made on first use.
    ///
    /// # Errors
    /// When its files fail or do not hold a certificate and its key.
    pub fn open(folder: &DataFolder) -> Result<Self, AuthorityError> {
        let stored =
            (folder.read("authority.pem", Secrecy::Public)?, folder.read("authority.key", Secrecy::Secret)?);
        let (pem, key) = match stored {
            (Some(pem), Some(key)) => (pem, KeyPair::from_pem(&key)?),
            _ => {
                let key = KeyPair::generate()?;
                let mut params = CertificateParams::new(Vec::new())?;
                params.distinguished_name.push(DnType::CommonName, "Tenon authority");
                params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
                params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
                let pem = params.self_signed(&key)?.pem();
                folder.write("authority.key", &key.serialize_pem(), Secrecy::Secret)?;
                folder.write("authority.pem", &pem, Secrecy::Public)?;
                (pem, key)
            }
        };
        let certificate =
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| AuthorityError::Stored)?;
        let issuer = Issuer::from_ca_cert_pem(&pem, key)?;
        Ok(Self { issuer, certificate, pem })
    }

    /// Its certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of its certificate (DER), which enrolment tokens carry.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.certificate)
    }

    /// Certifies the key in a host's request. Nothing else of the request is taken over: names, uses and life come
    /// from here.
    ///
    /// # Errors
    /// When the request does not parse, or its signature does not prove the key.
    pub fn certify_host(&self, request_pem: &str) -> Result<(AssetId, String), AuthorityError> {
        if request_pem.len() > MAX_REQUEST {
            return Err(AuthorityError::RequestTooLarge(request_pem.len()));
        }
        let request = CertificateSigningRequestParams::from_pem(request_pem)?;
        let asset = AssetId::of_public_key(&request.public_key.subject_public_key_info());
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, asset.to_string());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&request.public_key, &self.issuer)?;
        Ok((asset, certificate.pem()))
    }

    /// TLS 1.3 for the gateway under these names. Clients may come without a certificate (to enrol); one that is
    /// presented must be of this authority.
    ///
    /// # Errors
    /// When a name is no DNS name or address, or TLS refuses the configuration.
    pub fn gateway_tls(&self, names: &[String]) -> Result<Arc<rustls::ServerConfig>, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names.to_vec())?;
        params.distinguished_name.push(DnType::CommonName, "Tenon gateway");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()?;
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)?;
        Ok(Arc::new(config))
    }
}
