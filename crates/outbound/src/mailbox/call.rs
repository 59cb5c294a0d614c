//! Reading a path below `/v1/mailbox/`.

use std::time::Duration;

use dds_message::{Code, DeliveryId, Problem, TargetId};
use http::{Method, Uri};

/// What is asked of which mailbox.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) target: TargetId,
    pub(super) action: Action,
}

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// `GET …/next?wait=<seconds>`
    Next { wait: Duration },
    /// `GET …/deliveries/{id}/document`
    Document(DeliveryId),
    /// `GET …/deliveries/{id}/attachments/{n}`, n from 1
    Attachment(DeliveryId, usize),
    /// `POST …/deliveries/{id}/ack|reject|extend`
    Settle(DeliveryId, How),
}

/// What becomes of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Acknowledge,
    Reject,
    Extend,
}

impl Call {
    /// # Errors
    /// DDS-I007 for anything else than the paths above, DDS-I004 for a malformed `wait`.
    pub(super) fn read(method: &Method, uri: &Uri) -> Result<Self, Problem> {
        let unknown = || {
            let text = ("keine solche Adresse unter /v1/mailbox/", "no such address below /v1/mailbox/");
            Problem::new(Code::NOT_FOUND, text)
        };
        let rest = uri.path().strip_prefix("/v1/mailbox/").ok_or_else(unknown)?;
        let (target, action) =
            if let Some(target) = rest.strip_suffix("/next").filter(|_| method == Method::GET) {
                (target, Action::Next { wait: wait(uri.query().unwrap_or_default())? })
            } else {
                let (target, rest) = rest.rsplit_once("/deliveries/").ok_or_else(unknown)?;
                let (delivery, what) = rest.split_once('/').ok_or_else(unknown)?;
                let delivery = DeliveryId::parse(delivery).map_err(|_| unknown())?;
                (target, action(method, delivery, what).ok_or_else(unknown)?)
            };
        // Clients that encode the slashes of the id are understood too.
        let target = target.replace("%2F", "/").replace("%2f", "/").replace("%3A", ":").replace("%3a", ":");
        Ok(Self { target: TargetId::parse(&target).map_err(|_| unknown())?, action })
    }
}

fn action(method: &Method, delivery: DeliveryId, what: &str) -> Option<Action> {
    let settle = |how| Some(Action::Settle(delivery, how));
    match (method.as_str(), what) {
        ("GET", "document") => Some(Action::Document(delivery)),
        ("GET", _) => Some(Action::Attachment(delivery, what.strip_prefix("attachments/")?.parse().ok()?)),
        ("POST", "ack") => settle(How::Acknowledge),
        ("POST", "reject") => settle(How::Reject),
        ("POST", "extend") => settle(How::Extend),
        _ => None,
    }
}

fn wait(query: &str) -> Result<Duration, Problem> {
    let Some(text) = query.split('&').find_map(|pair| pair.strip_prefix("wait=")) else {
        return Ok(Duration::ZERO);
    };
    let seconds = text.parse().map_err(|_| {
        let text = ("wait muss eine Zahl von Sekunden sein", "wait must be a number of seconds");
        Problem::new(Code::BAD_REQUEST, text)
    })?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: Method, uri: &str) -> Result<Call, Code> {
        Call::read(&method, &uri.parse().unwrap()).map_err(|problem| problem.code)
    }

    #[test]
    fn target_ids_with_slashes_are_found_again() {
        let id = "0189b7f2-7c11-7000-8000-000000000001";
        let target = TargetId::parse("146120000000/steueramt/fv-steuerwerk").unwrap();
        let delivery = DeliveryId::parse(id).unwrap();
        let base = format!("/v1/mailbox/{target}");
        for (method, path, action) in [
            (Method::GET, "/next?wait=30".to_owned(), Action::Next { wait: Duration::from_secs(30) }),
            (Method::GET, "/next".to_owned(), Action::Next { wait: Duration::ZERO }),
            (Method::GET, format!("/deliveries/{id}/document"), Action::Document(delivery)),
            (Method::GET, format!("/deliveries/{id}/attachments/2"), Action::Attachment(delivery, 2)),
            (Method::POST, format!("/deliveries/{id}/ack"), Action::Settle(delivery, How::Acknowledge)),
        ] {
            assert_eq!(read(method, &format!("{base}{path}")), Ok(Call { target: target.clone(), action }));
        }
        assert_eq!(read(Method::GET, "/v1/mailbox/a%2Fb/next").unwrap().target.as_str(), "a/b");
    }

    #[test]
    fn everything_else_is_not_there() {
        for (method, path) in [
            (Method::POST, "/v1/mailbox/a/next"),
            (Method::GET, "/v1/mailbox//next"),
            (Method::GET, "/v1/mailbox/a/deliveries/x/document"),
            (Method::GET, "/v1/mailbox/a/deliveries/0189b7f2-7c11-7000-8000-000000000001/attachments/x"),
            (Method::GET, "/v1/mailbox/a/deliveries/0189b7f2-7c11-7000-8000-000000000001/ack"),
        ] {
            assert_eq!(read(method, path), Err(Code::NOT_FOUND), "{path}");
        }
        assert_eq!(read(Method::GET, "/v1/mailbox/a/next?wait=lang"), Err(Code::BAD_REQUEST));
    }
}
