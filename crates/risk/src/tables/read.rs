//! Tables from text.

use super::{Column, Row, Table};

const MAX_BYTES: usize = 256 * 1024;
const MAX_COLUMNS: usize = 8;
const MAX_VALUES: usize = 32;
const MAX_COMBINATIONS: usize = 4096;

/// Why a text is no decision table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Over a size limit.
    #[error("more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much is read.
        limit: usize,
    },
    /// A leading line `# key: value` is missing.
    #[error("no line \"# {key}: …\"")]
    NoMeta {
        /// The key.
        key: &'static str,
    },
    /// The header is not `row`, one or more different columns, and the outcome.
    #[error("the header is not row, one or more different columns, outcome")]
    Header,
    /// A row that is not a number, a value for each column, and an outcome.
    #[error("line {line} is not a row number, a value for each column and an outcome")]
    Row {
        /// Line, from 1.
        line: usize,
    },
    /// Two rows for one combination, or one row number twice.
    #[error("line {line} repeats a combination or a row number")]
    Repeated {
        /// Line, from 1.
        line: usize,
    },
    /// Combinations without a row.
    #[error("{missing} combinations have no row")]
    NotTotal {
        /// How many.
        missing: usize,
    },
}

impl Table {
    /// Reads a table: lines `# id: …`, `# version: …`, `# title: …` and `# source: …`, then CSV (RFC 4180, no line
    /// breaks in cells) with a header and one row for every combination: row number, a value for each column,
    /// outcome. The values of a column are those that occur, in order of first occurrence.
    ///
    /// # Errors
    /// [`TableError`] for what is not such a table, covers a combination never or twice, or is too large.
    pub fn read(text: &str) -> Result<Self, TableError> {
        if text.len() > MAX_BYTES {
            return Err(TableError::TooLarge { what: "bytes", limit: MAX_BYTES });
        }
        let meta = |key: &'static str| meta(text, key).ok_or(TableError::NoMeta { key });
        let (id, version, title, source) = (meta("id")?, meta("version")?, meta("title")?, meta("source")?);
        let mut lines = text.lines().enumerate().skip_while(|(_, line)| line.starts_with('#'));
        let header = lines.next().and_then(|(_, line)| cells(line)).ok_or(TableError::Header)?;
        let (mut columns, outcome) = columns(header)?;
        let mut rows = Vec::new();
        for (at, line) in lines {
            if rows.len() == MAX_COMBINATIONS {
                return Err(TableError::TooLarge { what: "rows", limit: MAX_COMBINATIONS });
            }
            rows.push((at + 1, row(&mut columns, line, at + 1)?));
        }
        let combinations = columns.iter().try_fold(1_usize, |product, column| {
            Some(product.checked_mul(column.values.len())?).filter(|product| *product <= MAX_COMBINATIONS)
        });
        let combinations =
            combinations.ok_or(TableError::TooLarge { what: "combinations", limit: MAX_COMBINATIONS })?;
        let mut table =
            Self { id, version, title, source, columns, outcome, rows: Vec::new(), places: Vec::new() };
        let mut places = vec![None; combinations];
        let mut numbers = std::collections::BTreeSet::new();
        for (place, (line, row)) in (0_u16..).zip(rows) {
            let slot = table.combination(&row.cells).and_then(|combination| places.get_mut(combination));
            let slot = slot.ok_or(TableError::Row { line })?;
            if slot.replace(place).is_some() || !numbers.insert(row.number) {
                return Err(TableError::Repeated { line });
            }
            table.rows.push(row);
        }
        let missing = places.iter().filter(|place| place.is_none()).count();
        if missing > 0 || table.rows.is_empty() {
            return Err(TableError::NotTotal { missing });
        }
        table.places = places.into_iter().flatten().collect();
        Ok(table)
    }
}

/// What a leading line `# key: value` says.
pub(crate) fn meta(text: &str, key: &str) -> Option<String> {
    text.lines().map_while(|line| line.strip_prefix("# ")).find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        (name == key).then(|| value.trim().to_owned())
    })
}

