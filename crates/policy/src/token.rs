//! An expression as tokens, each with its place.

use std::iter::Peekable;
use std::str::CharIndices;

use crate::expression::ExpressionError;

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Name(String),
    Int(i64),
    Text(String),
    /// An operator or bracket, as written.
    Mark(&'static str),
}

impl Token {
    /// As people read it.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Int(number) => format!("`{number}`"),
            Self::Text(text) => format!("{text:?}"),
            Self::Mark(mark) => format!("`{mark}`"),
        }
    }
}

/// Every operator and bracket; a longer one stands before those that begin it.
const MARKS: &[&str] =
    &["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", "(", ")", "[", "]", ",", ".", "-"];

/// The tokens, each with the byte at which it begins.
pub(crate) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ExpressionError> {
    let mut found = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((at, first)) = rest.peek().copied() {
        if first.is_whitespace() {
            rest.next();
        } else if first.is_ascii_digit() {
            found.push((at, number(text, at, &mut rest)?));
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = skip(&mut rest, |c| c.is_ascii_alphanumeric() || c == '_', text.len());
            found.push((at, Token::Name(text[at..end].to_owned())));
        } else if matches!(first, '"' | '\'') {
            rest.next();
            found.push((at, Token::Text(quoted(at, first, &mut rest)?)));
        } else if let Some(mark) = MARKS.iter().find(|mark| text[at..].starts_with(**mark)) {
            rest.nth(mark.len() - 1);
            found.push((at, Token::Mark(mark)));
        } else {
            return Err(ExpressionError::new(at, format!("{first:?} means nothing here")));
        }
    }
    Ok(found)
}

fn skip(rest: &mut Peekable<CharIndices<'_>>, of: impl Fn(char) -> bool, end: usize) -> usize {
    while rest.next_if(|(_, c)| of(*c)).is_some() {}
    rest.peek().map_or(end, |(at, _)| *at)
}

fn number(text: &str, at: usize, rest: &mut Peekable<CharIndices<'_>>) -> Result<Token, ExpressionError> {
    let end = skip(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'), text.len());
    let written = &text[at..end];
    match written.parse() {
        Ok(number) => Ok(Token::Int(number)),
        Err(_) => {
            let reason = format!("`{written}` is not a whole number: fields count in whole ones");
            Err(ExpressionError::new(at, reason))
        }
    }
}

/// A text up to its closing quote.
fn quoted(at: usize, quote: char, rest: &mut Peekable<CharIndices<'_>>) -> Result<String, ExpressionError> {
    let mut text = String::new();
    loop {
        let (place, c) =
            rest.next().ok_or_else(|| ExpressionError::new(at, "the text that begins here does not end"))?;
        match c {
            _ if c == quote => return Ok(text),
            '\n' => {
                return Err(ExpressionError::new(at, "the text that begins here does not end in its line"));
            }
            '\\' => match rest.next() {
                Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                _ => {
                    let reason = r#"of the escapes \\ \" \' \n and \t are read"#;
                    return Err(ExpressionError::new(place, reason));
                }
            },
            c => text.push(c),
        }
    }
}
