//! Models of EPSS. A new model moves most scores, so scores of different models do not compare.

use std::sync::LazyLock;

use tenon_model::Timestamp;

/// A model and the first day that it scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// Generation (`v4`).
    pub name: &'static str,
    /// First day of its scores (midnight UTC).
    pub first: Timestamp,
    /// What its first day did to the scores.
    pub note: &'static str,
}

static MODELS: LazyLock<Vec<Model>> =
    LazyLock::new(|| include_str!("../data/epss_models.csv").lines().filter_map(model).collect());

/// A line `model,first_score_date,note`; `None` for comments and the header.
fn model(line: &'static str) -> Option<Model> {
    let mut cells = line.splitn(3, ',');
    let (name, first, note) = (cells.next()?, cells.next()?, cells.next()?);
    Some(Model { name, first: Timestamp::parse(first)?, note })
}

/// Every model, oldest first.
pub fn models() -> &'static [Model] {
    &MODELS
}

/// The model whose score a day has; `None` before the first.
pub fn model_on(day: Timestamp) -> Option<&'static Model> {
    MODELS.iter().rev().find(|model| model.first <= day)
}

/// Whether scores of the two days are of one model and so compare.
pub fn comparable(one: Timestamp, other: Timestamp) -> bool {
    model_on(one).is_some_and(|model| Some(model) == model_on(other))
}
