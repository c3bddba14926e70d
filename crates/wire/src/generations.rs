//! Which of the validly signed orders an agent carries out.

use tenon_model::{AssetId, Generation, Order, OrderId, Timestamp};

use crate::{DirectivePublicKey, SignatureError, SignedOrder};

/// Everything an agent checks before it carries an order out. The agent keeps `last` on disk, written before the
/// order is begun: an order is begun at most once, whatever the network repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderGate {
    /// Who this agent is.
    pub asset: AssetId,
    /// Who may order.
    pub key: DirectivePublicKey,
    /// Generation of the last order begun.
    pub last: Option<Generation>,
}

/// Why an order is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// Not signed, or not an order.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// For another host.
    #[error("{order} is for {addressee}, this host is {asset}")]
    OtherAsset {
        /// The order.
        order: OrderId,
        /// Whose it is.
        addressee: AssetId,
        /// Who we are.
        asset: AssetId,
    },
    /// Too late.
    #[error("{} expired at {}, it is {now} on this host: check both clocks if that surprises", .order.id, .order.expires)]
    Expired {
        /// The order, which is for this host and from its server.
        order: Box<Order>,
        /// This host's clock.
        now: Timestamp,
    },
    /// Repeated or overtaken.
    #[error("{order} has generation {found}, this host has begun {last} already")]
    NotNewer {
        /// The order.
        order: OrderId,
        /// Its generation.
        found: Generation,
        /// The last one begun.
        last: Generation,
    },
}

impl OrderGate {
    /// Whether neither it nor a later one was begun.
    pub fn is_new(&self, order: &Order) -> bool {
        self.last.is_none_or(|last| order.generation > last)
    }

    /// The order, if this host should carry it out at `now`. Does not advance `last`.
    ///
    /// # Errors
    /// An [`OrderRefusal`]: the order must not be carried out.
    pub fn admit(&self, signed: &SignedOrder, now: Timestamp) -> Result<Order, OrderRefusal> {
        let order = signed.verify(&self.key)?;
        if order.asset != self.asset {
            return Err(OrderRefusal::OtherAsset {
                order: order.id,
                addressee: order.asset,
                asset: self.asset,
            });
        }
        if order.expires < now {
            return Err(OrderRefusal::Expired { order: Box::new(order), now });
        }
        if let Some(last) = self.last.filter(|_| !self.is_new(&order)) {
            return Err(OrderRefusal::NotNewer { order: order.id, found: order.generation, last });
        }
        Ok(order)
    }
}
