//! Deliveries in mailboxes of our own: waiting for the main path, taken over, or set aside with the reason.

use dds_message::AnswerKind;
use dds_osci::{
    intermediary::{Delivery, Fingerprint, Mailboxes as _},
    laufzettel::Stamp,
    message::MessageId,
};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params, params_from_iter, types::Value};

use crate::{
    Boxes, PostboxError, StoredPart,
    boxes::DeliveryRow,
    records::{micros, time},
};

/// Mailbox of the replies to what our sender mediates.
///
/// Like [`fetched_by`] a mailbox that no certificate names: what we put there ourselves lies apart from what our
/// intermediary keeps for the same certificate. Else each would find in it what is not its own, and who fetches from
/// this very process would take a delivery twice.
pub const REPLIES: &str = "reply";

/// Mailbox of what the active recipient of this name fetches elsewhere; see [`REPLIES`].
#[must_use]
pub fn fetched_by(recipient: &str) -> Fingerprint {
    format!("fetch/{recipient}")
}

/// Begin of the names in `meta` that say which mailboxes are ours, or were.
const OWN: &str = "own/";

/// Longest rest of what was set aside. What would rest longer was noted by a clock that was ahead, and is due.
pub const LONGEST_REST: SignedDuration = SignedDuration::from_hours(24);

/// Beiseitegelegt: a delivery that the main path could not take over. It stays until it can be, or a person drops it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Id of the delivery.
    pub id: MessageId,
    /// Mailbox in which it lies.
    pub mailbox: Fingerprint,
    /// When it was put there.
    pub submitted: Timestamp,
    /// SHA-256 of the originator's certificate: whom our intermediary issued the MessageId to, else whom the envelope
    /// names.
    pub originator: Option<Fingerprint>,
    /// Code of the refusal, such as `DDS-R001`.
    pub code: String,
    /// Since when it is refused for this reason.
    pub since: Timestamp,
    /// Tries in vain for this reason; 1 the first time.
    pub tries: u32,
    /// When it is tried again.
    pub again: Timestamp,
    /// It was not refused for this reason before.
    pub is_new: bool,
}

/// Why a delivery is set aside.
#[derive(Debug, Clone, Copy)]
pub struct Why<'a> {
    /// Code of the refusal.
    pub code: &'a str,
    /// SHA-256 of the originator's certificate, as far as the envelope says it.
    pub originator: Option<&'a str>,
    /// It is refused for good, by what it is or whose it is: it counts against what its originator may have lying here.
    pub refused: bool,
}

/// What the collector has to do.
#[derive(Debug)]
pub struct Waiting {
    /// Deliveries that nobody has looked at yet, oldest first, and behind them those set aside whose time has come; and
    /// what each answers, if it is a reply.
    pub deliveries: Vec<(Delivery<StoredPart>, Option<Reply>)>,
    /// Records that cannot be read, and why.
    pub broken: Vec<(MessageId, PostboxError)>,
}

/// Rückantwort: what a delivery in a mailbox of our own answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The application.
    pub message: dds_message::MessageId,
    /// What it is for the source of the application.
    pub kind: AnswerKind,
}

