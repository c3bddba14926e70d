//! Parts of an expression with their types, and how they fit together.

use super::{ExpressionError, Node, Order};
use crate::fields::{Type, nearest};

/// A part with its type and where it begins.
pub(super) struct Part {
    pub(super) at: usize,
    pub(super) of: Kind,
    pub(super) node: Node,
}

/// What a part is: a type, or a list of literals, which only `in` and `size` take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Of(Type),
    Ints,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Of(of) => of.fmt(f),
            Self::Ints => f.write_str("list of ints"),
        }
    }
}

/// Whether two kinds compare.
pub(super) fn fit(left: Kind, right: Kind) -> bool {
    match (left, right) {
        (Kind::Of(Type::Text | Type::Word(_)), Kind::Of(Type::Text | Type::Word(_))) => true,
        (left, right) => left == right,
    }
}

impl Part {
    pub(super) fn bool(self, what: &str) -> Result<Self, ExpressionError> {
        if self.of == Kind::Of(Type::Bool) {
            return Ok(self);
        }
        Err(ExpressionError::new(self.at, format!("{what} is true or false, and this is {}", self.of)))
    }

    /// A text that is held against one of a few words must be one of them.
    pub(super) fn expect_word(&self, other: &Self) -> Result<(), ExpressionError> {
        let Kind::Of(Type::Word(words)) = self.of else { return Ok(()) };
        let texts: &[Node] = match &other.node {
            Node::List(items) => items,
            node => std::slice::from_ref(node),
        };
        let wrong = texts.iter().find_map(|node| match node {
            Node::Text(text) if !words.contains(&text.as_str()) => Some(text),
            _ => None,
        });
        let Some(wrong) = wrong else { return Ok(()) };
        let near = nearest(wrong, words.iter().copied()).map(|near| format!("; did you mean {near:?}?"));
        let reason = format!("{wrong:?} is never true here: {}{}", self.of, near.unwrap_or_default());
        Err(ExpressionError::new(other.at, reason))
    }

    pub(super) fn compared(self, mark: &str, right: Self) -> Result<Self, ExpressionError> {
        let wrong = |reason: String| Err(ExpressionError::new(right.at, reason));
        if !fit(self.of, right.of) {
            return wrong(format!("`{mark}` compares one kind, not {} and {}", self.of, right.of));
        }
        let order = match mark {
            "<" => Some(Order::Below),
            "<=" => Some(Order::AtMost),
            ">" => Some(Order::Above),
            ">=" => Some(Order::AtLeast),
            _ => None,
        };
        let comparable = match order {
            // The order of words is that of their letters, which is never what is meant.
            Some(_) => {
                matches!(self.of, Kind::Of(Type::Int | Type::Text))
                    && matches!(right.of, Kind::Of(Type::Int | Type::Text))
            }
            None => matches!(self.of, Kind::Of(Type::Bool | Type::Int | Type::Text | Type::Word(_))),
        };
        if !comparable {
            return wrong(format!("`{mark}` does not compare {}", self.of));
        }
        self.expect_word(&right)?;
        right.expect_word(&self)?;
        let (at, left, right) = (self.at, Box::new(self.node), Box::new(right.node));
        let node = match order {
            Some(order) => Node::Compare(order, left, right),
            None if mark == "==" => Node::Equal(left, right),
            None => Node::Not(Box::new(Node::Equal(left, right))),
        };
        Ok(Self { at, of: Kind::Of(Type::Bool), node })
    }

    pub(super) fn within(self, list: Self) -> Result<Self, ExpressionError> {
        let fits = match (self.of, list.of) {
            (Kind::Of(Type::Text | Type::Word(_)), Kind::Of(Type::Texts))
            | (Kind::Of(Type::Int), Kind::Ints) => true,
            // An empty list holds nothing, of whatever kind.
            (Kind::Of(Type::Int), Kind::Of(Type::Texts)) => {
                matches!(&list.node, Node::List(items) if items.is_empty())
            }
            _ => false,
        };
        if !fits {
            let reason = format!("`in` asks whether a list holds something: not {} in {}", self.of, list.of);
            return Err(ExpressionError::new(list.at, reason));
        }
        self.expect_word(&list)?;
        let node = Node::In(Box::new(self.node), Box::new(list.node));
        Ok(Self { at: self.at, of: Kind::Of(Type::Bool), node })
    }

    pub(super) fn size(self, at: usize) -> Result<Self, ExpressionError> {
        if !matches!(self.of, Kind::Of(Type::Text | Type::Word(_) | Type::Texts) | Kind::Ints) {
            return Err(ExpressionError::new(
                self.at,
                format!("`size` is asked of texts and lists, not of {}", self.of),
            ));
        }
        Ok(Self { at, of: Kind::Of(Type::Int), node: Node::Size(Box::new(self.node)) })
    }
}
