//! Stanzas of `Field: value` lines, as dpkg and apt write them (deb822(5)).

/// One stanza: its fields in order, folded lines joined with newlines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stanza<'a> {
    fields: Vec<(&'a str, String)>,
}

impl Stanza<'_> {
    /// The value of a field, names compared without case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Splits a text into stanzas. Lines that are neither a field nor a continuation are passed over: the caller
/// checks that the fields it needs are there. Only the fields in `wanted` are kept.
pub(crate) fn stanzas<'a>(text: &'a str, wanted: &'a [&str]) -> impl Iterator<Item = Stanza<'a>> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let mut stanza = Stanza::default();
        let mut seen = false;
        // Whether continuation lines belong to a field that is kept.
        let mut keeping = false;
        for line in lines.by_ref() {
            if line.trim().is_empty() {
                if seen {
                    return Some(stanza);
                }
                continue;
            }
            seen = true;
            if line.starts_with([' ', '\t']) {
                if keeping && let Some((_, value)) = stanza.fields.last_mut() {
                    value.push('\n');
                    value.push_str(line.trim());
                }
                continue;
            }
            keeping = false;
            if let Some((field, value)) = line.split_once(':')
                && wanted.iter().any(|name| name.eq_ignore_ascii_case(field))
            {
                stanza.fields.push((field, value.trim().to_owned()));
                keeping = true;
            }
        }
        seen.then_some(stanza)
    })
}
