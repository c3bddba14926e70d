//! Published decision tables.

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use serde_json::json;
use tenon_risk::tables::{self, Table};

use super::lines;
use crate::common::{Common, Format};

/// A table and what goes into it.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenon explain decision --table bod-26-04 'In KEV=yes' 'Publicly Exposed=no' Automatable=yes \
                  'Technical Impact=total'\n  tenon explain decision --table ssvc-deployer --stdin < rows.tsv"
)]
pub(crate) struct Decision {
    /// Which table: ssvc-deployer, cisa-coordinator, bod-26-04, fedramp-vdr...
    #[arg(long)]
    table: String,
    /// Read tab-separated rows with a header; print them with the outcome as last column.
    #[arg(long, conflicts_with = "inputs")]
    stdin: bool,
    /// Columns and their values, `COLUMN=VALUE`.
    #[arg(required_unless_present = "stdin")]
    inputs: Vec<String>,
}

fn table(id: &str) -> Result<&'static Table> {
    // Short names that people use for what is published under longer ones.
    let id = match id {
        "bod-26-04" => "cisa-bod-26-04",
        "fedramp-vdr" => "fedramp-vdr-tfr-pvr",
        other => other,
    };
    tables::by_id(id).ok_or_else(|| {
        let known: Vec<&str> = tables::all().into_iter().map(Table::id).collect();
        anyhow!("no table {id:?}: known are {}", known.join(", "))
    })
}

impl Decision {
    pub(crate) fn run(&self, common: &Common) -> Result<()> {
        let table = table(&self.table)?;
        if self.stdin {
            return self.filter(table);
        }
        let pairs: Vec<(&str, &str)> = self
            .inputs
            .iter()
            .map(|input| input.split_once('=').with_context(|| format!("{input:?}: write COLUMN=VALUE")))
            .collect::<Result<_>>()?;
        let decided = table.decide(&pairs)?;
        let names: Vec<&str> = table.columns().iter().map(tables::Column::name).collect();
        let flip = table.inputs(&pairs)?.smallest_change(&names)?;
        let change = flip.as_ref().map(|change| {
            let sets: Vec<String> =
                change.set.iter().map(|set| format!("{} = {}", set.column, set.to)).collect();
            (sets.join(", "), change.decided.outcome)
        });
        match common.format {
            Format::Json => println!(
                "{}",
                json!({ "table": table.to_string(), "row": decided.row, "outcome": decided.outcome,
                        "flips": change.map(|(set, outcome)| json!({ "set": set, "outcome": outcome })) })
            ),
            Format::Text => {
                println!("{}  ({table}, row {})", decided.outcome, decided.row);
                if let Some((set, outcome)) = change {
                    println!("with {set} it would be: {outcome}");
                }
            }
        }
        Ok(())
    }

    /// Tab-separated rows in, the same with the outcome out.
    fn filter(&self, table: &Table) -> Result<()> {
        let mut header: Option<Vec<String>> = None;
        let mut number = 0;
        lines::for_each(|line| {
            number += 1;
            let cells: Vec<&str> = line.split('\t').collect();
            let Some(header) = &header else {
                println!("{line}\t{}", table.outcome());
                header = Some(cells.iter().map(|cell| (*cell).to_owned()).collect());
                return Ok(());
            };
            if cells.len() != header.len() {
                bail!("line {number} has {} cells, the header has {}", cells.len(), header.len());
            }
            let pairs: Vec<(&str, &str)> = header.iter().map(String::as_str).zip(cells).collect();
            let decided = table.decide(&pairs).with_context(|| format!("line {number}"))?;
            println!("{line}\t{}", decided.outcome);
            Ok(())
        })
    }
}
