//! Error codes. Each has an entry here and a page `docs/codes/<code>.md`; a test compares the two.

use serde::{Deserialize, Serialize};

use crate::Actor;

/// Fehlercode such as `DDS-I001`. The letter names the part: `I` inbound, `R` recognition and routing, `V` validation,
/// `T` transformation, `D` delivery, `S` store, `C` configuration and depot, `W` worker, `O` OSCI.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Code(&'static str);

// By hand: the derived one would ask for input that lives forever because of the `&'static str`.
impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::try_from(text).map_err(serde::de::Error::custom)
    }
}

/// What a code means, for people.
#[derive(Debug, Clone, Copy)]
pub struct CodeEntry {
    /// The code.
    pub code: Code,
    /// Who must act.
    pub actor: Actor,
    /// HTTP status of a refusal with this code.
    pub status: u16,
    /// Whether what exactly went wrong is for the operator alone: details of the store or of a fault of ours name files
    /// and engines.
    pub inward: bool,
    /// German title.
    pub german: &'static str,
    /// English title.
    pub english: &'static str,
    /// What to do, German.
    pub remedy_german: &'static str,
    /// What to do, English.
    pub remedy_english: &'static str,
}

impl Code {
    /// The text form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The entry of this code.
    #[must_use]
    pub fn entry(self) -> &'static CodeEntry {
        // Every `Code` is made from an entry of the table, so the fallback is never seen.
        CODES.iter().find(|entry| entry.code == self).unwrap_or(&CODES[0])
    }

    /// The code of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        CODES.iter().map(|entry| entry.code).find(|code| code.0 == name)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl TryFrom<String> for Code {
    type Error = crate::Malformed;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_name(&text)
            .ok_or_else(|| crate::Malformed::new("code", &text, ("ein bekannter Code", "a known code")))
    }
}

impl From<Code> for String {
    fn from(code: Code) -> String {
        code.0.to_owned()
    }
}

macro_rules! is_inward {
    () => {
        false
    };
    (inward) => {
        true
    };
}

macro_rules! codes {
    ($($name:ident $code:literal $actor:ident $status:literal $($inward:ident)?
        $german:literal $english:literal $rg:literal $re:literal;)+) => {
        #[allow(missing_docs, reason = "the table itself says what each code means")]
        impl Code {
            $(pub const $name: Self = Self($code);)+
        }

        /// Every code, in order.
        pub const CODES: &[CodeEntry] = &[$(CodeEntry {
            code: Code($code), actor: Actor::$actor, status: $status, inward: is_inward!($($inward)?),
            german: $german, english: $english, remedy_german: $rg, remedy_english: $re,
        }),+];
    };
}

