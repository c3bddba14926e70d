//! Hosts by the names that people call them.

use anyhow::{Result, bail};
use tenon_formats::percent;
use tenon_server::AssetsPage;

use crate::api::Api;
use crate::common::AsOf;

/// The id of a host that is named by it (`ast_...`) or by its host name.
pub(crate) fn id_of(api: &Api<'_>, named: &str, moment: &AsOf) -> Result<String> {
    if named.starts_with("ast_") {
        return Ok(named.to_owned());
    }
    let mut path = "/api/v1/assets?limit=500&q=".to_owned();
    percent::encode_into(&mut path, named, percent::is_unreserved);
    let mut found = Vec::new();
    api.pages(&path, moment, |page: AssetsPage| {
        let called = page.items.into_iter().filter(|asset| asset.hostname == named);
        found.extend(called.map(|asset| asset.id));
        page.next
    })?;
    match found.as_slice() {
        [id] => Ok(id.clone()),
        [] => bail!("no host is called {named:?}: `tenon assets` lists them"),
        several => bail!("several hosts are called {named:?}: name one of {}", several.join(", ")),
    }
}

/// The ids of hosts that are named so now.
pub(crate) fn ids_of(api: &Api<'_>, named: &[String]) -> Result<Vec<String>> {
    let now = AsOf { as_of: None };
    named.iter().map(|host| id_of(api, host.trim(), &now)).collect()
}

/// The first names of so many, and how many more there are.
pub(crate) fn named(names: &[String], most: usize, of: u64) -> String {
    let named: Vec<&str> = names.iter().take(most).map(String::as_str).collect();
    match of.saturating_sub(named.len() as u64) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
