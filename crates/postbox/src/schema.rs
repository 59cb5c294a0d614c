//! Tables.

use rusqlite::{Connection, Transaction, TransactionBehavior, config::DbConfig};

use crate::PostboxError;

/// Version of the tables; a newer file is refused.
const VERSION: i64 = 10;

/// From form 1 to 2: dialogues and transfers in chunks get other columns. Both live for hours at most and are begun
/// anew by whoever has them open; their files are swept.
const RENEWED: &str = "
DROP TABLE IF EXISTS dialogue;
DROP TABLE IF EXISTS rendered;
DROP TABLE IF EXISTS upload;
DELETE FROM part WHERE holder LIKE 'upload/%' OR holder LIKE 'rendered/%';
";

/// From form 2 to 3: deliveries know their size. What lies there already counts without its attachments.
const SIZED: &str = "
ALTER TABLE delivery ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET bytes = length(record);
CREATE TABLE load (mailbox TEXT PRIMARY KEY, deliveries INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO load SELECT mailbox, count(*), sum(bytes) FROM delivery WHERE received IS NULL GROUP BY mailbox;
";

/// From form 3 to 4: what is set aside counts its tries.
const COUNTED: &str = "ALTER TABLE set_aside ADD COLUMN tries INTEGER NOT NULL DEFAULT 1";

/// From form 4 to 5: what is fetched in chunks is kept for the delivery, no longer for a dialogue.
const CHUNKED: &str = "
DROP TABLE IF EXISTS rendered;
DELETE FROM part WHERE holder LIKE 'rendered/%';
";

/// From form 5 to 6: the sealed octets of a delivery lie apart, so that to note its reception does not write them anew.
const APART: &str = "
CREATE TABLE sealed (number INTEGER PRIMARY KEY, record BLOB NOT NULL);
INSERT INTO sealed (number, record) SELECT number, record FROM delivery;
ALTER TABLE delivery DROP COLUMN record;
";

/// From form 6 to 7: what we send in chunks knows for whom it was cut. What is under way is cut anew, under another id.
const ADDRESSED: &str = "
DROP TABLE IF EXISTS transfer;
DELETE FROM part WHERE holder LIKE 'transfer/%';
";

/// From form 7 to 8: MessageIds know the order they were issued for, and dialogues whether they were begun. Those open
/// are begun anew by their clients.
const REPEATED: &str = "
ALTER TABLE message_id ADD COLUMN request BLOB;
DROP TABLE IF EXISTS dialogue;
";

/// From form 8 to 9: what is set aside is known by its originator. What lies there learns it with its next try.
const ORIGINATED: &str = "
ALTER TABLE delivery ADD COLUMN originator TEXT;
ALTER TABLE delivery ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
";

/// From form 9 to 10: process cards lie in the order of their coming, and as a whole in one page. By id, the larger
/// part of each lay in a page of its own, and every step that touched a card wrote three pages. Those that are there
/// keep their old order: to sort them would take as much memory as they are long.
const IN_ORDER: &str = "
ALTER TABLE card RENAME TO card_before;
CREATE TABLE card (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, submitted INTEGER NOT NULL, modified INTEGER NOT NULL,
  received INTEGER, record BLOB NOT NULL
);
INSERT INTO card (id, submitted, modified, received, record)
SELECT id, submitted, modified, received, record FROM card_before;
DROP TABLE card_before;
";

/// Statements kept compiled; there are fewer.
const STATEMENTS: usize = 128;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dialogue (
  conversation TEXT PRIMARY KEY, client TEXT NOT NULL, used INTEGER NOT NULL, begun INTEGER NOT NULL, record BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS dialogue_used ON dialogue (used);
CREATE INDEX IF NOT EXISTS dialogue_client ON dialogue (client);
CREATE TABLE IF NOT EXISTS message_id (
  id TEXT PRIMARY KEY, client TEXT NOT NULL, used INTEGER NOT NULL, issued INTEGER NOT NULL, request BLOB
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS message_id_unused ON message_id (client) WHERE used = 0;
-- The order that a MessageId was issued for may come again.
CREATE UNIQUE INDEX IF NOT EXISTS message_id_request ON message_id (client, request) WHERE request IS NOT NULL;
-- The order of arrival is the order of fetching.
CREATE TABLE IF NOT EXISTS delivery (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, mailbox TEXT NOT NULL,
  submitted INTEGER NOT NULL, modified INTEGER NOT NULL, received INTEGER, bytes INTEGER NOT NULL DEFAULT 0,
  originator TEXT, refused INTEGER NOT NULL DEFAULT 0
);
-- What is delivered. It never changes, and a row that does would be written anew as a whole.
CREATE TABLE IF NOT EXISTS sealed (number INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TRIGGER IF NOT EXISTS delivery_swept AFTER DELETE ON delivery BEGIN
  DELETE FROM sealed WHERE number = OLD.number;
END;
-- What waits in each mailbox, so that a quota costs the same however much it is.
CREATE TABLE IF NOT EXISTS load (
  mailbox TEXT PRIMARY KEY, deliveries INTEGER NOT NULL, bytes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS delivery_comes AFTER INSERT ON delivery BEGIN
  INSERT INTO load (mailbox, deliveries, bytes) VALUES (NEW.mailbox, 1, NEW.bytes)
  ON CONFLICT (mailbox) DO UPDATE SET deliveries = deliveries + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER IF NOT EXISTS delivery_goes AFTER UPDATE OF received ON delivery
WHEN OLD.received IS NULL AND NEW.received IS NOT NULL BEGIN
  UPDATE load SET deliveries = deliveries - 1, bytes = bytes - OLD.bytes WHERE mailbox = OLD.mailbox;
END;
CREATE INDEX IF NOT EXISTS delivery_waiting ON delivery (mailbox, number) WHERE received IS NULL;
-- What of each originator lies refused in a mailbox. All that is asked for stands in the index: he may have thousands.
CREATE INDEX IF NOT EXISTS delivery_refused ON delivery (mailbox, originator, refused, received, bytes)
WHERE refused = 1 AND received IS NULL;
CREATE INDEX IF NOT EXISTS delivery_submitted ON delivery (mailbox, submitted);
CREATE INDEX IF NOT EXISTS delivery_modified ON delivery (mailbox, modified);
CREATE INDEX IF NOT EXISTS delivery_received ON delivery (received) WHERE received IS NOT NULL;
CREATE TABLE IF NOT EXISTS card (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, submitted INTEGER NOT NULL, modified INTEGER NOT NULL,
  received INTEGER, record BLOB NOT NULL
);
-- Who may see a card: one row for each certificate that has a part in it.
CREATE TABLE IF NOT EXISTS card_part (
  certificate TEXT NOT NULL, role INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (certificate, role, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upload (
  client TEXT NOT NULL, transfer TEXT NOT NULL, begun INTEGER NOT NULL, bytes INTEGER NOT NULL, record BLOB NOT NULL,
  PRIMARY KEY (client, transfer)
) WITHOUT ROWID;
-- The chunks that arrived, one row each: a further one costs the same, however many there are.
CREATE TABLE IF NOT EXISTS upload_chunk (
  client TEXT NOT NULL, transfer TEXT NOT NULL, number INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (client, transfer, number)
) WITHOUT ROWID;
-- What we send in chunks ourselves.
CREATE TABLE IF NOT EXISTS transfer (
  delivery TEXT PRIMARY KEY, parties TEXT NOT NULL, begun INTEGER NOT NULL, record BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rendered (id TEXT PRIMARY KEY, made INTEGER NOT NULL, record BLOB NOT NULL) WITHOUT ROWID;
-- What the active recipient has of deliveries that it fetches in chunks: one row for each.
CREATE TABLE IF NOT EXISTS download (
  recipient TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, record BLOB NOT NULL,
  PRIMARY KEY (recipient, id, number)
) WITHOUT ROWID;
-- Parts named by a record; what is not here is swept.
CREATE TABLE IF NOT EXISTS part (blob BLOB PRIMARY KEY, holder TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS part_holder ON part (holder);
-- Deliveries to ourselves that the main path could not take: since when for this reason, and when again.
CREATE TABLE IF NOT EXISTS set_aside (
  id TEXT PRIMARY KEY, code TEXT NOT NULL, at INTEGER NOT NULL, again INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
-- What the active recipient found elsewhere and could not read.
CREATE TABLE IF NOT EXISTS unreadable (
  recipient TEXT NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL, tries INTEGER NOT NULL,
  again INTEGER NOT NULL, PRIMARY KEY (recipient, id)
) WITHOUT ROWID;
-- Certificates that a responder has revoked, with its answer: it may be silent after a restart.
CREATE TABLE IF NOT EXISTS revoked (certificate TEXT PRIMARY KEY, answer BLOB NOT NULL) WITHOUT ROWID;
-- Which deliveries to ourselves answer something that we mediated.
CREATE TABLE IF NOT EXISTS reply (id TEXT PRIMARY KEY, message TEXT NOT NULL, kind TEXT NOT NULL) WITHOUT ROWID;
-- What the sender adapter stored at intermediaries.
CREATE TABLE IF NOT EXISTS sent (
  delivery BLOB PRIMARY KEY, target TEXT NOT NULL, message_id TEXT NOT NULL, state INTEGER NOT NULL, at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sent_open ON sent (target) WHERE state = 1;
CREATE INDEX IF NOT EXISTS sent_message ON sent (message_id);
";

pub(crate) fn prepare(connection: &Connection) -> Result<(), PostboxError> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else SQLite plans a statement anew for every value that might let it use a partial index.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    // Takes effect in a new file only, as in the store: a delivery is a few pages.
    connection.pragma_update(None, "page_size", 8192)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten.
    connection.pragma_update(None, "secure_delete", true)?;
    // 16 MiB of pages stay at hand, where SQLite would keep 2 MB and read others from the file again.
    connection.pragma_update(None, "cache_size", -16_384)?;
    // The log of a step that may be taken back, else a file.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // 32 MiB of log: pages that change at every step are copied less often.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        return Err(PostboxError::Newer(version));
    }
    // Whoever has it open still, such as the process before us, is waited for: a transaction that began by reading
    // would not wait.
    let step = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    if version == 1 {
        step.execute_batch(RENEWED)?;
    }
    if matches!(version, 1 | 2) {
        step.execute_batch(SIZED)?;
    }
    if matches!(version, 1..=3) {
        step.execute_batch(COUNTED)?;
    }
    if matches!(version, 1..=4) {
        step.execute_batch(CHUNKED)?;
    }
    if matches!(version, 1..=5) {
        step.execute_batch(APART)?;
    }
    if matches!(version, 1..=6) {
        step.execute_batch(ADDRESSED)?;
    }
    if matches!(version, 1..=7) {
        step.execute_batch(REPEATED)?;
    }
    if matches!(version, 1..=8) {
        step.execute_batch(ORIGINATED)?;
    }
    if matches!(version, 1..=9) {
        step.execute_batch(IN_ORDER)?;
    }
    step.execute_batch(TABLES)?;
    step.pragma_update(None, "user_version", VERSION)?;
    step.commit()?;
    Ok(())
}
