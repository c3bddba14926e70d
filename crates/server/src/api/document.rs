//! What is the same for every operation of the API's description, added in one place.

use tenon_wire::Problem;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::operations_of;

/// The description with tags and error answers.
pub(super) fn completed(mut document: OpenApi) -> OpenApi {
    let problem = Problem::name();
    let components = document.components.get_or_insert_with(Default::default);
    components.schemas.insert(problem.to_string(), Problem::schema());
    for (path, item) in &mut document.paths.paths {
        // `/api/v1/directives/{id}` is about directives.
        let tag = path.split('/').nth(3).unwrap_or("page").to_owned();
        for (_, operation) in operations_of(item) {
            operation.tags = Some(vec![tag.clone()]);
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
