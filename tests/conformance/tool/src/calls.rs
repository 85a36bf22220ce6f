//! Signed calls to an endpoint. It knows which secrets were made, so that all of them can be deleted.

use crate::common::sigv4::{self, Keys};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Set by a signal: nothing is asked any more but to delete what was made.
static STOPPED: AtomicBool = AtomicBool::new(false);
/// Calls so far, and how many there may be.
static CALLS: AtomicUsize = AtomicUsize::new(0);
static CALLS_MAX: AtomicUsize = AtomicUsize::new(usize::MAX);
/// Region, key id and name of each secret that was made, and the secret half of the key.
static MADE: Mutex<BTreeMap<(String, String, String), String>> = Mutex::new(BTreeMap::new());

/// Calls that AWS is asked at most, unless `--calls` says otherwise.
const AWS_CALLS_MAX: usize = 200;

/// How often what is left is asked to go.
const ROUNDS: usize = 3;

/// Ends the run.
pub fn stop() {
    STOPPED.store(true, Ordering::SeqCst);
}

/// Whether the run has ended: by a signal, or by the number of its calls.
pub fn is_over() -> bool {
    STOPPED.load(Ordering::SeqCst)
        || CALLS.load(Ordering::SeqCst) >= CALLS_MAX.load(Ordering::SeqCst)
}

/// Calls so far.
pub fn count() -> usize {
    CALLS.load(Ordering::SeqCst)
}

/// An endpoint and who asks there.
pub struct Place {
    pub url: String,
    pub keys: Keys,
    calls_max: usize,
}

impl Place {
    pub fn new(url: &str, region: Option<String>, calls: Option<usize>) -> Result<Self, String> {
        let url = url.trim_end_matches('/').to_owned();
        let url = if url.contains("://") { url } else { format!("http://{url}") };
        let variable = |name: &str| std::env::var(name).ok();
        let is_aws = is_aws(&url);
        let (id, secret) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
        if is_aws && (id.is_none() || secret.is_none()) {
            return Err("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned());
        }
        let region =
            region.or_else(|| variable("AWS_REGION")).unwrap_or_else(|| "us-east-1".into());
        let keys = Keys {
            access_key_id: id.unwrap_or_else(|| "test".into()),
            secret_access_key: secret.unwrap_or_else(|| "test".into()),
            region,
        };
        let calls_max = calls.unwrap_or(if is_aws { AWS_CALLS_MAX } else { usize::MAX });
        Ok(Self { url, keys, calls_max })
    }

    pub fn is_aws(&self) -> bool {
        is_aws(&self.url)
    }

    /// From here on calls count anew.
    pub fn begin(&self) {
        CALLS.store(0, Ordering::SeqCst);
        CALLS_MAX.store(self.calls_max, Ordering::SeqCst);
    }

    /// Deletes every secret that was made, and says which are left. Some go only after others: a replica
    /// after its primary has let it go, a primary after its replica.
    pub fn clean(&self) -> Vec<String> {
        let mut left = std::mem::take(&mut *MADE.lock().unwrap_or_else(PoisonError::into_inner));
        for _ in 0..ROUNDS {
            left.retain(|(region, access_key_id, name), secret_access_key| {
                let keys = Keys {
                    region: region.clone(),
                    access_key_id: access_key_id.clone(),
                    secret_access_key: secret_access_key.clone(),
                };
                let mut client = Client::of(&self.url, &keys);
                client.is_cleaning = true;
                !client.delete(name)
            });
        }
        left.into_keys().map(|(_, _, name)| name).collect()
    }
}

fn is_aws(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url).split(['/', ':']).next().unwrap_or_default();
    host.ends_with(".amazonaws.com")
        || host.ends_with(".amazonaws.com.cn")
        || host.ends_with(".api.aws")
}

pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> Value {
        // Some answers have no body.
        if self.body.is_empty() {
            return json!({});
        }
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The exception's name, empty for a success.
    pub fn error(&self) -> String {
        self.json()["__type"].as_str().unwrap_or_default().to_owned()
    }
}

