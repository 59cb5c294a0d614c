//! What a person may do with OSCI deliveries that are set aside: see them, have them tried again, give them up.

use axum::{Json, extract::State, http::HeaderMap, response::Response};
use dds_message::{Code, EntryFacts, JournalEvent, Problem};
use dds_osci::message::MessageId;
use dds_postbox::{Boxes, Postbox, SetAside};
use dds_store::NewEntry;
use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::json;

use super::{Admin, act};

/// Entries of a list; who has more sees the longest waiting ones.
const MOST: usize = 1_000;

/// Entries noted in the journal at once.
const TOGETHER: usize = 64;

/// Which deliveries a command is about.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wish {
    /// All.
    All,
    /// The one with this MessageId.
    Id(String),
    /// Those of the originator with this certificate (SHA-256).
    Originator(String),
}

impl Wish {
    /// Those that are meant, at least one; `None`: all.
    async fn chosen(self, postbox: Option<&Postbox>) -> Result<Option<Vec<SetAside>>, Problem> {
        let found = match (self, postbox) {
            (Self::All, _) => return Ok(None),
            (_, None) => Vec::new(),
            (Self::Id(id), Some(postbox)) => {
                let one = postbox.run(move |boxes| boxes.find_set_aside(&MessageId::new(id))).await?;
                one.into_iter().collect()
            }
            (Self::Originator(originator), Some(postbox)) => {
                postbox.run(move |boxes| boxes.set_aside_of(&originator)).await?
            }
        };
        if found.is_empty() { Err(nothing()) } else { Ok(Some(found)) }
    }
}

pub(super) async fn list(State(admin): State<Admin>, headers: HeaderMap) -> Response {
    let deed = async {
        let Some(postbox) = &admin.postbox else { return Ok(Vec::new()) };
        let found = postbox.run(|boxes| boxes.all_set_aside(MOST)).await?;
        let now = admin.clock.now().to_jiff();
        let rows = found.into_iter().map(|aside| {
            json!({
                "message_id": aside.id.as_str(), "mailbox": aside.mailbox, "originator": aside.originator,
                "submitted": aside.submitted.to_string(),
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
        let chosen = wish.chosen(admin.postbox.as_ref()).await?;
        let Some(postbox) = &admin.postbox else { return Ok(()) };
        let due = move |boxes: &mut Boxes<'_>| match chosen {
            Some(chosen) => chosen.iter().try_for_each(|one| boxes.retry_set_aside(Some(&one.id)).map(drop)),
            None => boxes.retry_set_aside(None).map(drop),
        };
        Ok(postbox.run(due).await?)
    };
    act(&admin, &headers, deed).await
}

/// The journal has each before it is done: what is dropped without a trace nobody could answer for.
pub(super) async fn end(State(admin): State<Admin>, headers: HeaderMap, Json(wish): Json<Wish>) -> Response {
    let deed = async {
        let postbox = admin.postbox.as_ref().ok_or_else(nothing)?;
        let chosen = wish.chosen(Some(postbox)).await?.ok_or_else(nothing)?;
        let mut gone = 0;
        for some in chosen.chunks(TOGETHER) {
            try_join_all(some.iter().map(|aside| admin.journal.note(dropped(aside)))).await?;
            let ids: Vec<MessageId> = some.iter().map(|aside| aside.id.clone()).collect();
            let now = admin.clock.now().to_jiff();
            let drop_them = move |boxes: &mut Boxes<'_>| {
                let dropped = ids.iter().map(|id| boxes.drop_set_aside(id, now));
                dropped.collect::<Result<Vec<_>, _>>()
            };
            gone += postbox.run(drop_them).await?.into_iter().flatten().count();
        }
        // The collector may have taken them meanwhile.
        if gone > 0 { Ok(()) } else { Err(nothing()) }
    };
    act(&admin, &headers, deed).await
}

fn dropped(aside: &SetAside) -> NewEntry {
    let data =
        EntryFacts::new().with("channel", "osci").with("message_id", aside.id.as_str()).with("by", "cli");
    NewEntry { code: Code::from_name(&aside.code), data, ..NewEntry::new(JournalEvent::OsciDropped) }
}

fn nothing() -> Problem {
    let text = (
        "keine OSCI-Zustellung mit dieser MessageId oder von diesem Absender ist beiseitegelegt",
        "no OSCI delivery with this MessageId or of this originator is set aside",
    );
    Problem::new(Code::NO_SUCH_ID, text)
}
