//! Pages that the server writes itself, for people without scripts: the sheet for the board, signing in, and errors. Every text
//! in them is escaped where it is put in.

pub(crate) mod board;
mod chart;
pub(crate) mod words;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

/// Where the style of short pages is, ...
pub(crate) const SHORT_STYLE: &str = "/sign-in.css";
/// ... and that of the sheet.
pub(crate) const BOARD_STYLE: &str = "/board.css";

/// A whole page: its title in the browser, its style, and what it shows.
pub(crate) fn page(status: StatusCode, title: &str, style: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Tenon: " (title) }
                link rel="icon" type="image/svg+xml" href="/tenon.svg";
                link rel="stylesheet" href=(style);
            }
            body { (body) }
        }
    };
    (status, Html(page.into_string())).into_response()
}

/// A page of a few sentences or one form.
pub(crate) fn short(status: StatusCode, title: &str, body: &Markup) -> Response {
    page(status, title, SHORT_STYLE, &html! { main { h1 { (title) } (body) } })
}

fn css(text: &'static str) -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], text).into_response()
}

/// The style of short pages.
pub(crate) async fn short_style() -> Response {
    css(include_str!("short.css"))
}

/// The style of the sheet.
pub(crate) async fn board_style() -> Response {
    css(include_str!("board.css"))
}
