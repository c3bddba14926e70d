//! What is the same for every operation of the API's description, added in one place.

use tenon_wire::Problem;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::guard::COOKIE;
use crate::access::{Need, need_of};

/// Names of the two ways to be known.
const BEARER: &str = "token";
const SESSION: &str = "session";

/// The description with tags, needs and error answers.
pub(super) fn completed(mut document: OpenApi) -> OpenApi {
    let problem = Problem::name();
    let components = document.components.get_or_insert_with(Default::default);
    components.schemas.insert(problem.to_string(), Problem::schema());
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.security_schemes.insert(BEARER.to_owned(), RefOr::T(SecurityScheme::Http(bearer)));
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
    components.security_schemes.insert(SESSION.to_owned(), RefOr::T(cookie));
    for (path, item) in &mut document.paths.paths {
        // `/api/v1/directives/{id}` is about directives.
        let tag = path.split('/').nth(3).unwrap_or("page").to_owned();
        for (method, operation) in operations_of(item) {
            operation.tags = Some(vec![tag.clone()]);
            say_need(operation, need_of(method, path));
            let reference = RefOr::Ref(Ref::from_schema_name(problem.as_ref()));
            let content = ContentBuilder::new().schema(Some(reference)).build();
            let failed = ResponseBuilder::new()
                .description("a problem; see docs/reference/refusals.md")
                .content("application/problem+json", content);
            operation.responses.responses.insert("default".to_owned(), RefOr::T(failed.build()));
        }
    }
    document
}

fn say_need(operation: &mut Operation, need: Option<Need>) {
    let need = match need {
        Some(Need::Nothing) => return,
        Some(Need::SignedIn) => "Needs somebody who is signed in.".to_owned(),
        Some(Need::Right(right)) => format!("Needs the right `{}`: {}.", right.name(), right.given_by()),
        None => "Nobody may use it.".to_owned(),
    };
    let known = [SESSION, BEARER].map(|way| SecurityRequirement::new(way, Vec::<String>::new()));
    operation.security = Some(known.to_vec());
    operation.description = Some(match operation.description.take() {
        Some(text) => format!("{text}\n\n{need}"),
        None => need,
    });
}

/// The operations of one path, each with its method.
fn operations_of(item: &mut PathItem) -> Vec<(&'static str, &mut Operation)> {
    let methods = [
        ("GET", item.get.as_mut()),
        ("POST", item.post.as_mut()),
        ("PUT", item.put.as_mut()),
        ("DELETE", item.delete.as_mut()),
    ];
    methods.into_iter().filter_map(|(method, operation)| Some((method, operation?))).collect()
}
