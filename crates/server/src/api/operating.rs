//! For those who operate Tenon: is it alive, is it ready, what does it measure.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use tenon_model::Timestamp;

use super::{ApiError, Code, Context, Shared};
use crate::clock::clock;
use crate::metrics::Page;

/// The process answers. Restarting it helps when this does not.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// The record can be read and written. Restarting helps only after the cause in the log is mended.
pub(super) async fn ready(State(context): State<Shared>) -> Result<&'static str, ApiError> {
    if *context.stopped.borrow() {
        return Err(ApiError::new(Code::JournalFailed, "Tenon is stopping"));
    }
    match context.writer.is_alive() {
        true => Ok("ready\n"),
        false => Err(ApiError::new(
            Code::JournalFailed,
            "Tenon has stopped writing: see its log for the first failure",
        )),
    }
}

/// Measurements, in the text form of Prometheus.
pub(super) async fn metrics(State(context): State<Shared>) -> Response {
    let mut page = Page::default();
    context.writer.metrics().write(&mut page);
    of_world(&context, &mut page);
    of_feeds(&context, &mut page);
    of_messages(&context, &mut page);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], page.into_text()).into_response()
}

fn of_world(context: &Context, page: &mut Page) {
    let world = context.writer.world();
    page.one("tenon_journal_entries", "gauge", "Position of the last event.", world.seq());
    page.one("tenon_term", "gauge", "The leader's term: grows with every start.", world.term());
    page.one("tenon_assets", "gauge", "Assets.", world.asset_count());
    let open = world.directives().filter(|(_, state)| state.closed.is_none()).count();
    page.one("tenon_directives_open", "gauge", "Open directives.", open);
}

fn of_feeds(context: &Context, page: &mut Page) {
    let (now, attempts) = (clock(), context.health.attempts());
    let age = |time: Timestamp| now.as_millis().saturating_sub(time.as_millis()).max(0) / 1_000;
    page.begin("tenon_feed_age_seconds", "gauge", "Time since how far the feed reaches by its own account.");
    for (feed, attempt) in &attempts {
        if let Some(as_of) = attempt.as_of {
            page.value("tenon_feed_age_seconds", &[("feed", feed)], age(as_of));
        }
    }
    page.begin("tenon_feed_asked_seconds", "gauge", "Time since the feed was last asked.");
    for (feed, attempt) in &attempts {
        page.value("tenon_feed_asked_seconds", &[("feed", feed)], age(attempt.at));
    }
    page.begin("tenon_feed_trouble", "gauge", "1 when something is wrong with the feed.");
    for (feed, attempt) in &attempts {
        page.value("tenon_feed_trouble", &[("feed", feed)], u8::from(attempt.problem.is_some()));
    }
}

fn of_messages(context: &Context, page: &mut Page) {
    let deliveries =
        context.messages.addressees.to.iter().map(|to| (&to.name, context.messages.delivery(&to.name)));
    let deliveries: Vec<_> = deliveries.collect();
    page.begin("tenon_messages_waiting", "gauge", "Messages that wait to be delivered.");
    for (name, delivery) in &deliveries {
        page.value("tenon_messages_waiting", &[("addressee", name)], delivery.waiting);
    }
    page.begin("tenon_messages_trouble", "gauge", "1 when the last attempt to deliver failed.");
    for (name, delivery) in &deliveries {
        page.value("tenon_messages_trouble", &[("addressee", name)], u8::from(delivery.problem.is_some()));
    }
}
