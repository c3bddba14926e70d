//! Who does a directive: saying so, and asking for what somebody does.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use tenon_engine::{AssignedTo, Sum};
use tenon_model::{Command, MayAssign, Person};
use utoipa::ToSchema;

use super::read::parse;
use super::write::{Done, submit};
use super::{ApiError, Input, Shared};
use crate::access::{Caller, Names, Right, Via};

/// Whoever asks.
const ME: &str = "me";
/// No person.
const NOBODY: &str = "nobody";

/// Who is to do it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignBody {
    /// The name with which somebody signs in, or their id; `me` for whoever asks; any other name for somebody who does not sign
    /// in, which the record then keeps; `null` for nobody.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    to: Option<String>,
}

/// Say who does a directive. Whoever may discuss takes it for themselves and gives back what is theirs; whoever may approve
/// gives it to anybody, and takes it from anybody.
#[utoipa::path(post, path = "/api/v1/directives/{id}/assign", params(("id" = String, Path)), request_body = AssignBody,
    responses((status = OK, body = Done), (status = UNAUTHORIZED), (status = CONFLICT)))]
pub(super) async fn assign(
    State(context): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Input(body): Input<AssignBody>,
) -> Result<Json<Done>, ApiError> {
    let to = body.to.map(|said| whom(&said, &caller, &Names::of(&context.people)?)).transpose()?;
    let may = if caller.may(Right::Approve) { MayAssign::Anybody } else { MayAssign::Themselves };
    let command = Command::Assign { directive: parse(&id)?, to, by: caller.person, may };
    submit(&context, &headers, command).await
}

/// The person whom a body names.
fn whom(said: &str, caller: &Caller, names: &Names) -> Result<Person, ApiError> {
    match said {
        ME => Ok(caller.person.clone()),
        NOBODY => Err(ApiError::bad_request("nobody is said by null: {\"to\": null}")),
        // An id that has no name is a typing error, or somebody who is not here any more.
        _ if said.starts_with("usr_") && !names.iter().any(|(id, _)| id == said) => {
            Err(ApiError::bad_request(format!("{said} is nobody here: say the name, see `tenon user list`")))
        }
        _ => names.person(said).map_err(|error| ApiError::bad_request(error.to_string())),
    }
}

/// Whose directives a query asks for.
pub(super) fn asked(said: &str, caller: &Caller, names: &Names) -> Result<AssignedTo, ApiError> {
    let known_as =
        |said: &str| names.known_as(said).map_err(|error| ApiError::bad_request(error.to_string()));
    match said {
        NOBODY => Ok(AssignedTo::Nobody),
        ME if caller.via == Via::Nothing => {
            Err(ApiError::bad_request("nobody is signed in who could be meant by `me`: name a person"))
        }
        ME => known_as(caller.person.as_str()).map(AssignedTo::OneOf),
        _ => known_as(said).map(AssignedTo::OneOf),
    }
}

/// By what whoever does something is called; `nobody` where nobody does.
pub(super) fn name_of(who: Option<&Person>, names: &Names) -> String {
    who.map_or_else(|| NOBODY.to_owned(), |who| names.of_id(who.to_string()))
}

/// What whoever does something comes to, by name.
pub(super) fn by_name(sums: &BTreeMap<Option<&Person>, Sum>, names: &Names) -> BTreeMap<String, Sum> {
    let mut named: BTreeMap<String, Sum> = BTreeMap::new();
    for (who, sum) in sums {
        let name = name_of(*who, names);
        // Somebody may be known by a name from before there was an id.
        named.entry(name).or_default().join(*sum);
    }
    named
}
