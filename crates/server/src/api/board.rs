//! The sheet for the board, written by the server: it is read and printed without scripts.

use axum::extract::{Query, State};
use axum::response::Response;

use super::as_of::AsOf;
use super::{ApiError, Shared};
use crate::pages::board::sheet;
use crate::view::BoardView;

/// The sheet, as of now or as it stood.
pub(super) async fn board(
    State(context): State<Shared>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Response, ApiError> {
    let then = context.then(as_of.as_ref()).await?;
    let board = BoardView::of(&then.world, then.now, &context.attempts(as_of.as_ref()));
    let board = board.ok_or_else(|| ApiError::internal(&"the queue has no beginning"))?;
    // In the one form that needs no escaping in an address.
    let moment =
        as_of.map(|said| said.parse::<u64>().map_or(then.now.to_string(), |entry| entry.to_string()));
    Ok(then.stamped(sheet(&board, moment.as_deref(), context.demo.is_some())))
}
