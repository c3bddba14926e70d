//! How messages are written for who takes them.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::post::{Content, Post};
use super::waiting::Gathered;
use super::{Form, Message, Topic, plain};

/// Longest part of a sentence in a mail's subject, in characters.
const MAX_SUBJECT: usize = 100;
/// Longest sentence, in characters: what hosts report may be longer.
const MAX_SAID: usize = 400;

fn of_body(id: String, content_type: &'static str, body: &Value) -> Post {
    Post { id, content: Content::Body { content_type, bytes: body.to_string().into_bytes() } }
}

/// A CloudEvent in structured mode (CloudEvents 1.0.2, JSON event format).
pub(super) fn cloud_event(message: &Message, link: &str) -> Post {
    // Several topics may come of one entry.
    let id = format!("{}-{}", message.seq, message.topic.name());
    let mut event = json!({
        "specversion": "1.0",
        "id": id,
        "source": link,
        "type": format!("tenon.{}", message.topic.name()),
        "time": message.time.to_string(),
        "datacontenttype": "application/json",
        "data": {
            "entry": message.seq,
            "kind": message.kind,
            "said": sentence(&message.said),
            "group": message.group.as_ref().map(ToString::to_string),
            "asset": message.asset.map(|asset| asset.to_string()),
            "directive": message.directive.as_ref().map(|(_, line)| line),
            "link": link_of(message, link),
        },
    });
    if let Some((id, _)) = &message.directive {
        event["subject"] = json!(id.to_string());
    }
    of_body(id, "application/cloudevents+json", &event)
}

/// One post of everything that has gathered; `None` where that is nothing.
pub(super) fn chat(form: Form, gathered: &Gathered, link: &str) -> Option<Post> {
    let last = gathered.lines.iter().map(|(message, _)| message.seq).max()?;
    let lines = gathered.lines.iter().map(|(message, more)| Line {
        heading: heading(message.topic),
        said: match more {
            0 => sentence(&message.said),
            more => format!("{} (and {more} more of this directive)", sentence(&message.said)),
        },
        link: link_of(message, link),
    });
    let mut lines: Vec<Line> = lines.collect();
    if gathered.left_out > 0 {
        lines.push(Line {
            heading: "More",
            said: format!("{} further messages have no line here", gathered.left_out),
            link: link.to_owned(),
        });
    }
    Some(post(form, format!("{last}-post"), &lines))
}

/// What tries an addressee out.
pub(super) fn trial(form: Form, link: &str, id: String) -> Post {
    let said = "A trial: messages of Tenon arrive here.".to_owned();
    if form == Form::Cloudevents {
        let event = json!({
            "specversion": "1.0",
            "id": id,
            "source": link,
            "type": "tenon.trial",
            "datacontenttype": "application/json",
            "data": { "said": said, "link": link },
        });
        return of_body(id, "application/cloudevents+json", &event);
    }
    post(form, id, &[Line { heading: "Trial", said, link: link.to_owned() }])
}

struct Line {
    heading: &'static str,
    said: String,
    link: String,
}

fn post(form: Form, id: String, lines: &[Line]) -> Post {
    match form {
        Form::Teams => of_body(id, "application/json", &card(lines)),
        Form::Mail => Post { id, content: mail(lines) },
        Form::Slack | Form::Cloudevents => of_body(id, "application/json", &mrkdwn(lines)),
    }
}

/// A text that says everything; its subject what the first line says.
fn mail(lines: &[Line]) -> Content {
    let first = lines.first().map(|line| format!("{}: {}", line.heading, line.said)).unwrap_or_default();
    let first: String = first.chars().take(MAX_SUBJECT).collect();
    let subject = match lines.len() {
        0 | 1 => format!("Tenon: {first}"),
        more => format!("Tenon: {first} (and {} more)", more - 1),
    };
    let said = lines.iter().map(|line| format!("{}: {}\n  {}\n", line.heading, line.said, line.link));
    Content::Mail { subject, text: said.collect::<Vec<_>>().join("\n") }
}

fn heading(topic: Topic) -> &'static str {
    match topic {
        Topic::Approval => "Approve or refuse",
        Topic::Urgent => "Urgent",
        Topic::Trouble => "Trouble",
        Topic::Exception => "Counts again",
        Topic::Raised => "To do",
        Topic::Done => "Closed",
    }
}

/// Slack's text: https://docs.slack.dev/messaging/formatting-message-text. Three characters are escaped, or a host's name could
/// call everybody.
fn mrkdwn(lines: &[Line]) -> Value {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut text = String::new();
    for line in lines {
        // Writing to a string cannot fail.
        let _written =
            writeln!(text, "*{}* {} <{}|Open>", line.heading, escaped(&line.said), escaped(&line.link));
    }
    // No pictures of links, and nothing that is told becomes a link by itself.
    json!({ "text": text.trim_end(), "unfurl_links": false, "unfurl_media": false, "parse": "none" })
}

/// An Adaptive Card 1.4. Runs of text are shown as they are: only text blocks read Markdown.
fn card(lines: &[Line]) -> Value {
    let mut body = Vec::new();
    for line in lines {
        body.push(json!({
            "type": "RichTextBlock",
            "separator": !body.is_empty(),
            "inlines": [
                { "type": "TextRun", "text": format!("{} ", line.heading), "weight": "Bolder" },
                { "type": "TextRun", "text": format!("{} ", line.said) },
                { "type": "TextRun", "text": "Open",
                  "selectAction": { "type": "Action.OpenUrl", "url": line.link } },
            ],
        }));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
            },
        }],
    })
}

/// A sentence as one line of bounded length.
fn sentence(text: &str) -> String {
    let mut sentence = plain(text, MAX_SAID);
    if text.chars().nth(MAX_SAID).is_some() {
        sentence.push('…');
    }
    sentence
}

/// Where it is looked at.
fn link_of(message: &Message, link: &str) -> String {
    match (&message.directive, message.asset) {
        (Some((id, _)), _) => format!("{link}/#{id}"),
        (None, Some(asset)) => format!("{link}/#{asset}"),
        (None, None) => link.to_owned(),
    }
}
