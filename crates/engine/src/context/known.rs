//! The document that counts, and which version of it said what first.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenon_model::context::AssetKey;
use tenon_model::{ContextDocument, Digest, ServiceName};

/// The context document that counts.
#[derive(Debug, Clone, Serialize)]
pub struct KnownContext {
    /// Counts the documents that were taken over, from 1.
    pub version: u32,
    /// Its content.
    pub blob: Digest,
    /// The document.
    #[serde(skip)]
    pub document: Arc<ContextDocument>,
    /// Follows from the documents before.
    #[serde(skip)]
    pub(crate) written: Written,
}

/// Since which version each part says what it says. Reasons name it, so that they change only where what they stand on does.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) services: BTreeMap<ServiceName, u32>,
    pub(crate) assets: Arc<BTreeMap<AssetKey, u32>>,
    pub(crate) rules: Vec<u32>,
    pub(crate) defaults: u32,
    pub(crate) network: u32,
}

impl KnownContext {
    pub(crate) fn after(
        before: Option<&Self>,
        document: ContextDocument,
        blob: Digest,
        version: u32,
    ) -> Self {
        let none = ContextDocument::default();
        let old = before.map_or(&none, |before| &before.document);
        let since = before.map(|before| &before.written);
        let kept = |same: bool, since: Option<u32>| since.filter(|_| same).unwrap_or(version);
        let services = document.services.iter().map(|(name, service)| {
            let known = since.and_then(|since| since.services.get(name).copied());
            (name.clone(), kept(old.services.get(name) == Some(service), known))
        });
        let assets = document.assets.iter().map(|(key, labels)| {
            let known = since.and_then(|since| since.assets.get(key).copied());
            (key.clone(), kept(old.assets.get(key) == Some(labels), known))
        });
        let rules = document.rules.iter().enumerate().map(|(at, rule)| {
            let known = since.and_then(|since| since.rules.get(at).copied());
            kept(old.rules.get(at) == Some(rule), known)
        });
        let network = old.zones == document.zones && old.flows == document.flows;
        let written = Written {
            services: services.collect(),
            assets: Arc::new(assets.collect()),
            rules: rules.collect(),
            defaults: kept(old.defaults == document.defaults, since.map(|since| since.defaults)),
            network: kept(network, since.map(|since| since.network)),
        };
        Self { version, blob, document: Arc::new(document), written }
    }
}