pub struct Client {
    agent: ureq::Agent,
    pub host: String,
    pub keys: Keys,
    is_cleaning: bool,
}

impl Client {
    pub fn of(url: &str, keys: &Keys) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { agent: config.into(), host: url.to_owned(), keys: keys.clone(), is_cleaning: false }
    }

    pub fn connect(url: &str, keys: &Keys) -> io::Result<Self> {
        Ok(Self::of(url, keys))
    }

    /// Deletes a secret, and what keeps it from that. `true`: it is gone.
    fn delete(&mut self, name: &str) -> bool {
        let known = self.call("DescribeSecret", &json!({"SecretId": name}));
        let known = known.map(|answer| answer.json()).unwrap_or_default();
        let each = |list: &str, member: &str| -> Vec<Value> {
            let entries = known[list].as_array().into_iter().flatten();
            entries.map(|entry| entry[member].clone()).collect()
        };
        let regions = each("ReplicationStatus", "Region");
        if !regions.is_empty() {
            let request = json!({"SecretId": name, "RemoveReplicaRegions": regions});
            let _ = self.call("RemoveRegionsFromReplication", &request);
        }
        for replica in each("CrossAccountReplicas", "ReplicaSecretARN") {
            let request = json!({"SecretId": name, "CrossAccountReplicaARN": replica});
            let _ = self.call("DisassociateCrossAccountReplica", &request);
        }
        if !known["CrossAccountPrimary"].is_null() {
            let _ = self.call("StopReplicationToReplica", &json!({"SecretId": name}));
        }
        let request = json!({"SecretId": name, "ForceDeleteWithoutRecovery": true});
        self.call("DeleteSecret", &request).is_ok_and(|answer| {
            answer.status == 200 || answer.error() == "ResourceNotFoundException"
        })
    }

    /// A signed call of an operation.
    pub fn call(&mut self, operation: &str, body: &Value) -> io::Result<Response> {
        if !self.is_cleaning && is_over() {
            return Err(io::Error::other("not asked: the run has ended"));
        }
        CALLS.fetch_add(1, Ordering::SeqCst);
        let text = body.to_string();
        let host = self.host.split("://").nth(1).unwrap_or(&self.host).to_owned();
        let date = sigv4::amz_date(sigv4::now_seconds());
        let target = format!("secretsmanager.{operation}");
        let session = std::env::var("AWS_SESSION_TOKEN").ok().filter(|_| is_aws(&self.host));
        let mut headers = vec![
            ("content-type", "application/x-amz-json-1.1"),
            ("host", host.as_str()),
            ("x-amz-date", date.as_str()),
        ];
        if let Some(token) = &session {
            headers.push(("x-amz-security-token", token));
        }
        headers.push(("x-amz-target", &target));
        let authorization = sigv4::authorization(&self.keys, &headers, text.as_bytes());
        let mut request = self.agent.post(&self.host);
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(*name, *value);
        }
        // Before the call, because its answer may be lost.
        let made = body["Name"].as_str().filter(|_| operation == "CreateSecret").map(|name| {
            let Keys { region, access_key_id, secret_access_key } = self.keys.clone();
            ((region, access_key_id, name.to_owned()), secret_access_key)
        });
        let is_first = made.as_ref().is_some_and(|(made, secret)| {
            let mut all = MADE.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(made.clone(), secret.clone()).is_none()
        });
        let sent = request.header("authorization", &authorization).send(&text);
        let mut answer = sent.map_err(io::Error::other)?;
        if let Some((made, _)) = made.filter(|_| is_first && answer.status().is_client_error()) {
            MADE.lock().unwrap_or_else(PoisonError::into_inner).remove(&made);
        }
        let body = answer.body_mut().read_to_vec().map_err(io::Error::other)?;
        Ok(Response { status: answer.status().as_u16(), body })
    }
}
