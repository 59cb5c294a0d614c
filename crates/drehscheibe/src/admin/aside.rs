//! What a person may do with OSCI deliveries that are set aside: see them, have them tried again, give them up.

use axum::{Json, extract::State, http::HeaderMap, response::Response};
use dds_message::{Code, JournalEvent, Problem};
use dds_osci::message::MessageId;
use dds_store::NewEntry;
use serde::Deserialize;
use serde_json::json;

use super::{Admin, act};

/// Entries of a list; who has more sees the longest waiting ones.
const MOST: usize = 1_000;

/// Which delivery.
#[derive(Deserialize)]
pub(super) struct Wish {
    /// MessageId; for `retry` without it everything.
    id: Option<String>,
}

pub(super) async fn list(State(admin): State<Admin>, headers: HeaderMap) -> Response {
    let deed = async {
        let Some(postbox) = &admin.postbox else { return Ok(Vec::new()) };
        let found = postbox.run(|boxes| boxes.all_set_aside(MOST)).await?;
        let now = admin.clock.now().to_jiff();
        let rows = found.into_iter().map(|aside| {
            json!({
                "message_id": aside.id.as_str(), "mailbox": aside.mailbox, "submitted": aside.submitted.to_string(),
                "code": aside.code, "since": aside.since.to_string(), "tries": aside.tries,
                // What is due is tried now.
                "again": aside.again.max(now).to_string(),
            })
        });
        Ok(rows.collect::<Vec<_>>())
    };
    act(&admin, &headers, deed).await
}

pub(super) async fn retry(
    State(admin): State<Admin>,
    headers: HeaderMap,
    Json(wish): Json<Wish>,
) -> Response {
    let deed = async {
        let one = wish.id.map(MessageId::new);
        let wanted = one.is_some();
        let due = match &admin.postbox {
            Some(postbox) => postbox.run(move |boxes| boxes.retry_set_aside(one.as_ref())).await,
            None => Ok(0),
        };
        match due? {
            0 if wanted => Err(nothing()),
            _ => Ok(()),
        }
    };
    act(&admin, &headers, deed).await
}

/// The journal has it before it is done: what is dropped without a trace nobody could answer for.
pub(super) async fn end(State(admin): State<Admin>, headers: HeaderMap, Json(wish): Json<Wish>) -> Response {
    let deed = async {
        let id = wish.id.map(MessageId::new).ok_or_else(nothing)?;
        let postbox = admin.postbox.as_ref().ok_or_else(nothing)?;
        let wanted = id.clone();
        let found = postbox.run(move |boxes| boxes.find_set_aside(&wanted)).await?;
        let aside = found.ok_or_else(nothing)?;
        let facts = json!({ "channel": "osci", "message_id": id.as_str(), "by": "cli" });
        let entry = NewEntry {
            code: Code::from_name(&aside.code),
            data: facts.as_object().cloned().unwrap_or_default(),
            ..NewEntry::new(JournalEvent::OsciDropped)
        };
        admin.journal.note(entry).await?;
        let now = admin.clock.now().to_jiff();
        let dropped = postbox.run(move |boxes| boxes.drop_set_aside(&id, now)).await?;
        dropped.map(drop).ok_or_else(nothing)
    };
    act(&admin, &headers, deed).await
}

fn nothing() -> Problem {
    let text = (
        "es ist keine OSCI-Zustellung mit dieser MessageId beiseitegelegt",
        "no OSCI delivery with this MessageId is set aside",
    );
    Problem::new(Code::NO_SUCH_ID, text)
}
