//! What people say about the estate: the context document of the demonstration, as its reader would find it in a file.

use tenon_formats::Problems;
use tenon_formats::context::parse;
use tenon_model::ContextDocument;

/// Kept as text: it is also an example of how one is written.
const TEXT: &str = "\
version: 1
zones:
  internet: { entry: 1 }
  front: { networks: [10.10.0.0/16, 10.50.0.0/16, 10.51.0.0/16, 10.52.0.0/16] }
  inside: { networks: [10.11.0.0/16, 10.12.0.0/16, 10.20.0.0/16, 10.40.0.0/14, 10.70.0.0/16] }
  stores: { networks: [10.21.0.0/16, 10.30.0.0/15] }
  office: { networks: [10.60.0.0/15, 10.80.0.0/16], entry: 0.02 }
flows:
  - { from: internet, to: front, protocol: tcp, ports: [80, 443, 1194] }
  - { from: front, to: inside, protocol: tcp, ports: [8443, 9200] }
  - { from: inside, to: stores, protocol: tcp, ports: 5432 }
  - { from: office, to: inside, protocol: tcp, ports: [8443, 9090] }
teams:
  shop: { contact: shop@demo.example }
  payments: { contact: payments@demo.example }
  data: { contact: data@demo.example }
  platform: { contact: platform@demo.example }
  edge: { contact: edge@demo.example }
  office: { contact: it@demo.example }
services:
  storefront: { team: shop, environment: production, criticality: high, sensitivity: confidential, depends_on: [orders, search] }
  orders: { team: data, environment: production, criticality: high, sensitivity: restricted }
  search: { team: shop, environment: production, criticality: medium, sensitivity: internal }
  payment: { team: payments, environment: production, criticality: critical, sensitivity: restricted, depends_on: [orders] }
  reporting: { team: data, environment: production, criticality: low, sensitivity: confidential }
redundancy:
  web-fra: { minimum: 8 }
  web-ams: { minimum: 8 }
  web-dub: { minimum: 8 }
  web-waw: { minimum: 8 }
  orders-db: { minimum: 32 }
  ledger-db: { minimum: 2 }
rules:
  - when: { host: 'web-fra-*' }
    set: { services: [storefront], redundancy: web-fra }
  - when: { host: 'web-ams-*' }
    set: { services: [storefront], redundancy: web-ams }
  - when: { host: 'web-dub-*' }
    set: { services: [storefront], redundancy: web-dub }
  - when: { host: 'web-waw-*' }
    set: { services: [storefront], redundancy: web-waw }
  - when: { host: 'cart-*' }
    set: { services: [storefront] }
  - when: { host: 'search-*' }
    set: { services: [search] }
  - when: { host: 'pay-*' }
    set: { services: [payment] }
  - when: { host: 'db-01*' }
    set: { services: [orders], redundancy: ledger-db, tags: [ledger] }
  - when: { host: 'db-*' }
    set: { services: [orders], redundancy: orders-db }
  - when: { host: 'etl-*' }
    set: { services: [reporting] }
  - when: { host: 'runner-*' }
    set: { environment: development, criticality: low }
  - when: { host: 'scan-*' }
    set: { environment: production, criticality: low, sensitivity: internal }
defaults: { sensitivity: internal, criticality: medium }
";

/// The document.
///
/// # Errors
/// Never in a program whose tests passed: the text is part of it.
pub(crate) fn document() -> Result<ContextDocument, Problems> {
    parse(TEXT.as_bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_context_reads_without_a_problem() {
        assert!(super::document().is_ok(), "{:?}", super::document());
    }
}
