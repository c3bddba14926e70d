//! `tenon plan explain`: what the open directives of one host wait for there.

use anyhow::{Result, bail};
use clap::Args;
use tenon_server::{AssetDirectivesView, OnAssetView};

use crate::api::Api;
use crate::assign;
use crate::common::{AsOf, Common, Format};
use crate::hosts;
use crate::show::{day, json};

/// Which host.
#[derive(Args)]
#[command(after_help = "Examples:\n  tenon plan explain web1\n  \
    tenon plan explain web1 --directive dir_1\n  tenon plan explain web1 --as-of 2026-11-01T06:00:00Z   what it waited for then")]
pub(crate) struct Explain {
    /// Its name, or `ast_...`
    host: String,
    /// Only this directive.
    #[arg(long, value_name = "ID")]
    directive: Option<String>,
    #[command(flatten)]
    moment: AsOf,
}

impl Explain {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let api = Api::new(common)?;
        let id = hosts::id_of(&api, &self.host, &self.moment)?;
        let path = format!("/api/v1/assets/{id}/directives");
        let mut host: AssetDirectivesView = api.get_as_of(&path, &self.moment)?;
        if let Some(wanted) = &self.directive {
            host.directives.retain(|directive| directive.id == *wanted);
            if host.directives.is_empty() {
                bail!("{wanted} is not open on {}: `tenon show {wanted}` tells where it is", host.hostname);
            }
        }
        match common.format {
            Format::Json => json(&host.directives)?,
            Format::Text => print!("{}", text(&host)),
        }
        Ok(())
    }
}

fn text(host: &AssetDirectivesView) -> String {
    let begin = format!("{} ({}, group {}, {})", host.hostname, host.id, host.group, host.mode);
    if host.directives.is_empty() {
        return format!("{begin}: no directive is open here\n");
    }
    let mut text = format!("{begin}\n");
    for directive in &host.directives {
        text += &format!("{:<8} due {} {}\n", directive.id, day(directive.due.as_ref()), directive.title);
        text += &format!("         {}\n", standing(directive));
        text += &directive.policy.as_ref().map(|policy| format!("         {policy}\n")).unwrap_or_default();
    }
    text
}

/// The stage, and what comes next. A reason that begins with the wave says it already.
fn standing(directive: &OnAssetView) -> String {
    let wave = match (directive.wave, &directive.why_not_yet) {
        (Some(_), Some(why)) if why.starts_with("it is in wave") => String::new(),
        (Some(wave), _) => format!(", wave {wave} of {}", directive.waves),
        (None, _) => String::new(),
    };
    let why = directive.why_not_yet.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{}{wave}{why}{}", directive.stage, assign::waited_for(directive.owner.as_ref()))
}