/// Columns and outcome of the header.
fn columns(mut header: Vec<String>) -> Result<(Vec<Column>, String), TableError> {
    if header.len() < 3 || header.first().is_none_or(|first| first != "row") {
        return Err(TableError::Header);
    }
    if header.len() - 2 > MAX_COLUMNS {
        return Err(TableError::TooLarge { what: "columns", limit: MAX_COLUMNS });
    }
    let outcome = header.pop().ok_or(TableError::Header)?;
    let columns: Vec<_> =
        header.into_iter().skip(1).map(|header| Column { header, values: Vec::new() }).collect();
    let mut names: Vec<_> = columns.iter().map(Column::name).collect();
    names.sort_unstable();
    if names.iter().any(|name| name.is_empty() || *name == "row")
        || names.windows(2).any(|two| two[0] == two[1])
    {
        return Err(TableError::Header);
    }
    Ok((columns, outcome))
}

/// A row; values seen for the first time are added to their column.
fn row(columns: &mut [Column], line: &str, at: usize) -> Result<Row, TableError> {
    let wrong = TableError::Row { line: at };
    let cells =
        cells(line).filter(|cells| cells.len() == columns.len() + 2 && !cells.iter().any(String::is_empty));
    let mut cells = cells.ok_or(wrong.clone())?.into_iter();
    let number = cells.next().and_then(|number| number.parse().ok()).ok_or(wrong.clone())?;
    let mut numbers = Vec::with_capacity(columns.len());
    for (column, value) in columns.iter_mut().zip(cells.by_ref()) {
        let known = column.values.iter().position(|known| *known == value);
        let number = known.unwrap_or(column.values.len());
        if known.is_none() {
            if number == MAX_VALUES {
                return Err(TableError::TooLarge { what: "values in a column", limit: MAX_VALUES });
            }
            column.values.push(value);
        }
        numbers.push(u8::try_from(number).map_err(|_| wrong.clone())?);
    }
    Ok(Row { number, cells: numbers, outcome: cells.next().ok_or(wrong)? })
}

/// Cells of a line of CSV, quotes removed; `None` for a quote that is not closed or stands inside a cell.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut cell = String::new();
                let mut rest = quoted;
                loop {
                    let (text, after) = rest.split_once('"')?;
                    cell.push_str(text);
                    rest = after;
                    match rest.strip_prefix('"') {
                        Some(after) => {
                            cell.push('"');
                            rest = after;
                        }
                        None => break,
                    }
                }
                (cell, rest)
            }
            None => {
                let (cell, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                if cell.contains('"') {
                    return None;
                }
                (cell.to_owned(), after)
            }
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(cells),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(body: &str) -> Result<Table, TableError> {
        Table::read(&format!("# id: t\n# version: 1\n# title: T\n# source: here\n{body}"))
    }

    #[test]
    fn a_table_must_cover_every_combination_exactly_once() {
        let total = table("row,a,b,o\n0,x,y,1\n1,x,z,2\n2,w,y,1\n3,w,z,\"q \"\"r\"\", s\"\n").unwrap();
        assert_eq!(total.decide(&[("b", "z"), ("a", "w")]).unwrap().outcome, "q \"r\", s");
        let missing = table("row,a,b,o\n0,x,y,1\n1,x,z,2\n2,w,y,1\n");
        assert_eq!(missing, Err(TableError::NotTotal { missing: 1 }));
        assert_eq!(table("row,a,o\n0,x,1\n1,x,2\n"), Err(TableError::Repeated { line: 7 }));
        assert_eq!(table("row,a,o\n0,x,1\n0,y,2\n"), Err(TableError::Repeated { line: 7 }));
        assert_eq!(table("row,a,o\n"), Err(TableError::NotTotal { missing: 0 }));
    }

    #[test]
    fn what_is_no_table_says_why() {
        assert_eq!(Table::read("row,a,o\n0,x,1\n"), Err(TableError::NoMeta { key: "id" }));
        assert_eq!(table(""), Err(TableError::Header));
        assert_eq!(table("row,a v1.0,a v2.0,o\n0,x,y,1\n"), Err(TableError::Header));
        assert_eq!(table("row,a,o\n0,x\n"), Err(TableError::Row { line: 6 }));
        assert_eq!(table("row,a,o\nx,x,1\n"), Err(TableError::Row { line: 6 }));
        assert_eq!(table("row,a,o\n0,\"x,1\n"), Err(TableError::Row { line: 6 }));
        let wide = format!("row,{}o\n", "a,".repeat(9));
        assert!(matches!(table(&wide), Err(TableError::TooLarge { what: "columns", .. })));
        let many: String = (0..33).map(|n| format!("{n},v{n},1\n")).collect();
        assert!(matches!(table(&format!("row,a,o\n{many}")), Err(TableError::TooLarge { .. })));
    }
}