codes! {
    INTERNAL "DDS-X001" Us 500 inward "Interner Fehler" "Internal error"
        "Was nicht angenommen wurde, unverändert erneut senden; sonst und wenn der Fehler bleibt, dem Betrieb Code und Uhrzeit nennen."
        "Send again unchanged what was not accepted; otherwise, and if it persists, tell the operator code and time.";

    NOT_AUTHENTICATED "DDS-I001" Sender 401 "Absender nicht erkannt" "Sender not recognised"
        "Gültiges Token oder Client-Zertifikat der Quelle verwenden." "Use the source's valid token or client certificate.";
    NOT_ALLOWED "DDS-I002" Sender 403 "Quelle darf dies nicht senden" "Source may not send this"
        "Verfahren und Kommune in config/sources/ freigeben lassen." "Have procedure and municipality allowed in config/sources/.";
    TOO_LARGE "DDS-I003" Sender 413 "Nachricht zu groß" "Message too large"
        "Anlagen verkleinern oder aufteilen; die Grenzen nennt die Antwort." "Make attachments smaller or split them; the answer names the limits.";
    BAD_REQUEST "DDS-I004" Sender 400 "Anfrage unvollständig oder fehlerhaft" "Request incomplete or malformed"
        "Anfrage nach der Schnittstellenbeschreibung aufbauen: /openapi.json (REST), /soap/v1?wsdl (SOAP), docs/interface-rest.md (Transferverzeichnis)."
        "Build the request as /openapi.json (REST), /soap/v1?wsdl (SOAP) or docs/interface-rest.md (drop folder) describes.";
    NOT_WELL_FORMED "DDS-I005" Sender 400 "Dokument ist kein zulässiges XML oder JSON" "Document is not acceptable XML or JSON"
        "Dokument an der genannten Stelle berichtigen; DOCTYPE ist nie erlaubt." "Correct the document at the named position; DOCTYPE is never allowed.";
    UNSUPPORTED_MEDIA "DDS-I006" Sender 415 "Format nicht unterstützt" "Format not supported"
        "Bei REST application/xml, application/json oder multipart/form-data senden, bei SOAP text/xml oder application/soap+xml."
        "Send application/xml, application/json or multipart/form-data by REST, text/xml or application/soap+xml by SOAP.";
    NOT_FOUND "DDS-I007" Sender 404 "Nicht gefunden" "Not found"
        "Kennung prüfen; nur eigene Nachrichten sind sichtbar." "Check the id; only your own messages are visible.";
    DRAINING "DDS-I008" Operator 503 "Dienst wird gerade beendet" "Service is shutting down"
        "In einigen Sekunden erneut senden." "Send again in a few seconds.";
    OVERLOADED "DDS-I009" Operator 503 "Dienst ausgelastet" "Service is at capacity"
        "Nach der genannten Zeit (Retry-After) erneut senden." "Send again after the named time (Retry-After).";
    KEY_REUSED "DDS-I010" Sender 422 "Idempotenzschlüssel für anderen Inhalt verwendet" "Idempotency key used for other content"
        "Für jede neue Nachricht einen neuen Schlüssel verwenden." "Use a new key for each new message.";
    BROKEN_OFF "DDS-I011" Sender 400 "Übertragung abgebrochen" "Transfer broken off"
        "Mit demselben Idempotenzschlüssel erneut senden." "Send again with the same idempotency key.";
    TOO_SLOW "DDS-I012" Sender 408 "Übertragung zu langsam" "Transfer too slow"
        "Verbindung prüfen und mit demselben Idempotenzschlüssel erneut senden." "Check the connection and send again with the same idempotency key.";
    NO_SUCH_CASE "DDS-I013" Target 422 "Antwort passt zu keinem Vorgang" "Answer matches no case"
        "Nachrichten- oder Vorgangskennung der Antwort prüfen." "Check message id or case reference of the answer.";
    WRONG_METHOD "DDS-I014" Sender 405 "Methode hier nicht erlaubt" "Method not allowed here"
        "Eine der im Kopf Allow genannten Methoden verwenden." "Use one of the methods named in the header Allow.";
    HEAD_TOO_LARGE "DDS-I015" Sender 431 "Kopf der Anfrage zu groß" "Request head too large"
        "Weniger oder kürzere Kopffelder und Parameter senden." "Send fewer or shorter header fields and parameters.";
    TOO_MANY_POLLS "DDS-I016" Target 429 "Zu viele wartende Abholer dieses Ziels" "Too many long polls of this target"
        "Nach der genannten Zeit (Retry-After) erneut abholen und mit weniger Abholern zugleich warten."
        "Fetch again after the named time (Retry-After), and wait with fewer polls at a time.";

    UNKNOWN_TYPE "DDS-R001" Sender 422 "Nachrichtentyp unbekannt" "Message type unknown"
        "Nachrichtentyp und Version prüfen; das Depot kennt die aufgeführten Typen." "Check message type and version; the depot knows the types listed.";
    NOT_VALID_TODAY "DDS-R002" Sender 422 "Version nicht mehr oder noch nicht gültig" "Version not valid now"
        "Auf die genannte gültige Version umstellen." "Change to the valid version named.";
    NO_MUNICIPALITY "DDS-R003" Operator 422 "Kommune fehlt oder ist nicht angeschlossen" "Municipality missing or not connected"
        "Kommune in config/municipalities/ aufnehmen, dann die Nachricht mit „deliver release“ freigeben." "Add the municipality in config/municipalities/, then release the message with `deliver release`.";
    NO_AUTHORITY "DDS-R004" Operator 422 "Keine zuständige Stelle gefunden" "No responsible authority found"
        "Zuständigkeit für das Verfahren eintragen, dann die Nachricht mit „deliver release“ freigeben." "Enter the responsibility for the procedure, then release the message with `deliver release`.";
    NO_TARGET "DDS-R005" Operator 422 "Zuständige Stelle hat kein Ziel" "Authority has no target"
        "Fachverfahren, DMS oder Mail der Stelle zuordnen." "Assign Fachverfahren, DMS or mail to the authority.";
    UNKNOWN_ADDRESSEE "DDS-R006" Operator 422 "Genannter Empfänger unbekannt" "Named addressee unknown"
        "Empfängerkennung prüfen oder Behörde aufnehmen." "Check the addressee's key or add the authority.";
    BAD_KEY "DDS-R007" Sender 422 "Schlüsselangabe fehlerhaft" "Key in the message is malformed"
        "Das genannte Feld der Nachricht berichtigen." "Correct the named field of the message.";
    WRONG_ADDRESSEE "DDS-R008" Operator 422 "Genannter Empfänger ist für die Kommune nicht zuständig"
        "Named addressee is not responsible for the municipality"
        "Mit dem Absender klären, welche Angabe stimmt; dann Zuständigkeit eintragen und freigeben oder die Nachricht zurückweisen."
        "Clear up with the sender which of the two is right; then enter the responsibility and release, or reject the message.";
    ENDED_BY_HAND "DDS-R009" Sender 422 "Vom Betrieb beendet, nicht zugestellt" "Ended by the operator, not delivered"
        "Den genannten Grund beachten oder den Betrieb fragen; soll sie doch zugestellt werden, unter neuem Schlüssel senden."
        "Mind the reason given, or ask the operator; if it shall be delivered after all, send it under a new key.";

    SCHEMA_INVALID "DDS-V001" Sender 422 "Nachricht verletzt das Schema" "Message violates its schema"
        "Die aufgeführten Befunde beheben und neu senden." "Mend the findings listed and send anew.";
    RULES_VIOLATED "DDS-V002" Sender 422 "Nachricht verletzt Geschäftsregeln" "Message violates business rules"
        "Die aufgeführten Befunde beheben und neu senden." "Mend the findings listed and send anew.";
    SCHEMA_MISSING "DDS-V003" Operator 500 "Schema nicht im Katalogordner" "Schema not in the catalogue folder"
        "Das genannte Schema beschaffen und im Katalogordner ablegen." "Obtain the named schema and put it into the catalogue folder.";

    TRANSFORM_FAILED "DDS-T001" RuleAuthor 500 "Umwandlung fehlgeschlagen" "Transformation failed"
        "Stylesheet an der genannten Stelle berichtigen, Fall ergänzen, neu veröffentlichen." "Correct the stylesheet at the named place, add a case, publish anew.";
    BUDGET_EXCEEDED "DDS-T002" RuleAuthor 500 "Regel überschreitet ihr Budget" "Rule exceeds its budget"
        "Rekursion oder Ausgabegröße der Regel begrenzen." "Bound recursion or output of the rule.";
    ACCESS_REFUSED "DDS-T003" RuleAuthor 500 "Regel wollte auf Datei oder Netz zugreifen" "Rule tried to reach a file or the network"
        "document(), exsl:document und fremde Importe aus der Regel entfernen." "Remove document(), exsl:document and foreign imports from the rule.";
    OUTPUT_INVALID "DDS-T004" RuleAuthor 500 "Ergebnis der Umwandlung ist ungültig" "Result of the transformation is invalid"
        "Stylesheet so ändern, dass das Ergebnis dem kanonischen Schema genügt." "Change the stylesheet so that its result meets the canonical schema.";
    NOT_XSLT_1 "DDS-T005" RuleAuthor 500 "Stylesheet ist nicht XSLT 1.0" "Stylesheet is not XSLT 1.0"
        "version=\"1.0\" und nur die zugelassenen EXSLT-Funktionen verwenden." "Use version=\"1.0\" and only the EXSLT functions allowed.";

    WORKER_DIED "DDS-W001" RuleAuthor 500 "Arbeitsprozess zweimal an dieser Nachricht gescheitert" "Worker failed twice on this message"
        "Nachricht mit der Regel nachstellen (drehscheibe replay) und Regel begrenzen." "Reproduce the message with the rule (drehscheibe replay) and bound the rule.";
    WORKER_TIMEOUT "DDS-W002" RuleAuthor 500 "Zeitbudget der Regel überschritten" "Rule exceeded its time budget"
        "Regel vereinfachen; die Frist steht in drehscheibe.toml." "Simplify the rule; the limit is in drehscheibe.toml.";
    WORKER_UNAVAILABLE "DDS-W003" Operator 503 "Arbeitsprozesse lassen sich nicht starten" "Worker processes cannot be started"
        "Speicher, Prozessgrenzen und das Programm selbst prüfen; Nachrichten warten und werden danach verarbeitet."
        "Check memory, process limits and the program itself; messages wait and are processed afterwards.";

    OSCI_REFUSED "DDS-O001" Operator 502 "OSCI-Intermediär lehnt ab" "OSCI intermediary refuses"
        "Rückmeldecode in docs/osci/operations.md nachschlagen, Ursache beheben, erneut zustellen."
        "Look the feedback code up in docs/osci/operations.md, mend the cause, deliver again.";
    OSCI_ANSWER "DDS-O002" Operator 502 "OSCI-Antwort nicht vertrauenswürdig" "OSCI answer cannot be trusted"
        "Zertifikate des Intermediärs in der Konfiguration mit den heutigen vergleichen; es wird weiter versucht."
        "Compare the intermediary's certificates in the configuration with today's; attempts go on.";
    OSCI_CERTIFICATE "DDS-O003" Operator 502 "OSCI-Zertifikat unbrauchbar oder nicht anerkannt" "OSCI certificate unusable or not accepted"
        "Das Zertifikat erneuern, das der Rückmeldecode nennt; was schon unzustellbar ist, erneut zustellen."
        "Renew the certificate that the feedback code names; deliver again what is a dead letter already.";
    OSCI_NO_MAILBOX "DDS-O004" Operator 502 "Empfänger hat dort kein OSCI-Postfach" "Recipient has no OSCI mailbox there"
        "Zertifikat des Empfängers (addressee) und Intermediär des Amtes prüfen, dann erneut zustellen."
        "Check the recipient's certificate (addressee) and the intermediary of the office, then deliver again.";
    OSCI_CONTENT "DDS-O010" Sender 422 "OSCI-Inhaltsdaten nicht lesbar" "OSCI content cannot be read"
        "Inhaltsdaten für das Verschlüsselungszertifikat des Empfängers verschlüsseln und ein XML- oder JSON-Dokument als ersten Inhalt senden."
        "Encrypt the content for the recipient's cipher certificate and send an XML or JSON document as the first content.";
    OSCI_AUTHOR "DDS-O011" Sender 422 "Autorensignatur ungültig" "Author's signature invalid"
        "Inhaltsdaten neu signieren und senden; drehscheibe osci inspect nennt die fehlerhafte Referenz."
        "Sign the content anew and send it; drehscheibe osci inspect names the faulty reference.";
    OSCI_POSTBOX "DDS-O012" Operator 503 "OSCI-Postfachspeicher nicht verfügbar" "OSCI postbox not available"
        "Platte prüfen, und ob Ablage und Ordner osci aus einer Sicherung sind; nichts wurde quittiert, Partner senden erneut."
        "Check the disk, and that store and folder osci come from one backup; nothing was acknowledged, partners send again.";
    OSCI_KEYS "DDS-O013" Operator 500 "OSCI-Schlüssel oder -Zertifikat nicht verwendbar" "OSCI key or certificate unusable"
        "Datei, PIN und Zertifikat unter [osci] in drehscheibe.toml prüfen." "Check file, PIN and certificate under [osci] in drehscheibe.toml.";
    OSCI_UNREADABLE "DDS-O014" Operator 502 "OSCI-Zustellung lässt sich nicht abholen" "OSCI delivery cannot be fetched"
        "Grund ansehen: Grenze anheben (message_bytes) oder mit MessageId beim Intermediär nachfragen; sie liegt dort weiter und wird erneut versucht."
        "Read the reason: raise the limit (message_bytes) or ask the intermediary, with the MessageId; it still lies there and is tried again.";

    TARGET_UNREACHABLE "DDS-D001" Target 502 "Zielsystem nicht erreichbar" "Target not reachable"
        "Zielsystem und Netzweg prüfen; es wird weiter versucht." "Check target and network; attempts go on.";
    TARGET_REFUSED "DDS-D002" Target 502 "Zielsystem lehnt ab" "Target refuses"
        "Antwort des Zielsystems ansehen, Ursache beheben, erneut zustellen." "Read the target's answer, mend the cause, deliver again.";
    TARGET_BUSY "DDS-D003" Target 503 "Zielsystem vorübergehend nicht bereit" "Target temporarily not ready"
        "Es wird weiter versucht; hält es an, Betreiber des Zielsystems ansprechen." "Attempts go on; if it lasts, talk to the target's operator.";
    DEADLINE_PASSED "DDS-D004" Operator 504 "Zustellfrist abgelaufen" "Delivery deadline passed"
        "Ursache beheben, dann erneut zustellen oder umleiten." "Mend the cause, then deliver again or redirect.";
    IN_DOUBT "DDS-D005" Operator 502 "Ausgang der Zustellung ungewiss" "Fate of the delivery unknown"
        "Beim Zielsystem nachfragen, dann als zugestellt melden oder erneut zustellen." "Ask the target, then settle as delivered or deliver again.";
    TARGET_TOO_LARGE "DDS-D006" Operator 413 "Zu groß für das Zielsystem" "Too large for the target"
        "Auf ein anderes Ziel umleiten oder die Grenze des Ziels anheben." "Redirect to another target or raise the target's limit.";
    TARGET_UNKNOWN "DDS-D007" Operator 500 "Ziel nicht mehr konfiguriert" "Target no longer configured"
        "Ziel wieder aufnehmen oder Zustellung umleiten." "Configure the target again or redirect the delivery.";
    FETCH_REJECTED "DDS-D008" Target 502 "Fachverfahren weist die abgeholte Nachricht zurück" "Fachverfahren rejects the fetched message"
        "Angegebenen Grund klären, dann erneut bereitstellen oder umleiten." "Clear up the reason given, then offer again or redirect.";
    LEASE_LOST "DDS-D009" Target 409 "Abholfrist abgelaufen" "Lease expired"
        "Nachricht erneut abholen und innerhalb der Frist quittieren." "Fetch again and acknowledge within the lease.";
    SECRET_MISSING "DDS-D010" Operator 500 "Zugangsdaten des Ziels fehlen" "Credential of the target missing"
        "Die genannte Geheimnisreferenz bereitstellen." "Provide the secret that the reference names.";
    CREDENTIAL_REFUSED "DDS-D011" Operator 502 "Zielsystem weist unsere Zugangsdaten zurück" "Target refuses our credential"
        "Token oder Zertifikat des Ziels erneuern; die Zustellungen warten bis zu ihrer Frist und gehen danach von selbst weiter."
        "Renew token or certificate of the target; deliveries wait until their deadline and then go on by themselves.";

    STORE_UNAVAILABLE "DDS-S001" Operator 503 inward "Ablage nicht verfügbar" "Store not available"
        "Platte und Ablage prüfen; nichts wurde angenommen." "Check disk and store; nothing was accepted.";
    STORE_FULL "DDS-S002" Operator 507 inward "Ablage voll" "Store is full"
        "Platz schaffen; nichts wurde angenommen." "Make room; nothing was accepted.";
    STORE_CORRUPT "DDS-S003" Operator 500 inward "Ablage beschädigt" "Store damaged"
        "Dienst anhalten und Sicherung nach docs/operations.md einspielen." "Stop the service and restore a backup as docs/operations.md says.";
    KEY_MISSING "DDS-S004" Operator 500 inward "Hauptschlüssel fehlt oder passt nicht" "Master key missing or wrong"
        "Hauptschlüssel bereitstellen: Datei oder Umgebungsvariable nach drehscheibe.toml." "Provide the master key: file or environment variable as drehscheibe.toml says.";
    FATE_UNKNOWN "DDS-S005" Sender 503 inward "Ausgang der Annahme ungewiss" "Fate of the acceptance unknown"
        "Mit demselben Idempotenzschlüssel erneut senden." "Send again with the same idempotency key.";
    CHAIN_BROKEN "DDS-S006" Operator 500 inward "Hash-Kette des Protokolls verletzt" "Hash chain of the journal broken"
        "Sicherung vergleichen, Vorfall melden; die Stelle ist genannt." "Compare the backup, report the incident; the place is named.";
    STORE_IN_USE "DDS-S007" Operator 500 inward "Ablage wird schon benutzt" "Store is already in use"
        "Den anderen Prozess beenden oder einen anderen Ordner wählen." "Stop the other process or choose another folder.";

    CONFIG_SYNTAX "DDS-C001" Operator 500 "Konfigurationsdatei fehlerhaft" "Configuration file malformed"
        "Datei an der genannten Zeile und Spalte berichtigen." "Correct the file at the line and column named.";
    CONFIG_REFERENCE "DDS-C002" Operator 500 "Verweis in der Konfiguration unbekannt" "Unknown reference in the configuration"
        "Den genannten Namen berichtigen oder anlegen." "Correct or create the name.";
    RULE_SYNTAX "DDS-C003" RuleAuthor 500 "Regelpaket fehlerhaft" "Rule package malformed"
        "Datei an der genannten Zeile und Spalte berichtigen." "Correct the file at the line and column named.";
    RULE_OVERLAP "DDS-C004" RuleAuthor 500 "Regeln überschneiden sich" "Rules overlap"
        "Gültigkeit oder Erkennung einer der Regeln eingrenzen." "Narrow validity or recognition of one of the rules.";
    CASE_FAILED "DDS-C005" RuleAuthor 500 "Fall einer Regel nicht bestanden" "A case of a rule failed"
        "Regel oder Erwartung berichtigen; die Abweichung ist genannt." "Correct rule or expectation; the difference is named.";
    RELEASE_UNKNOWN "DDS-C006" Operator 500 "Depotstand unbekannt" "Release unknown"
        "Kennung mit drehscheibe depot list prüfen." "Check the id with drehscheibe depot list.";
    CERTIFICATE_EXPIRES "DDS-C007" Operator 500 "Zertifikat läuft ab" "Certificate expires"
        "Zertifikat vor dem genannten Tag erneuern." "Renew the certificate before the day named.";
    NOT_CONFIRMED "DDS-C008" Operator 504 "Aktivierung nicht bestätigt" "Activation not confirmed"
        "Laufenden Dienst und sein Protokoll prüfen; der alte Stand gilt weiter." "Check the running service and its log; the old release stays in force.";
    COVERAGE_GAP "DDS-C009" Operator 500 "Lücke in der Abdeckung" "Gap in the coverage"
        "Zuständigkeit oder Produkt für die genannte Kombination eintragen." "Enter responsibility or product for the combination named.";
    RELEASE_DAMAGED "DDS-C010" Operator 500 "Depotstand beschädigt" "Release damaged"
        "Anderen Depotstand in Kraft setzen: drehscheibe depot activate baut aus den heutigen Dateien; steht der Dienst, mit --offline."
        "Put another release in force: drehscheibe depot activate builds one of the files as they are; with --offline if the router is down.";
    CONFIG_MISSING "DDS-C011" Operator 500 "Konfigurationsdatei nicht gefunden" "Configuration file not found"
        "Die Datei mit --config nennen oder eine anlegen: Eine leere Datei genügt, config/drehscheibe.toml ist ein Beispiel."
        "Name the file with --config, or make one: an empty file will do, config/drehscheibe.toml is an example.";
    FILE_UNUSABLE "DDS-C012" Operator 500 "Datei nicht verwendbar" "File cannot be used"
        "Pfad und Rechte der genannten Datei prüfen und den Befehl wiederholen."
        "Check path and permissions of the file named, and run the command again.";
    BAD_ARGUMENT "DDS-C013" Operator 500 "Angabe auf der Befehlszeile nicht verwendbar" "Argument on the command line cannot be used"
        "Angabe berichtigen; drehscheibe BEFEHL --help nennt, was möglich ist." "Correct the argument; drehscheibe COMMAND --help says what is possible.";
    ROUTER_UNREACHABLE "DDS-C014" Operator 503 "Datendrehscheibe nicht erreichbar" "Router cannot be reached"
        "Adresse und Zertifikat prüfen und ob der Dienst läuft (drehscheibe serve)." "Check address and certificate, and whether the service runs (drehscheibe serve).";
    ADDRESS_UNUSABLE "DDS-C015" Operator 500 "Adresse lässt sich nicht belegen" "Cannot listen on the address"
        "Den Prozess beenden, der sie belegt, oder unter [listen] eine andere eintragen." "Stop the process that holds it, or enter another one under [listen].";
    NO_SUCH_ID "DDS-C016" Operator 404 "Keine Nachricht oder Zustellung mit dieser Kennung" "No message or delivery with this id"
        "Kennung prüfen; drehscheibe journal search findet sie, drehscheibe explain nennt die Zustellungen einer Nachricht, drehscheibe osci aside list die beiseitegelegten."
        "Check the id; drehscheibe journal search finds it, drehscheibe explain names the deliveries of a message, drehscheibe osci aside list those set aside.";
    WRONG_STATE "DDS-C017" Operator 409 "In diesem Zustand nicht möglich" "Not possible in this state"
        "Mit drehscheibe explain nachsehen, was inzwischen geschehen ist und was noch offen ist."
        "See with drehscheibe explain what happened meanwhile and what is still open.";
    PUBLIC_TOKEN "DDS-C018" Operator 500 "Öffentlich bekanntes Token" "Publicly known token"
        "In der Datei der Quelle eigene Tokens eintragen (printf %s \"$TOKEN\" | sha256sum) oder die Beispielquelle entfernen."
        "Enter tokens of your own in the file of the source (printf %s \"$TOKEN\" | sha256sum), or remove the example source.";
    RELEASES_SHARED "DDS-C019" Operator 409 "Auch andere Knoten benutzen die Depotstände" "Other nodes use the releases too"
        "Gibt es den genannten Knoten nicht mehr, seine Datei confirmed-… im Ordner der Depotstände löschen; sonst bleiben alle Depotstände."
        "If the node that is named exists no more, delete its file confirmed-… in the folder of releases; else all releases stay.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_read_back() {
        for (place, entry) in CODES.iter().enumerate() {
            assert_eq!(Code::from_name(entry.code.as_str()), Some(entry.code));
            assert!(CODES[..place].iter().all(|other| other.code != entry.code), "{} twice", entry.code);
        }
    }

    #[test]
    fn what_the_store_and_we_fail_with_is_for_the_operator_alone() {
        for entry in CODES {
            let store_or_us = ["DDS-S", "DDS-X"].iter().any(|part| entry.code.as_str().starts_with(part));
            assert_eq!(entry.inward, store_or_us, "{}", entry.code);
        }
    }
}
