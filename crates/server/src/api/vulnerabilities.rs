//! Every vulnerability that is open somewhere in the estate.

use std::cmp::Reverse;

use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tenon_engine::{OpenVulnerability, World};
use utoipa::{IntoParams, ToSchema};

use super::last::{Of, OfWorld};
use super::lists::{limit, place, word};
use super::{ApiError, Shared};
use crate::view::text;

/// A vulnerability in one line: where it stands in the whole estate. `/api/v1/vulnerabilities/{id}` tells all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VulnerabilityLine {
    /// Its id.
    pub id: String,
    /// Whether it is exploited somewhere: listed in KEV.
    pub exploited: bool,
    /// On how many of its assets attacks by it were seen.
    pub attacked: u64,
    /// EPSS: probability of exploitation in 30 days, in parts per million.
    pub epss_ppm: Option<u32>,
    /// Probability that CISA lists it within 30 days, by Tenon's own model, in parts per million: what counts where it is not
    /// exploited yet.
    pub foreseen_ppm: Option<u32>,
    /// CVSS score, of the vector that counts.
    pub cvss: Option<String>,
    /// On how many assets it is open; those where its risk is accepted are not among them.
    pub assets: u64,
    /// On how many of them something of it stays open whatever is offered there: there is no fix, or not there, or it waits for a
    /// reboot.
    pub not_offered: u64,
    /// On how many of those no fix is published.
    pub no_fix: u64,
    /// Risk points: what is lost by it if nothing is done.
    pub points: String,
    /// Since when an advisory that finds it here is known here, RFC 3339.
    pub since: Option<String>,
}

/// A page of what is open in the estate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VulnerabilitiesPage {
    /// Position of the journal that this shows. Of a large estate it may lie behind that of other answers by some seconds.
    pub generation: u64,
    /// How many there are under the filter.
    pub total: u64,
    /// How many are open in all, ...
    pub open: u64,
    /// ... how many of them are exploited somewhere, ...
    pub exploited: u64,
    /// ... by how many attacks were seen here, ...
    pub attacked: u64,
    /// ... and of how many something stays open whatever is offered.
    pub not_offered: u64,
    /// The place of the first item in the whole list, counted from 0.
    pub from: u64,
    /// The page.
    pub items: Vec<VulnerabilityLine>,
    /// Where the next page begins; absent on the last. It is a place, so that what moves over it is shown twice or not at all.
    pub next: Option<String>,
}

/// Which vulnerabilities, and which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct VulnerabilitiesQuery {
    /// Only those: `exploited` (listed in KEV), `attacked` (here), `not-offered` (something of it stays open whatever is offered) or
    /// `no-fix` (none is published, on some asset).
    only: Option<String>,
    /// Only those whose id holds this text.
    q: Option<String>,
    /// `risk`, where nothing is said, `assets`, `foreseen`, `epss`, `cvss`, `newest` or `id`.
    sort: Option<String>,
    /// Items wanted: 1 to 500, 100 where nothing is said.
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// In place of a cursor: the place of the first item in the whole list, counted from 0.
    from: Option<usize>,
    /// What the record said then: a day or time, RFC 3339, or the number of an entry; now where nothing is said. A time without
    /// a fraction is the whole second. The answer's headers `tenon-sequence` and `tenon-time` tell the last entry that it shows.
    as_of: Option<String>,
}

/// What is open in a World.
pub(crate) struct OpenVulnerabilities {
    generation: u64,
    all: Vec<Open>,
}

struct Open {
    of: OpenVulnerability,
    exploited: bool,
    epss_ppm: Option<u32>,
    foreseen_ppm: Option<u32>,
}

impl OfWorld for OpenVulnerabilities {
    fn of(world: &World) -> Self {
        let open = world.open_vulnerabilities().into_iter().map(|of| {
            let intel = world.intel(&of.id);
            Open {
                exploited: intel.kev.is_some(),
                epss_ppm: intel.epss.map(|epss| epss.score.ppm()),
                foreseen_ppm: intel.foreseen.map(|foreseen| foreseen.probability.ppm()),
                of,
            }
        });
        Self { generation: world.seq(), all: open.collect() }
    }

    fn generation(&self) -> u64 {
        self.generation
    }
}

#[derive(Clone, Copy)]
enum Only {
    Exploited,
    Attacked,
    NotOffered,
    NoFix,
}

impl Only {
    fn holds(self, open: &Open) -> bool {
        match self {
            Self::Exploited => open.exploited,
            Self::Attacked => open.of.attacked > 0,
            Self::NotOffered => open.of.not_offered > 0,
            Self::NoFix => open.of.no_fix > 0,
        }
    }
}

