//! Messages of agents as this server reads them: the same bytes as `tyr_proto::v1::AgentMessage`, but records stay undecoded until
//! each is looked at.
//!
//! protobuf's decoder gives up on a whole message at the first bad string in it. Read so, one record that is damaged spoils
//! neither its batch nor the stream: it is set apart like every other record that can't be stored.

use prost::Message;
use tyr_proto::v1;
use uuid::Uuid;

use crate::db::rejected::Rejected;

/// [`v1::AgentMessage`].
#[derive(Clone, PartialEq, Message)]
pub(super) struct AgentMessage {
    /// Absent in kinds of messages that only a newer agent knows.
    #[prost(oneof = "Payload", tags = "1, 2, 3, 4, 5, 6")]
    pub(super) payload: Option<Payload>,
}

/// [`v1::agent_message::Payload`].
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Payload {
    #[prost(message, tag = "1")]
    Heartbeat(v1::Heartbeat),
    #[prost(message, tag = "2")]
    EventBatch(Batch),
    #[prost(message, tag = "3")]
    Capabilities(v1::CapabilityReport),
    #[prost(message, tag = "4")]
    PolicyStatus(v1::PolicyStatus),
    #[prost(message, tag = "5")]
    LiveAiProcesses(v1::LiveAiProcesses),
    #[prost(message, tag = "6")]
    CertificateRequest(v1::CertificateRequest),
}

/// [`v1::EventBatch`].
#[derive(Clone, PartialEq, Message)]
pub(super) struct Batch {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) spool_epoch: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub(super) first_sequence: u64,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(super) records: Vec<Vec<u8>>,
}

impl Batch {
    /// Bytes of all records.
    pub(super) fn bytes(&self) -> u64 {
        self.records.iter().map(|record| record.len() as u64).sum()
    }

    /// Decodes the records; gives those that are none beside the batch.
    pub(super) fn decode(self, agent_id: Uuid) -> (v1::EventBatch, Vec<Rejected>) {
        let mut batch = v1::EventBatch {
            spool_epoch: self.spool_epoch,
            first_sequence: self.first_sequence,
            records: Vec::with_capacity(self.records.len()),
        };
        let mut unreadable = Vec::new();
        for record in self.records {
            match v1::Record::decode(&*record) {
                Ok(decoded) => batch.records.push(decoded),
                Err(error) => unreadable.push(Rejected { agent_id, reason: format!("no record: {error}"), record }),
            }
        }
        (batch, unreadable)
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use tyr_proto::v1;
    use uuid::Uuid;

    use super::{AgentMessage, Payload};

    fn batch(resources: &[&str]) -> v1::EventBatch {
        let record = |resource: &&str| {
            let event = v1::Event { resource: (*resource).to_owned(), ..v1::Event::default() };
            v1::Record { record: Some(v1::record::Record::Event(event)) }
        };
        v1::EventBatch { spool_epoch: vec![7; 16], first_sequence: 3, records: resources.iter().map(record).collect() }
    }

    #[test]
    fn every_kind_of_message_is_read_as_what_it_is() {
        use v1::agent_message::Payload as Sent;
        let all = [
            Sent::Heartbeat(v1::Heartbeat { sent_ns: 5, ..v1::Heartbeat::default() }),
            Sent::EventBatch(batch(&["a", "b"])),
            Sent::Capabilities(v1::CapabilityReport { arch: "x".to_owned(), ..v1::CapabilityReport::default() }),
            Sent::PolicyStatus(v1::PolicyStatus { in_force: true, ..v1::PolicyStatus::default() }),
            Sent::LiveAiProcesses(v1::LiveAiProcesses { discovered_agent_ids: vec![vec![1; 16]] }),
            Sent::CertificateRequest(v1::CertificateRequest { csr_pem: vec![1] }),
        ];
        for sent in all {
            let bytes = v1::AgentMessage { payload: Some(sent.clone()) }.encode_to_vec();
            let read = AgentMessage::decode(&*bytes).expect("read");
            assert_eq!(read.encode_to_vec(), bytes, "{sent:?}");
        }
    }

    #[test]
    fn one_damaged_record_spoils_no_other() {
        let sent = v1::AgentMessage {
            payload: Some(v1::agent_message::Payload::EventBatch(batch(&["good", "bad!", "fine"]))),
        };
        let mut bytes = sent.encode_to_vec();
        let at = bytes.windows(4).position(|four| four == b"bad!").expect("there");
        bytes[at] = 0xff;
        v1::AgentMessage::decode(&*bytes).expect_err("as a whole it is none");
        let Some(Payload::EventBatch(read)) = AgentMessage::decode(&*bytes).expect("read").payload else {
            panic!("a batch")
        };
        let agent_id = Uuid::now_v7();
        let (batch, unreadable) = read.decode(agent_id);
        assert_eq!(batch.records.len(), 2);
        assert_eq!(unreadable.len(), 1);
        assert_eq!(unreadable[0].agent_id, agent_id);
        assert!(unreadable[0].reason.contains("UTF-8"), "{}", unreadable[0].reason);
    }
}
