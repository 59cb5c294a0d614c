//! The codes with their class and texts.

use super::FaultSide::{Client, Server};
use super::FeedbackClass::{self, Error, Fault, Ok as Done, Warning};
use super::FeedbackCode;

pub(super) struct Row {
    pub(super) code: FeedbackCode,
    pub(super) class: FeedbackClass,
    pub(super) german: &'static str,
    pub(super) english: &'static str,
}

macro_rules! table {
    ($($name:ident = $number:literal, $class:expr, $german:literal, $english:literal;)*) => {
        impl FeedbackCode {
            $(#[doc = concat!("`", stringify!($number), "`: ", $german)]
            pub const $name: Self = Self($number);)*
        }
        pub(super) const TABLE: &[Row] = &[
            $(Row { code: FeedbackCode::$name, class: $class, german: $german, english: $english },)*
        ];
    };
}

// Specification 1.2, table of feedback codes; facts 15.
table! {
    S0800 = 800, Done, "Auftrag ausgeführt, Dialog beendet", "Order executed, dialogue closed";
    S0801 = 801, Done, "Auftrag ausgeführt, Dialog bleibt geöffnet", "Order executed, dialogue stays open";
    S3500 = 3500, Warning, "Das Verschlüsselungszertifikat des Benutzers ist zeitlich nicht gültig", "The client's encryption certificate is outside its validity period";
    S3501 = 3501, Warning, "Die Prüfung des Verschlüsselungszertifikats des Benutzers konnte nicht vollständig durchgeführt werden", "The check of the client's encryption certificate could not be completed";
    S3700 = 3700, Warning, "Das Signaturzertifikat des Benutzers ist zeitlich nicht gültig", "The client's signature certificate is outside its validity period";
    S3701 = 3701, Warning, "Das Signaturzertifikat eines Autors ist zeitlich nicht gültig", "An author's signature certificate is outside its validity period";
    S3702 = 3702, Warning, "Die Signatur über das Signaturzertifikat eines Autors ist fehlerhaft", "The signature over an author's signature certificate is wrong";
    S3703 = 3703, Warning, "Das Signaturzertifikat eines Autors ist gesperrt", "An author's signature certificate is revoked";
    S3704 = 3704, Warning, "Das Verschlüsselungszertifikat eines Autors ist zeitlich nicht gültig", "An author's encryption certificate is outside its validity period";
    S3705 = 3705, Warning, "Das Verschlüsselungszertifikat des Empfängers ist zeitlich nicht gültig", "The recipient's encryption certificate is outside its validity period";
    S3706 = 3706, Warning, "Das Verschlüsselungszertifikat eines Lesers ist zeitlich nicht gültig", "A reader's encryption certificate is outside its validity period";
    S3707 = 3707, Warning, "Die Prüfung eines Zertifikats konnte nicht vollständig durchgeführt werden", "The check of a certificate could not be completed";
    S3708 = 3708, Warning, "Das Signaturzertifikat des Empfängers ist zeitlich nicht gültig", "The recipient's signature certificate is outside its validity period";
    S3800 = 3800, Warning, "Es liegen weitere Zustellungen vor", "Further deliveries are waiting";
    S3801 = 3801, Warning, "Es liegen weitere Laufzettel vor, die der Auswahl entsprechen", "Further process cards match the selection";
    S3802 = 3802, Warning, "Die Antwort des Empfängers ist nicht signiert", "The recipient's response is not signed";
    S3803 = 3803, Warning, "Die Antwort des Empfängers ist nicht verschlüsselt", "The recipient's response is not encrypted";
    S3950 = 3950, Warning, "Die Rückmeldung zur übertragenen Nachricht ist zu beachten", "The feedback on the transferred message must be read";
    S3951 = 3951, Warning, "Die Zeitgrenze für die Bearbeitung der übertragenen Nachricht wurde überschritten", "The time limit for the transferred message was exceeded";
    S3952 = 3952, Warning, "Die übertragene Nachricht wird noch bearbeitet", "The transferred message is still being processed";
    S9000 = 9000, Fault(Server), "Interner Fehler beim Supplier", "Internal error of the supplier";
    S9100 = 9100, Fault(Client), "Die Nachricht ist keine gültige OSCI-Nachricht", "The message is not a valid OSCI message";
    S9200 = 9200, Fault(Client), "Zum verwendeten Verschlüsselungszertifikat liegt kein privater Schlüssel vor", "There is no private key for the encryption certificate used";
    S9201 = 9201, Fault(Client), "Das zur Verschlüsselung der Nachricht verwendete Zertifikat ist gesperrt", "The certificate used to encrypt the message is revoked";
    S9202 = 9202, Fault(Client), "Die Nachricht kann nicht entschlüsselt werden", "The message cannot be decrypted";
    S9300 = 9300, Fault(Client), "Die Nachricht ist kein gültiger Auftrag", "The message is not a valid order";
    S9400 = 9400, Fault(Client), "Dialogkennung, Sequenznummer oder Response sind falsch", "Conversation id, sequence number or response are wrong";
    S9500 = 9500, Fault(Client), "Das Verschlüsselungszertifikat des Benutzers fehlt", "The client's encryption certificate is missing";
    S9501 = 9501, Fault(Client), "Die Signatur über das Verschlüsselungszertifikat des Benutzers ist fehlerhaft", "The signature over the client's encryption certificate is wrong";
    S9502 = 9502, Fault(Client), "Das Verschlüsselungszertifikat des Benutzers ist gesperrt", "The client's encryption certificate is revoked";
    S9503 = 9503, Fault(Server), "Interner Fehler bei der Prüfung des Verschlüsselungszertifikats des Benutzers", "Internal error while checking the client's encryption certificate";
    S9600 = 9600, Error, "Der Auftrag ist nicht signiert", "The order is not signed";
    S9601 = 9601, Error, "Die Signatur des Auftrags ist falsch", "The signature of the order is wrong";
    S9602 = 9602, Error, "Es sind nicht alle erforderlichen Teile des Auftrags signiert", "Not all required parts of the order are signed";
    S9603 = 9603, Error, "Interner Fehler bei der Prüfung der Signatur", "Internal error while checking the signature";
    S9700 = 9700, Error, "Die Signatur über das Signaturzertifikat des Benutzers ist fehlerhaft", "The signature over the client's signature certificate is wrong";
    S9701 = 9701, Error, "Das Signaturzertifikat des Benutzers ist gesperrt", "The client's signature certificate is revoked";
    S9704 = 9704, Error, "Die Signatur über das Verschlüsselungszertifikat eines Autors ist fehlerhaft", "The signature over an author's encryption certificate is wrong";
    S9705 = 9705, Error, "Das Verschlüsselungszertifikat eines Autors ist gesperrt", "An author's encryption certificate is revoked";
    S9706 = 9706, Error, "Die Signatur über das Verschlüsselungszertifikat des Empfängers ist fehlerhaft", "The signature over the recipient's encryption certificate is wrong";
    S9707 = 9707, Error, "Das Verschlüsselungszertifikat des Empfängers ist gesperrt", "The recipient's encryption certificate is revoked";
    S9708 = 9708, Error, "Die Signatur über das Verschlüsselungszertifikat eines Lesers ist fehlerhaft", "The signature over a reader's encryption certificate is wrong";
    S9709 = 9709, Error, "Das Verschlüsselungszertifikat eines Lesers ist gesperrt", "A reader's encryption certificate is revoked";
    S9710 = 9710, Error, "Interner Fehler bei der Zertifikatsprüfung", "Internal error while checking a certificate";
    S9711 = 9711, Error, "Die Signatur über das Signaturzertifikat des Empfängers ist fehlerhaft", "The signature over the recipient's signature certificate is wrong";
    S9712 = 9712, Error, "Das Signaturzertifikat des Empfängers ist gesperrt", "The recipient's signature certificate is revoked";
    S9800 = 9800, Error, "Der Empfänger nimmt keine Zustellungen ohne MessageId an", "The recipient refuses deliveries without a message id";
    S9801 = 9801, Error, "Unzulässige MessageId", "Illegal message id";
    S9802 = 9802, Error, "Der Auftrag ist nur in einem expliziten Dialog zulässig", "The order is allowed in an explicit dialogue only";
    S9803 = 9803, Error, "Es liegt keine Zustellung vor, die der Auswahl entspricht", "No delivery matches the selection";
    S9804 = 9804, Error, "Es liegt kein Laufzettel vor, der der Auswahl entspricht", "No process card matches the selection";
    S9805 = 9805, Error, "Der Empfänger hat die Zustellung nicht angenommen", "The recipient did not accept the delivery";
    S9806 = 9806, Error, "Der Empfänger hat die Zustellung angenommen, aber keine Antwort geliefert", "The recipient accepted but returned no delivery";
    S9807 = 9807, Error, "Die Signatur der Antwort des Empfängers ist falsch", "The signature of the recipient's response is wrong";
    S9808 = 9808, Error, "Interner Fehler beim Empfänger", "Internal error at the recipient";
    S9809 = 9809, Error, "Interner Fehler beim Weiterleiten, der Empfänger wurde nicht erreicht", "Internal error while forwarding, the recipient was not reached";
    S9810 = 9810, Error, "Interner Fehler beim Weiterleiten, nachdem der Empfänger erreicht wurde", "Internal error while forwarding, after the recipient was reached";
    S9811 = 9811, Error, "Interner Fehler beim Ausführen des Auftrags", "Internal error while executing the order";
    S9900 = 9900, Error, "Das Paket wurde bereits empfangen", "The chunk was received before";
    S9901 = 9901, Error, "Falsche Paketnummer", "Wrong chunk number";
    S9902 = 9902, Error, "Das Paket ist zu groß", "The chunk is too big";
    S9903 = 9903, Error, "Das Paket ist zu klein", "The chunk is too small";
    S9904 = 9904, Error, "Die Nachricht ist zu groß", "The message is too big";
    S9905 = 9905, Error, "Falsche Angaben zur Paketübertragung", "Wrong chunk information";
    S9950 = 9950, Error, "Die übertragene Nachricht wurde abgelehnt, ihre Rückmeldung ist zu beachten", "The transferred message was refused, its feedback must be read";
}