impl Boxes<'_> {
    /// Notes which mailboxes are ours. Answers those that were ours before, are nobody's now, and hold something all
    /// the same, with how many deliveries: they were acknowledged, and nobody would take them.
    pub fn claim(&mut self, own: &[Fingerprint]) -> Result<Vec<(Fingerprint, u64)>, PostboxError> {
        let mut note =
            self.connection.prepare_cached("INSERT OR IGNORE INTO meta (name, value) VALUES (?1, x'')")?;
        for mailbox in own {
            note.execute([format!("{OWN}{mailbox}")])?;
        }
        let mut before = self.connection.prepare_cached(
            "SELECT mailbox, deliveries FROM load JOIN meta ON meta.name = ?1 || mailbox WHERE deliveries > 0 ORDER BY mailbox",
        )?;
        let rows = before.query_map([OWN], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
        let mut left: Vec<(Fingerprint, u64)> = rows.collect::<Result<_, _>>()?;
        let parties = self.owners.read();
        left.retain(|(mailbox, _)| !own.contains(mailbox) && !parties.contains(mailbox));
        Ok(left)
    }

    /// Notes that a delivery in a mailbox of our own is the reply to a message.
    pub fn keep_reply(&mut self, id: &MessageId, reply: &Reply) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO reply (id, message, kind) VALUES (?1, ?2, ?3)")?
            .execute(params![id.as_str(), reply.message.to_string(), reply.kind.as_str()])?;
        Ok(())
    }

    /// Deliveries to take over now: at most `fresh` new ones, and at most `old` that were set aside and are due,
    /// longest due first. However many were refused, and however dear it is to open them, they hold up nothing that is
    /// new.
    pub fn waiting(
        &mut self,
        mailboxes: &[Fingerprint],
        now: Timestamp,
        fresh: usize,
        old: usize,
    ) -> Result<Waiting, PostboxError> {
        let places: Vec<String> = (0..mailboxes.len()).map(|place| format!("?{}", place + 3)).collect();
        let places = places.join(",");
        // Both take the same values; the first has no use for the times.
        let queries = [
            format!(
                "SELECT delivery.id, mailbox, submitted, record, message, kind FROM delivery JOIN sealed USING (number) LEFT JOIN reply ON reply.id = delivery.id \
                 WHERE received IS NULL AND mailbox IN ({places}) AND ?1 < ?2 AND NOT EXISTS (SELECT 1 FROM set_aside WHERE set_aside.id = delivery.id) ORDER BY number LIMIT {fresh}"
            ),
            format!(
                "SELECT delivery.id, mailbox, submitted, record, message, kind FROM set_aside JOIN delivery ON delivery.id = set_aside.id \
                 JOIN sealed USING (number) LEFT JOIN reply ON reply.id = delivery.id WHERE received IS NULL AND mailbox IN ({places}) AND (again <= ?1 OR again > ?2) ORDER BY again LIMIT {old}"
            ),
        ];
        let latest = now.checked_add(LONGEST_REST).unwrap_or(Timestamp::MAX);
        let times = [now, latest].map(|at| Value::Integer(micros(at)));
        let values: Vec<Value> =
            times.into_iter().chain(mailboxes.iter().cloned().map(Value::Text)).collect();
        let mut waiting = Waiting { deliveries: Vec::new(), broken: Vec::new() };
        for query in queries {
            let mut statement = self.connection.prepare_cached(&query)?;
            let rows = statement.query_map(params_from_iter(&values), |row| {
                Ok((DeliveryRow::read(row)?, row.get(4), row.get(5)))
            })?;
            for row in rows {
                let (row, message, kind) = row?;
                let id = row.id();
                let read = || Ok((self.delivery(row)?, reply(message?, kind?)?));
                match read() {
                    Ok(delivery) => waiting.deliveries.push(delivery),
                    Err(error) => waiting.broken.push((id, error)),
                }
            }
        }
        Ok(waiting)
    }

    /// The main path has it durably: Reception is noted.
    pub fn taken(&mut self, id: &MessageId, at: Timestamp) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached("UPDATE delivery SET received = ?2, modified = ?2 WHERE id = ?1")?
            .execute(params![id.as_str(), micros(at)])?;
        self.connection.prepare_cached("DELETE FROM set_aside WHERE id = ?1")?.execute([id.as_str()])?;
        if let Some(mut card) = self.card(id)? {
            let forwarding = card.bundle.card.forwarding.take();
            card.bundle.card.forwarding = forwarding.or(Some(Stamp::Plain(at)));
            card.bundle.card.reception = Some(Stamp::Plain(at));
            card.bundle.card.recent_modification = at;
            self.keep_card(&card)?;
        }
        Ok(())
    }

    /// Sets a delivery aside: for `first`, and for the same reason again twice as long each time, up to `longest`. What
    /// is not there, or was received meanwhile, is no longer set aside: `None`.
    pub fn set_aside(
        &mut self,
        id: &MessageId,
        why: &Why<'_>,
        now: Timestamp,
        (first, longest): (SignedDuration, SignedDuration),
    ) -> Result<Option<SetAside>, PostboxError> {
        // An envelope that came in chunks may name anybody: whose a MessageId is, our intermediary has verified.
        self.connection
            .prepare_cached(
                "UPDATE delivery SET originator = coalesce((SELECT client FROM message_id WHERE id = ?1), ?2), refused = ?3 \
                 WHERE id = ?1",
            )?
            .execute(params![id.as_str(), why.originator, why.refused])?;
        let Some(before) = self.one_set_aside(id)? else { return Ok(None) };
        let code = why.code;
        let is_new = before.code != code;
        let (since, tries) = if is_new { (now, 1) } else { (before.since, before.tries.saturating_add(1)) };
        let doubled = 2_i32.saturating_pow(tries.saturating_sub(1));
        let rest = first.checked_mul(doubled).unwrap_or(longest).min(longest);
        let again = now.checked_add(rest).unwrap_or(Timestamp::MAX);
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO set_aside (id, code, at, tries, again) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id.as_str(), code, micros(since), tries, micros(again)])?;
        Ok(Some(SetAside { code: code.to_owned(), since, tries, again, is_new, ..before }))
    }

    /// A delivery that waits, as it is set aside; without a reason if it is not.
    fn one_set_aside(&mut self, id: &MessageId) -> Result<Option<SetAside>, PostboxError> {
        let query = format!("{ASIDE} LEFT JOIN set_aside USING (id) WHERE received IS NULL AND id = ?1");
        let mut statement = self.connection.prepare_cached(&query)?;
        let found = statement.query_row([id.as_str()], RawAside::read).optional()?;
        found.map(RawAside::aside).transpose()
    }

    /// A delivery that is set aside.
    pub fn find_set_aside(&mut self, id: &MessageId) -> Result<Option<SetAside>, PostboxError> {
        Ok(self.one_set_aside(id)?.filter(|aside| !aside.code.is_empty()))
    }

    /// What is set aside, longest first.
    pub fn all_set_aside(&mut self, limit: usize) -> Result<Vec<SetAside>, PostboxError> {
        let query =
            format!("{ASIDE} JOIN set_aside USING (id) WHERE received IS NULL ORDER BY at LIMIT {limit}");
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map([], RawAside::read)?.collect::<Result<Vec<_>, _>>()?;
        rows.into_iter().map(RawAside::aside).collect()
    }

    /// What is set aside of one originator, longest first.
    pub fn set_aside_of(&mut self, originator: &Fingerprint) -> Result<Vec<SetAside>, PostboxError> {
        let query = format!(
            "{ASIDE} JOIN set_aside USING (id) WHERE received IS NULL AND originator = ?1 ORDER BY at, number"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map([originator], RawAside::read)?.collect::<Result<Vec<_>, _>>()?;
        rows.into_iter().map(RawAside::aside).collect()
    }

    /// How many are set aside.
    pub fn count_set_aside(&mut self) -> Result<u64, PostboxError> {
        let count = self
            .connection
            .prepare_cached("SELECT count(*) FROM set_aside JOIN delivery USING (id) WHERE received IS NULL")?
            .query_row([], |row| row.get::<_, i64>(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// What is set aside is due, this one or everything, and its rests are short again; how many there are.
    pub fn retry_set_aside(&mut self, id: Option<&MessageId>) -> Result<usize, PostboxError> {
        let mut statement = self
            .connection
            .prepare_cached("UPDATE set_aside SET again = 0, tries = 0 WHERE ?1 IS NULL OR id = ?1")?;
        Ok(statement.execute([id.map(MessageId::as_str)])?)
    }

    /// A person ends a delivery that is set aside: nobody tries it again. Its process card shows no reception, and it
    /// is kept as long as what was received. `None`: it is not set aside.
    pub fn drop_set_aside(
        &mut self,
        id: &MessageId,
        at: Timestamp,
    ) -> Result<Option<SetAside>, PostboxError> {
        let found = self.find_set_aside(id)?;
        if found.is_some() {
            self.connection
                .prepare_cached("UPDATE delivery SET received = ?2 WHERE id = ?1")?
                .execute(params![id.as_str(), micros(at)])?;
            self.connection.prepare_cached("DELETE FROM set_aside WHERE id = ?1")?.execute([id.as_str()])?;
        }
        Ok(found)
    }

    /// Whether a delivery was put into a mailbox before; a fetch that is repeated after a crash brings it again.
    pub fn has_delivery(&mut self, id: &MessageId) -> Result<bool, PostboxError> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM delivery WHERE id = ?1")?.exists([id.as_str()])?)
    }
}

/// The columns of a reply; without one they are empty.
fn reply(message: Option<String>, kind: Option<String>) -> Result<Option<Reply>, PostboxError> {
    let (Some(message), Some(kind)) = (message, kind) else { return Ok(None) };
    let broken = || PostboxError::Damaged("a row of `reply` cannot be read".to_owned());
    Ok(Some(Reply {
        message: dds_message::MessageId::parse(&message).map_err(|_| broken())?,
        kind: AnswerKind::from_name(&kind).ok_or_else(broken)?,
    }))
}

/// Columns of [`RawAside`].
const ASIDE: &str = "SELECT id, mailbox, submitted, originator, coalesce(code, ''), coalesce(at, 0), coalesce(tries, 0), coalesce(again, 0) FROM delivery";

struct RawAside(String, String, i64, Option<String>, String, i64, u32, i64);

impl RawAside {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self(
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
            row.get(6)?,
            row.get(7)?,
        ))
    }

    fn aside(self) -> Result<SetAside, PostboxError> {
        let Self(id, mailbox, submitted, originator, code, since, tries, again) = self;
        let (submitted, since, again) = (time(submitted)?, time(since)?, time(again)?);
        // Without any certificate he is nobody in particular.
        let originator = originator.filter(|known| !known.is_empty());
        let id = MessageId::new(id);
        Ok(SetAside { id, mailbox, submitted, originator, code, since, tries, again, is_new: false })
    }
}
