//! `tenon gaps`: what cannot be seen, and how the server's feeds are.

use anyhow::Result;
use serde::Serialize;
use tenon_server::{FeedView, FeedsPage, GapView, GapsPage};

use crate::api::Api;
use crate::common::{AsOf, Common, Format};
use crate::hosts;
use crate::show::{day, json};

/// Most hosts that one line names.
const MAX_NAMED: usize = 4;

/// All of it, for programs.
#[derive(Serialize)]
struct All {
    assets: u64,
    not_whole: u64,
    gaps: Vec<GapView>,
    feeds: Vec<FeedView>,
}

pub(crate) fn run(common: &Common, moment: &AsOf) -> Result<()> {
    let api = Api::new(common)?;
    let (mut counts, mut gaps, mut feeds) = (None, Vec::new(), Vec::new());
    api.pages("/api/v1/gaps?limit=500", moment, |page: GapsPage| {
        counts.get_or_insert((page.assets, page.not_whole));
        gaps.extend(page.items);
        page.next
    })?;
    api.pages("/api/v1/feeds?limit=500", moment, |page: FeedsPage| {
        feeds.extend(page.items);
        page.next
    })?;
    let (assets, not_whole) = counts.unwrap_or_default();
    let all = All { assets, not_whole, gaps, feeds };
    match common.format {
        Format::Json => json(&all)?,
        Format::Text => print!("{}", text(&all)),
    }
    Ok(())
}

fn text(all: &All) -> String {
    let mut text = match all.not_whole {
        0 => format!("Nothing is known to be missing on {} assets.\n", all.assets),
        some => format!(
            "{some} of {} assets are not wholly known. It does not mean \"not vulnerable\".\n",
            all.assets
        ),
    };
    for gap in &all.gaps {
        let named = hosts::named(&gap.named, MAX_NAMED, gap.assets);
        text.push_str(&format!("{:<14} {}\n               on {named}\n", gap.kind, gap.said));
    }
    for feed in &all.feeds {
        let as_of = day(feed.as_of.as_ref());
        match &feed.problem {
            Some(problem) => text.push_str(&format!("feed {:<20} as of {as_of}: {problem}\n", feed.name)),
            None => text.push_str(&format!("feed {:<20} as of {as_of}\n", feed.name)),
        }
    }
    text
}
