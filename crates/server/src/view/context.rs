//! The context document, and what it says of assets, as people see it.

use serde::{Deserialize, Serialize};
use tenon_engine::{AssetState, Preview, World, preview, unstated};
use tenon_model::ContextDocument;
use utoipa::ToSchema;

/// The context document that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContextDocumentView {
    /// Counts the documents that were taken over; 0 where there was none yet.
    pub version: u32,
    /// The document.
    #[schema(value_type = Object)]
    pub document: ContextDocument,
    /// What nobody states.
    pub unstated: Vec<UnstatedView>,
}

/// Of how many assets nobody states a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnstatedView {
    /// The field.
    pub field: String,
    /// Of how many assets nobody states it.
    pub assets: u64,
    /// Of how many of these the inventory tells it.
    pub derived: u64,
    /// For how many of these a default counts.
    pub by_default: u64,
    /// How many assets there are.
    pub of: u64,
}

/// What taking over a document would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewView {
    /// The version that it was compared with.
    pub version: u32,
    /// The difference of the documents, a line for each entry: `+` is new, `-` is gone, `~` is another.
    pub lines: Vec<String>,
    /// What changes for assets, the most assets first.
    pub effects: Vec<EffectView>,
    /// For how many assets anything changes.
    pub assets: u64,
}

/// One change of a field, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EffectView {
    /// The field.
    pub field: String,
    /// What it was, with its source; absent where nothing was said.
    pub from: Option<String>,
    /// What it would be, with its source; absent where nothing would be said.
    pub to: Option<String>,
    /// For how many assets.
    pub assets: u64,
    /// The names that the first of them gave.
    pub hosts: Vec<String>,
}

/// One thing that is said of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SaidView {
    /// The field.
    pub field: String,
    /// Its value.
    pub value: String,
    /// Who says so; absent where several may, as of services and tags.
    pub source: Option<String>,
}

impl ContextDocumentView {
    /// What counts in a World.
    pub fn of(world: &World) -> Self {
        let known = world.context();
        let unstated = unstated(world).into_iter().map(|count| UnstatedView {
            field: count.field.to_owned(),
            assets: count.assets,
            derived: count.derived,
            by_default: count.by_default,
            of: count.of,
        });
        Self {
            version: known.map_or(0, |known| known.version),
            document: known.map(|known| known.document.as_ref().clone()).unwrap_or_default(),
            unstated: unstated.collect(),
        }
    }
}

impl PreviewView {
    /// What taking over a document would change in a World.
    pub fn of(world: &World, document: &ContextDocument) -> Self {
        let Preview { version, lines, effects, assets } = preview(world, document);
        let effects = effects.into_iter().map(|effect| EffectView {
            field: effect.field.to_owned(),
            from: effect.from,
            to: effect.to,
            assets: effect.assets,
            hosts: effect.named.into_iter().map(|(_, name)| name).collect(),
        });
        Self { version, lines, effects: effects.collect(), assets }
    }
}

impl SaidView {
    pub(super) fn of(world: &World, asset: &AssetState) -> Vec<Self> {
        let fields = world.effective(asset).fields().into_iter();
        let said = fields.map(|(field, value, source)| Self {
            field: field.to_owned(),
            value,
            source: source.map(|source| source.to_string()),
        });
        said.collect()
    }
}