#[derive(Clone, Copy, Default)]
enum Sort {
    #[default]
    Risk,
    Assets,
    Foreseen,
    Epss,
    Cvss,
    Newest,
    Id,
}

const ONLY: [(&str, Only); 4] = [
    ("exploited", Only::Exploited),
    ("attacked", Only::Attacked),
    ("not-offered", Only::NotOffered),
    ("no-fix", Only::NoFix),
];
const SORTS: [(&str, Sort); 7] = [
    ("risk", Sort::Risk),
    ("assets", Sort::Assets),
    ("foreseen", Sort::Foreseen),
    ("epss", Sort::Epss),
    ("cvss", Sort::Cvss),
    ("newest", Sort::Newest),
    ("id", Sort::Id),
];

impl VulnerabilitiesQuery {
    fn place(&self) -> Result<usize, ApiError> {
        match (&self.cursor, self.from) {
            (Some(_), Some(_)) => {
                Err(ApiError::bad_request("a page begins at a cursor or at a place, not both"))
            }
            (cursor @ Some(_), None) => place(cursor.as_deref()),
            (None, from) => Ok(from.unwrap_or_default()),
        }
    }
}

/// Every vulnerability that is open somewhere in the estate, a page at a time, with how many assets it is on and of how many nothing
/// that is offered closes it. Security updates that no advisory explains are directives and not among them.
#[utoipa::path(get, path = "/api/v1/vulnerabilities", params(VulnerabilitiesQuery),
    responses((status = OK, body = VulnerabilitiesPage), (status = BAD_REQUEST)))]
pub(super) async fn vulnerabilities(
    State(context): State<Shared>,
    Query(query): Query<VulnerabilitiesQuery>,
) -> Result<Response, ApiError> {
    let (limit, from) = (limit(query.limit)?, query.place()?);
    let only = word("kind of vulnerabilities", query.only.as_deref(), &ONLY)?;
    let sort = word("order of vulnerabilities", query.sort.as_deref(), &SORTS)?.unwrap_or_default();
    let then = context.then(query.as_of.as_ref()).await?;
    let made = context.open.of(&then.world, Of::now_unless(query.as_of.is_some())).await?;
    Ok(then.answer(page(&made, only, query.q.as_deref(), sort, from, limit)))
}

fn page(
    made: &OpenVulnerabilities,
    only: Option<Only>,
    q: Option<&str>,
    sort: Sort,
    from: usize,
    limit: usize,
) -> VulnerabilitiesPage {
    let q = q.map(str::to_uppercase);
    let wanted = |open: &&Open| {
        only.is_none_or(|only| only.holds(open))
            && q.as_ref().is_none_or(|q| open.of.id.as_str().to_uppercase().contains(q))
    };
    let mut found: Vec<&Open> = made.all.iter().filter(wanted).collect();
    // By id they are already.
    match sort {
        Sort::Risk => found.sort_by_key(|open| (Reverse(open.of.loss), Reverse(open.of.assets))),
        Sort::Assets => found.sort_by_key(|open| Reverse(open.of.assets)),
        // What is listed already comes before all that is only foreseen.
        Sort::Foreseen => found.sort_by_key(|open| Reverse((open.exploited, open.foreseen_ppm))),
        Sort::Epss => found.sort_by_key(|open| Reverse(open.epss_ppm)),
        Sort::Cvss => found.sort_by_key(|open| Reverse(open.of.cvss_tenths)),
        Sort::Newest => found.sort_by_key(|open| Reverse(open.of.known)),
        Sort::Id => {}
    }
    let items: Vec<VulnerabilityLine> =
        found.iter().skip(from).take(limit).map(|open| VulnerabilityLine::of(open)).collect();
    let (total, end) = (found.len(), from.saturating_add(items.len()));
    let count = |only: Only| made.all.iter().filter(|open| only.holds(open)).count() as u64;
    VulnerabilitiesPage {
        generation: made.generation,
        total: total as u64,
        open: made.all.len() as u64,
        exploited: count(Only::Exploited),
        attacked: count(Only::Attacked),
        not_offered: count(Only::NotOffered),
        from: from as u64,
        items,
        next: (end < total).then(|| format!("n{end}")),
    }
}

impl VulnerabilityLine {
    fn of(Open { of, exploited, epss_ppm, foreseen_ppm }: &Open) -> Self {
        Self {
            id: of.id.to_string(),
            exploited: *exploited,
            attacked: of.attacked,
            epss_ppm: *epss_ppm,
            foreseen_ppm: *foreseen_ppm,
            cvss: of.cvss_tenths.map(|tenths| format!("{}.{}", tenths / 10, tenths % 10)),
            assets: of.assets,
            not_offered: of.not_offered,
            no_fix: of.no_fix,
            points: of.loss.to_string(),
            since: text(of.known),
        }
    }
}
